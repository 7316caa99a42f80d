"""Which other flows a flow may go on in."""

from collections.abc import Callable, Iterable, Mapping

from outdial.flow.definition import Flow, Library
from outdial.flow.steps.jump import JumpStep

MOST_FLOWS = 50
"""In one library; jumps may go in circles."""


def jumps_of(flow: Flow) -> list[str]:
    """The keys of the flows that it may jump to."""
    return [node.step.flow for node in flow.nodes.values() if isinstance(node.step, JumpStep)]


def library_of(main: str, flow: Flow, find: Callable[[Iterable[str]], Mapping[str, Flow]]) -> Library:
    """A flow with all that it may come to; ``find`` returns those of some keys that exist."""
    found = {main: flow}
    asked = {main}
    while wanted := {each for known in found.values() for each in jumps_of(known)} - asked:
        asked |= wanted
        for key, target in find(sorted(wanted)).items():
            if len(found) < MOST_FLOWS:
                found[key] = target
    return Library(main, found)
