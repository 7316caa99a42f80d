"""The far end as an independent witness: who was called, who picked up, what they heard."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from outdial.sandbox.heard import Heard
from tests.helpers.system import Server, System


@dataclass(frozen=True)
class Witness:
    """What the phones of one campaign say, by number."""

    called: dict[str, list[str]]
    """The SIP Call-ID of each INVITE that reached the phone, at once."""
    heard: dict[str, list[Heard]]
    """The calls that are over. A phone whose caller died in the wrong moment gives up only after 32 s."""

    def picked_up(self, number: str) -> list[Heard]:
        """The calls that this phone answered."""
        return [heard for heard in self.heard.get(number, []) if heard.answered_after_ms is not None]


def ask_far_end(system: System, far_end: Server, numbers: Collection[str]) -> Witness:
    """What is known by now about these numbers."""
    called: dict[str, list[str]] = defaultdict(list)
    heard: dict[str, list[Heard]] = defaultdict(list)
    for row in far_end.log("sandbox_called"):
        if row["number"] in numbers:
            called[row["number"]].append(row["sip_call_id"])
    for each in system.heard():
        if each.number in numbers:
            heard[each.number].append(each)
    return Witness(dict(called), dict(heard))
