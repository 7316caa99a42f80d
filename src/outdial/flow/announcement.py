"""The flow of a plain announcement, which is what a call without a flow of its own runs."""

from outdial.flow.definition import Flow, Library, Node
from outdial.flow.prompt_template import PromptTemplate, SoundPart
from outdial.flow.state import COMPLETED
from outdial.flow.steps.hang_up import HangUpStep
from outdial.flow.steps.play import PlayStep
from outdial.flow.templates import Template


def announcement(sound: str) -> Library:
    """Play ``sound`` once, then hang up with the result ``completed``."""
    prompt = PromptTemplate((SoundPart(Template(sound)),))
    play = PlayStep(prompt=prompt, times=1, barge_in=False)
    nodes = {
        "announcement": Node(play, {"next": "hang_up"}),
        "hang_up": Node(HangUpStep(result=Template(COMPLETED))),
    }
    return Library.of(Flow(entry="announcement", nodes=nodes))
