"""What a callee is to hear, found before anybody is dialled: nobody should be called to hear nothing.

While sounds cannot be had for an outage of the blob store, calls are given back: that costs them nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outdial.dispatch.clips import Clips
from outdial.dispatch.conversation import Flows
from outdial.dispatch.flow_variables import ANYWHERE, Locality
from outdial.dispatch.outages import Outages
from outdial.dispatch.ports import AudioByUrl, Clock
from outdial.dispatch.preparing import Later, prepare
from outdial.domain.call import Call
from outdial.domain.disposition import EndReason
from outdial.errors import BlobsUnavailable, InvalidFlow, NotFound
from outdial.flow.announcement import announcement
from outdial.flow.definition import Library
from outdial.storage.audio_urls import Busy, Ready, Unusable

_STORE_AWAY = "Waits for its sounds: the store where they are kept cannot be reached just now."


@dataclass(frozen=True, slots=True)
class Content:
    """What the call runs; a plain announcement is a flow, too."""

    library: Library
    locality: Locality = ANYWHERE


@dataclass(frozen=True, slots=True)
class NoContent:
    """There is nothing that could be heard."""

    reason: EndReason
    detail: str | None = None
    """Why, as a sentence."""


@dataclass(frozen=True, slots=True)
class Away:
    """Sounds cannot be had: the call, and all that play the same, are to wait until then."""

    until: int
    """Unix milliseconds."""
    why: str = _STORE_AWAY


class CallContents:
    """Finds them; one object serves all of a dialer's calls."""

    def __init__(self, clips: Clips, url_audio: AudioByUrl | None, flows: Flows | None) -> None:
        self._clips = clips
        self._url_audio = url_audio
        self._flows = flows
        self._outages = Outages()

    async def find(
        self, call: Call, codecs: Sequence[str], clock: Clock
    ) -> Content | NoContent | Later | Busy | Away:
        """Return what `call` is to hear, if it can be heard in all `codecs` of its trunk.

        Later, Busy while somebody fetches the sound of its URL, or Away: the call is to be given back until
        then, and blocks neither a line nor a lease.
        """
        what = call.sound_id or call.audio_url or f"flow {call.ivr_id}"
        if (left_ms := self._outages.left_ms(what)) > 0:
            return Away(clock() + left_ms)
        try:
            found = await self._find(call, codecs, clock)
        except BlobsUnavailable as error:
            return Away(clock() + self._outages.failed(what, str(error)))
        self._outages.over(what)
        return found

    async def _find(
        self, call: Call, codecs: Sequence[str], clock: Clock
    ) -> Content | NoContent | Later | Busy:
        if call.ivr_id is not None and call.flow_version is not None and self._flows is not None:
            return await self._flow(call, int(call.ivr_id), call.flow_version, self._flows, codecs, clock)
        if call.audio_url is None or self._url_audio is None:
            return await self._announcement(call.sound_id, codecs)
        found = await self._url_audio.find(call.audio_url, call.account_id)
        match found:
            case Ready(sound_id=sound_id):
                return await self._announcement(sound_id, codecs)
            case Unusable(problem=problem):
                return NoContent(EndReason.AUDIO_UNAVAILABLE, problem)
            case Busy():
                return found

    async def _announcement(self, sound_id: str | None, codecs: Sequence[str]) -> Content | NoContent:
        if sound_id is None:
            return NoContent(EndReason.SOUND_MISSING)
        for codec in codecs:
            if await self._clips.find(sound_id, codec) is None:
                return NoContent(EndReason.SOUND_MISSING)
        return Content(announcement(sound_id))

    async def _flow(
        self, call: Call, flow_id: int, version: int, flows: Flows, codecs: Sequence[str], clock: Clock
    ) -> Content | NoContent | Later:
        try:
            library, locality = await flows.library.load(call.account_id, flow_id, version, call.to)
        except (InvalidFlow, NotFound) as error:
            return NoContent(EndReason.AUDIO_UNAVAILABLE, str(error))
        found = await prepare(flows.prompts, library, call, locality, codecs, now=clock())
        if isinstance(found, Later):
            return found
        return Content(library, locality) if found is None else NoContent(EndReason.AUDIO_UNAVAILABLE, found)
