"""How often chance takes each way: counted over many calls, whose seeds are given here."""

from collections import Counter
from collections.abc import Mapping

import pytest

from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import start

CALLS = 4_000


def ways(*splits: Mapping[str, int]) -> Counter[tuple[str, ...]]:
    """By which exits so many calls left splits that stand one behind the other."""
    names = [f"split {number}" for number in range(len(splits))]
    nodes = {
        name: {
            "type": "random_split",
            "settings": {"weights": weights},
            "exits": dict.fromkeys(weights, following),
        }
        for name, following, weights in zip(names, [*names[1:], "bye"], splits, strict=True)
    }
    nodes["bye"] = {"type": "hang_up"}
    library = Library.of(parse_flow({"schema_version": 1, "entry": names[0], "nodes": nodes}))
    paths = (start(library, {}, seed=seed).state.path[:-1] for seed in range(CALLS))
    return Counter(tuple(str(each.exit) for each in path) for path in paths)


@pytest.mark.parametrize(
    "weights",
    [{"a": 3, "b": 1}, {"a": 1, "b": 3}, {"a": 80, "b": 20}, {"a": 1, "b": 0, "c": 5, "d": 4}],
    ids=lambda weights: ":".join(map(str, weights.values())),
)
def test_each_way_is_taken_in_proportion_to_its_weight(weights):
    taken, total = ways(weights), sum(weights.values())
    # Half a percent is the deviation that chance has here; three percent are six of it.
    shares = {name: taken[name,] / CALLS for name in weights}
    assert shares == pytest.approx({name: each / total for name, each in weights.items()}, abs=0.03)


def test_a_weight_of_nothing_is_never_drawn():
    assert ways({"a": 0, "b": 1, "c": 0, "d": 3, "e": 0}).keys() == {("b",), ("d",)}


def test_a_second_split_does_not_do_as_the_first_did():
    taken = ways({"a": 3, "b": 1}, {"a": 3, "b": 1})
    shares = {way: number / CALLS for way, number in taken.items()}
    wanted = {("a", "a"): 9 / 16, ("a", "b"): 3 / 16, ("b", "a"): 3 / 16, ("b", "b"): 1 / 16}
    assert shares == pytest.approx(wanted, abs=0.03)
