"""An answered leg and a flow: the only place where the two meet.

The flow says what to do, the leg does it and says what happened, until the flow hangs up or the leg is gone.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from outdial.dispatch.clips import Clips
from outdial.dispatch.phones import Phone
from outdial.domain.disposition import EndReason
from outdial.flow import engine
from outdial.flow.actions import Action, HangUp, PlaySound
from outdial.flow.definition import Flow
from outdial.flow.events import DigitPressed, Event, LegEnded, PlayFailed, PlayFinished
from outdial.flow.state import SOUND_MISSING
from outdial.telephony.leg_values import LegEnd

TAIL_S = 0.2
"""A jitter buffer holds 40 to 150 ms: with baresip, a BYE at once cost the last 100 ms of a prompt."""


@dataclass(slots=True)
class Conversation:
    """One run of a flow on one leg."""

    phone: Phone
    clips: Clips
    codec: str
    played_ms: int = 0
    """What was played so far."""

    async def run(self, flow: Flow, variables: dict[str, str]) -> LegEnd:
        """Run `flow` to its end, hang up, and return how the leg ended."""
        events: asyncio.Queue[Event] = asyncio.Queue()
        self.phone.on_digit = lambda digit: events.put_nowait(DigitPressed(digit))
        self.phone.ended.add_done_callback(lambda ended: _announce_end(ended, events))
        turn = engine.start(flow, variables)
        async with asyncio.TaskGroup() as plays:
            while True:
                for action in turn.actions:
                    await self._act(action, events, plays)
                if turn.state.finished:
                    break
                turn = engine.resume(flow, turn.state, await events.get())
        return await self.phone.ended

    async def _act(self, action: Action, events: "asyncio.Queue[Event]", plays: asyncio.TaskGroup) -> None:
        match action:
            case PlaySound(play_id=play_id, sound=sound):
                clip = await self.clips.find(sound, self.codec)
                if clip is None:
                    events.put_nowait(PlayFailed(play_id))
                else:
                    plays.create_task(self._play(play_id, clip, events))
            case HangUp(result=result):
                missing = result == SOUND_MISSING
                await self._let_the_end_be_heard()
                self.phone.hang_up(EndReason.SOUND_MISSING if missing else EndReason.COMPLETED)
            case _:
                assert_never(action)

    async def _let_the_end_be_heard(self) -> None:
        """Send a moment of silence after the last word: a BYE makes the far end drop what it buffers."""
        if self.played_ms:
            await asyncio.wait([self.phone.ended], timeout=TAIL_S)

    async def _play(self, play_id: str, clip: Path, events: "asyncio.Queue[Event]") -> None:
        result = await self.phone.play([clip])
        self.played_ms += result.played_ms
        events.put_nowait(PlayFinished(play_id, result.played_ms, result.completed))


def _announce_end(ended: "asyncio.Future[LegEnd]", events: "asyncio.Queue[Event]") -> None:
    if not ended.cancelled():
        events.put_nowait(LegEnded(ended.result().reason.value))
