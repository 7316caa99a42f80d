"""The flow of a plain announcement, which is what a call without a flow of its own runs."""

from outdial.flow.definition import Flow
from outdial.flow.state import COMPLETED
from outdial.flow.steps.hang_up import HangUpStep
from outdial.flow.steps.play import PlayStep


def announcement(sound: str) -> Flow:
    """Play ``sound`` once, then hang up with the result ``completed``."""
    return Flow(
        start="announcement",
        steps={
            "announcement": PlayStep(sound=sound, times=1, next="hang_up"),
            "hang_up": HangUpStep(result=COMPLETED),
        },
    )
