"""Having a flow's prompts ready before anybody is dialled, so that nobody waits for a voice on the line.

What the call will certainly say in the same words, if it comes there, is spoken and fetched first. While
that is under way, or is to be tried again, the call is given back, as one that waits for its audio; what can
never be said ends it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from outdial.dispatch.flow_variables import Locality, flow_variables
from outdial.dispatch.prompt_audio import PromptAudio
from outdial.domain.call import Call
from outdial.flow.definition import Library
from outdial.flow.foreseen import foreseen
from outdial.storage.audio_urls import Busy

_LOOK_S = 0.05
_IN_PLACE_S = 0.3
"""A few words take so long, and giving a call back and claiming it again costs more."""
_LOOK_AGAIN_MS = 1_000
"""How soon a call that was given back looks again: the end of a flight wakes nobody whose call has many."""
_UNDER_WAY = "Waits for its prompts to be spoken and fetched."


@dataclass(frozen=True, slots=True)
class Later:
    """Not yet: the call is to be due again at this time, Unix milliseconds."""

    due_at: int
    why: str
    """A sentence."""


async def prepare(
    prompts: PromptAudio, library: Library, call: Call, locality: Locality, codecs: Sequence[str], *, now: int
) -> Later | str | None:
    """None when all is ready; why something cannot be said, as a sentence; or when to come again.

    Raises BlobsUnavailable.
    """
    items = foreseen(library, flow_variables(call, locality, now))
    if not items:
        return None
    waited_s = 0.0
    while True:
        found = await prompts.prepare(items, call.account_id, codecs)
        if not isinstance(found, Busy):
            return found
        if found.problem is not None:
            why = f"Waits for its prompts to be spoken and fetched, which failed: {found.problem}"
            return Later(max(found.until, now + _LOOK_AGAIN_MS), why)
        if waited_s >= _IN_PLACE_S:
            return Later(now + _LOOK_AGAIN_MS, _UNDER_WAY)
        await asyncio.sleep(_LOOK_S)
        waited_s += _LOOK_S
