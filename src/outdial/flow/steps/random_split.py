"""``random_split``: some of the calls one way, some another."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from outdial.flow.kinds import Table, Whole
from outdial.flow.problem import Place
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, chance


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSplitStep(Step):
    """Go on by one of several exits by chance, in proportion to their weights: for A/B tests."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("any weight", "Chance fell on the exit.", pattern=r"\S.{0,99}"),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "random_split",
        "settings": {"weights": {"a": 80, "b": 20}},
        "exits": {"a": "long_text", "b": "short_text"},
    }

    weights: Mapping[str, int] = setting(
        Table(Whole(0, 1_000_000), r"\S.{0,99}", least=1), "The weight of each exit, by its name."
    )

    def check(self, exits: frozenset[str], place: Place) -> None:
        """Some weight is more than 0, and exits have weights."""
        if not any(self.weights.values()):
            place.member("weights").note("must not all be 0")
        for name in sorted(exits - set(self.weights)):
            place.member("exits").member(name).note("has no weight")

    def leaves_by(self) -> tuple[str, ...]:
        """Each that has a weight."""
        return tuple(name for name, weight in self.weights.items() if weight)

    def enter(self, visit: Visit) -> Outcome:
        """Draw."""
        total = sum(self.weights.values())
        mark = min(int(chance(visit) * total), total - 1)
        ends = zip(self.weights, accumulate(self.weights.values()), strict=True)
        return Leave(next(name for name, end in ends if mark < end))


STEP = RandomSplitStep
