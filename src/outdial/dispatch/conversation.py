"""An answered leg and a flow: the only place where the two meet.

The flow says what to do, the leg does it and says what happened, until the flow hangs up or the leg is gone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from outdial.dispatch.clips import Clips
from outdial.dispatch.phones import Phone
from outdial.domain.disposition import EndReason
from outdial.errors import LocalProtocolError
from outdial.flow import engine
from outdial.flow.actions import Action, HangUp, Play
from outdial.flow.definition import Library
from outdial.flow.events import DigitPressed, Event, LegEnded, PlayFailed, PlayFinished
from outdial.flow.speakable import Prompt, Sound
from outdial.flow.state import SOUND_MISSING
from outdial.flow.values import Variables
from outdial.telephony.leg_values import LegEnd

TAIL_S = 0.2
"""A jitter buffer holds 40 to 150 ms: with baresip, a BYE at once cost the last 100 ms of a prompt."""


@dataclass(slots=True)
class Conversation:
    """One run of a flow on one leg."""

    phone: Phone
    clips: Clips
    codec: str
    clock: Callable[[], int]
    """Unix milliseconds."""
    played_ms: int = 0
    """What was played so far."""

    async def run(self, library: Library, variables: Variables) -> LegEnd:
        """Run the main flow of `library` to its end, hang up, and return how the leg ended."""
        events: asyncio.Queue[Event] = asyncio.Queue()
        self.phone.on_digit = lambda digit: events.put_nowait(DigitPressed(self.clock(), digit))
        self.phone.ended.add_done_callback(lambda ended: self._announce_end(ended, events))
        turn = engine.start(library, variables, now=self.clock())
        async with asyncio.TaskGroup() as plays:
            while True:
                for action in turn.actions:
                    await self._act(action, events, plays)
                if turn.state.finished:
                    break
                turn = engine.resume(library, turn.state, await events.get())
        return await self.phone.ended

    async def _act(self, action: Action, events: "asyncio.Queue[Event]", plays: asyncio.TaskGroup) -> None:
        match action:
            case Play(play_id=play_id, prompt=prompt):
                clips = await self._find(prompt)
                if clips is None:
                    events.put_nowait(PlayFailed(self.clock(), play_id, "a sound is missing"))
                else:
                    plays.create_task(self._play(play_id, clips, events))
            case HangUp(result=result):
                missing = result == SOUND_MISSING
                await self._let_the_end_be_heard()
                self.phone.hang_up(EndReason.SOUND_MISSING if missing else EndReason.COMPLETED)
            case _:
                raise LocalProtocolError(f"a leg cannot do {type(action).__name__}")

    async def _find(self, prompt: Prompt) -> list[Path] | None:
        """Return the clips of a prompt of sounds; None if one is missing, or it is none of sounds."""
        clips = []
        for item in prompt:
            clip = await self.clips.find(item.sound, self.codec) if isinstance(item, Sound) else None
            if clip is None:
                return None
            clips.append(clip)
        return clips

    async def _let_the_end_be_heard(self) -> None:
        """Send a moment of silence after the last word: a BYE makes the far end drop what it buffers."""
        if self.played_ms:
            await asyncio.wait([self.phone.ended], timeout=TAIL_S)

    async def _play(self, play_id: str, clips: Sequence[Path], events: "asyncio.Queue[Event]") -> None:
        result = await self.phone.play(clips)
        self.played_ms += result.played_ms
        events.put_nowait(PlayFinished(self.clock(), play_id, result.played_ms, result.completed))

    def _announce_end(self, ended: "asyncio.Future[LegEnd]", events: "asyncio.Queue[Event]") -> None:
        if not ended.cancelled():
            events.put_nowait(LegEnded(self.clock(), ended.result().reason.value))
