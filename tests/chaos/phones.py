"""The phones of the chaos tests: many numbers of each kind, so that each call has a number of its own.

Then the far end's log alone tells how often a call was dialled. Every phone hangs up by itself in the end:
the dialer that called it may be dead.
"""

from dataclasses import dataclass
from itertools import count
from random import Random

NUMBERS_OF_A_KIND = 500


@dataclass(frozen=True)
class Kind:
    """How a phone behaves, and what a call to it comes to when nothing is killed."""

    script: str
    """Lines of the sandbox's TOML."""
    outcome: tuple[str, str]
    """Disposition and reason."""
    announcement: str = "short"
    """Which sound is played: `short` ends before the phone hangs up, `long` does not."""
    retried: bool = False
    """Whether such a call is tried again, where it was sent with an interval."""


KINDS = {
    "listens": Kind("answer_after_s = 0.1\nhang_up_after_s = 6", ("ANSWER", "completed")),
    "hangs up": Kind("answer_after_s = 0.1\nhang_up_after_s = 0.4", ("ANSWER", "callee_hung_up"), "long"),
    "slow": Kind(
        'answer_after_s = 1.2\nhang_up_after_s = 6\nvoice = "nothing"', ("ANSWER", "completed"), "short"
    ),
    "early media": Kind(
        'ring_after_s = "never"\nearly_media_after_s = 0.1\nanswer_after_s = 0.6\nhang_up_after_s = 6',
        ("ANSWER", "completed"),
    ),
    "digest": Kind("challenge = 401\nanswer_after_s = 0.1\nhang_up_after_s = 6", ("ANSWER", "completed")),
    "busy": Kind("answer_after_s = 0.2\ncode = 486", ("BUSY", "rejected"), retried=True),
    "declines": Kind("answer_after_s = 0.2\ncode = 603", ("BUSY", "rejected")),
    "unavailable": Kind("answer_after_s = 0.8\ncode = 480", ("NOANSWER", "rejected"), retried=True),
    "unknown": Kind('ring_after_s = "never"\nanswer_after_s = 0.05\ncode = 404', ("CONGESTION", "rejected")),
    "rings": Kind('answer_after_s = "never"', ("NOANSWER", "ring_timeout"), retried=True),
    "talks": Kind("answer_after_s = 0.1\nhang_up_after_s = 60", ("ANSWER", "completed"), "long"),
}
"""By name; `talks` listens to all of the long sound."""

EVERYDAY = tuple(name for name in KINDS if name != "talks")


class Numbers:
    """Hands out numbers, none of them twice."""

    def __init__(self) -> None:
        self._next = {kind: count() for kind in KINDS}

    def take(self, kind: str) -> str:
        """The next number of a kind."""
        position = next(self._next[kind])
        assert position < NUMBERS_OF_A_KIND, f"more than {NUMBERS_OF_A_KIND} phones of the kind {kind!r}"
        return _number(kind, position)

    def mix(self, size: int, rng: Random, kinds: tuple[str, ...] = EVERYDAY) -> dict[str, str]:
        """`size` numbers, each with its kind: all kinds equally often, in random order."""
        drawn = [kinds[position % len(kinds)] for position in range(size)]
        rng.shuffle(drawn)
        return {self.take(kind): kind for kind in drawn}


def phones_toml() -> str:
    """The sandbox's phones file."""
    return "\n".join(
        f"[phones.{_number(name, position)}]\n{kind.script}\n"
        for name, kind in KINDS.items()
        for position in range(NUMBERS_OF_A_KIND)
    )


def _number(kind: str, position: int) -> str:
    return f"1202{600 + list(KINDS).index(kind)}{position:04}"
