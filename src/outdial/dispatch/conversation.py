"""An answered leg and a flow: the only place where the two meet.

The flow says what to do, the leg does it and says what happened, until the flow hangs up or the leg is gone.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from outdial.dispatch.agent_call import Agents
from outdial.dispatch.clips import Clips
from outdial.dispatch.company import Company
from outdial.dispatch.conferences import Conferences
from outdial.dispatch.flow_library import FlowLibrary
from outdial.dispatch.flow_requests import send_request
from outdial.dispatch.flow_variables import ANYWHERE, Locality, flow_variables
from outdial.dispatch.insisting import insist
from outdial.dispatch.messages import Messages
from outdial.dispatch.phones import Phone
from outdial.dispatch.ports import Store
from outdial.dispatch.prompt_audio import CannotPlay, PromptAudio
from outdial.domain.call import Call, Lease
from outdial.domain.disposition import EndReason
from outdial.domain.flow_run import FlowRun
from outdial.domain.suppression import SuppressionType
from outdial.egress.client import EgressClient
from outdial.errors import DatabaseUnavailable, LocalProtocolError, StorageError
from outdial.flow import engine
from outdial.flow.actions import (
    Action,
    CancelTimer,
    Connect,
    HangUp,
    HttpRequest,
    JoinConference,
    LeaveConference,
    MaskDigits,
    OptOut,
    Play,
    Record,
    RequestCallback,
    SendEvent,
    StartTimer,
    StopConnect,
    StopPlay,
    StopRecording,
)
from outdial.flow.definition import Library
from outdial.flow.events import (
    CallbackSet,
    DigitPressed,
    Event,
    LegEnded,
    PlayFailed,
    PlayFinished,
    RecordingFinished,
    TimerFired,
)
from outdial.flow.report import report
from outdial.flow.speakable import Item, Prompt, Sound
from outdial.flow.state import SOUND_MISSING, State
from outdial.storage import callbacks, outbox, recordings, suppressions
from outdial.storage.recordings import RecordingKind
from outdial.storage.suppressions import NewSuppression
from outdial.telephony.leg_values import LegEnd
from outdial.telephony.trunk import Trunk

TAIL_S = 0.2
"""A jitter buffer holds 40 to 150 ms: with baresip, a BYE at once cost the last 100 ms of a prompt."""
_MOST_EVENTS = 100
"""Of one call: a flow that goes in circles must not flood an endpoint."""
_LARGEST_EVENT = 65_536
"""Bytes of JSON: each webhook has a copy."""
_MOST_PROBLEMS = 40
"""Sentences that are kept of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What flows need beside a leg."""

    library: FlowLibrary
    prompts: PromptAudio
    egress: EgressClient
    messages: Messages
    agents: Agents
    conferences: Conferences


@dataclass(slots=True)
class _Playing:
    """The play that was asked for last."""

    play_id: str
    barge_in: bool
    stopped: bool = False
    """Before its clips were found, or while they were played."""


@dataclass(slots=True)
class Conversation:
    """One run of a flow on one leg."""

    phone: Phone
    clips: Clips
    codec: str
    clock: Callable[[], int]
    """Unix milliseconds."""
    call: Call
    lease: Lease
    store: Store
    trunk: Trunk
    is_lost: Callable[[], bool]
    """Whether the call is another dialer's by now: then nothing can be written about it any more."""
    flows: Flows | None = None
    """None where there are none but announcements."""
    locality: Locality = ANYWHERE
    played_ms: int = 0
    """What was played so far."""
    _state: State | None = None
    _events: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    _playing: _Playing | None = None
    _recording: str | None = None
    _kept: set[str] = field(default_factory=set)
    """The messages that were recorded: this call may say them back, and no other."""
    _company: Company | None = None
    _events_sent: int = 0
    _problems: list[str] = field(default_factory=list)
    """What could not be done, beside what the engine noted itself."""
    _in_vain: "set[asyncio.Task[None]]" = field(default_factory=set)
    """Tasks that nobody needs once the flow is over: the call does not wait for a slow server."""

    async def run(self, library: Library) -> LegEnd:
        """Run the main flow of `library` to its end, hang up, and return how the leg ended."""
        self.phone.on_key_down = lambda _: self._barge_in()
        self.phone.on_digit = self._on_digit
        self.phone.ended.add_done_callback(self._announce_end)
        now = self.clock()
        variables = flow_variables(self.call, self.locality, now)
        turn = engine.start(library, variables, now=now, seed=secrets.randbits(53))
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._state = turn.state
                    for action in turn.actions:
                        await self._act(action, tasks)
                    if turn.state.finished:
                        break
                    turn = engine.resume(library, turn.state, await self._events.get())
                for task in self._in_vain:
                    task.cancel()
                if self._company is not None:
                    self._company.part()
        finally:
            for timer in self._timers.values():
                timer.cancel()
        return await self.phone.ended

    def left_behind(self) -> FlowRun | None:
        """What the run left for the records; None of a plain announcement."""
        if self._state is None or self.call.ivr_id is None or self.call.flow_version is None:
            return None
        found = report(self._state).to_json()
        return FlowRun(
            flow_id=int(self.call.ivr_id),
            version=self.call.flow_version,
            result=found["result"] or EndReason.INTERNAL_ERROR.value,
            path=found["path"],
            variables=found["variables"],
            tags=found["tags"],
            problems=[*found["problems"], *self._problems][:_MOST_PROBLEMS],
        )

    async def _act(self, action: Action, tasks: asyncio.TaskGroup) -> None:
        match action:
            case Play():
                self._stop_playing()
                playing = self._playing = _Playing(action.play_id, action.barge_in)
                self._in_vain.add(tasks.create_task(self._play(playing, action.prompt)))
            case StopPlay(play_id=play_id):
                if self._playing is not None and self._playing.play_id == play_id:
                    self._stop_playing()
            case StartTimer(timer_id=timer_id, after_ms=after_ms):
                loop = asyncio.get_running_loop()
                self._timers[timer_id] = loop.call_later(after_ms / 1000, self._fire, timer_id)
            case CancelTimer(timer_id=timer_id):
                if (timer := self._timers.pop(timer_id, None)) is not None:
                    timer.cancel()
            case HangUp(result=result):
                missing = result == SOUND_MISSING
                await self._let_the_end_be_heard()
                self.phone.hang_up(EndReason.SOUND_MISSING if missing else EndReason.COMPLETED)
            case _:
                await self._act_for_flow(action, self._needed_flows(action), tasks)

    async def _act_for_flow(self, action: Action, flows: Flows, tasks: asyncio.TaskGroup) -> None:
        match action:
            case MaskDigits(masked=masked):
                self.phone.mask_digits(masked=masked)
            case Record():
                self._recording = action.recording_id
                tasks.create_task(self._record(action, flows.messages))
            case StopRecording(recording_id=recording_id):
                if self._recording == recording_id:
                    self.phone.stop_message()
            case HttpRequest():
                self._in_vain.add(tasks.create_task(self._request(action, flows.egress)))
            case OptOut(type=kind, value=value):
                new = NewSuppression(
                    receiver=self.call.to, iso=self.call.iso, type=SuppressionType(kind), value=value
                )
                tasks.create_task(self._opt_out(new))
            case Connect() | StopConnect() | JoinConference() | LeaveConference():
                self._company = self._company or self._new_company(flows)
                self._company.act(action, tasks)
            case SendEvent():
                await self._send_event(action)
            case RequestCallback():
                await self._request_callback(action)
            case _:
                raise LocalProtocolError(f"a leg cannot do {type(action).__name__}")

    def _new_company(self, flows: Flows) -> Company:
        return Company(
            agents=flows.agents,
            conferences=flows.conferences,
            prompts=flows.prompts,
            messages=flows.messages,
            phone=self.phone,
            codec=self.codec,
            call=self.call,
            lease=self.lease,
            trunk=self.trunk,
            is_lost=self.is_lost,
            clock=self.clock,
            give=self._events.put_nowait,
            note=self._note,
        )

    async def _send_event(self, event: SendEvent) -> None:
        """Have it on disk before the flow goes on: what the callee is told next may rest on it."""
        size = len(json.dumps(dict(event.data)))
        self._events_sent += 1
        if self._events_sent > _MOST_EVENTS or size > _LARGEST_EVENT:
            bound = (
                f"{_MOST_EVENTS} events of a call" if size <= _LARGEST_EVENT else f"{_LARGEST_EVENT} bytes"
            )
            self._note(f"the event {event.name} was not sent: more than {bound}")
            return
        try:
            await self.store.run(outbox.add_flow_event, self.lease, event.name, event.data, now=self.clock())
        except DatabaseUnavailable:
            self._note(f"the event {event.name} was not sent: the database was away")

    async def _opt_out(self, new: NewSuppression) -> None:
        """Have it on disk before the call is over, however long that takes."""
        now = self.clock()
        await insist(
            lambda: self.store.run(suppressions.add, self.call.account_id, new, source="flow", now=now),
            is_lost=self.is_lost,
            waiting="opt_out_waits_for_database",
            call_id=self.call.id,
        )

    async def _request_callback(self, wish: RequestCallback) -> None:
        try:
            problem = await self.store.run(callbacks.request, self.lease, at=wish.at, now=self.clock())
        except DatabaseUnavailable:
            problem = "the callback cannot be made: the database is away"
        self._events.put_nowait(CallbackSet(self.clock(), wish.callback_id, problem or ""))

    def _note(self, sentence: str) -> None:
        """Keep a sentence for the flow's author."""
        self._problems.append(sentence)

    def _needed_flows(self, action: Action) -> Flows:
        if self.flows is None:
            raise LocalProtocolError(f"an announcement does not do {type(action).__name__}")
        return self.flows

    def _fire(self, timer_id: str) -> None:
        self._timers.pop(timer_id, None)
        self._events.put_nowait(TimerFired(self.clock(), timer_id))

    def _on_digit(self, digit: str) -> None:
        self._barge_in()  # a key by INFO has no beginning
        if self._company is not None:
            self._company.press(digit)
        self._events.put_nowait(DigitPressed(self.clock(), digit))

    def _barge_in(self) -> None:
        if self._playing is not None and self._playing.barge_in:
            self._stop_playing()

    def _stop_playing(self) -> None:
        if self._playing is not None and not self._playing.stopped:
            self._playing.stopped = True
            self.phone.stop_playing()

    async def _play(self, playing: _Playing, prompt: Prompt) -> None:
        try:
            clips = await self._find(prompt)
        except CannotPlay as problem:
            self._events.put_nowait(PlayFailed(self.clock(), playing.play_id, str(problem)))
            return
        self._in_vain = {task for task in self._in_vain if task is not asyncio.current_task()}
        played_ms, completed = 0, False
        if not playing.stopped:
            result = await self.phone.play(clips)
            played_ms, completed = result.played_ms, result.completed
            self.played_ms += played_ms
        if self._playing is playing:
            self._playing = None
        self._events.put_nowait(PlayFinished(self.clock(), playing.play_id, played_ms, completed))

    async def _find(self, prompt: Prompt) -> Sequence[Path]:
        """The clips of a prompt. Raises CannotPlay."""
        clips: list[Path] = []
        if self.flows is not None:
            for said_back, items in groupby(prompt, self._is_own_message):
                clips += await (self._messages_of if said_back else self._clips_of)(tuple(items), self.flows)
            return clips
        for item in prompt:
            try:
                clip = await self.clips.find(item.sound, self.codec) if isinstance(item, Sound) else None
            except StorageError as error:
                raise CannotPlay(str(error)) from error
            if clip is None:
                raise CannotPlay("a sound is missing")
            clips.append(clip)
        return clips

    def _is_own_message(self, item: Item) -> bool:
        return isinstance(item, Sound) and item.sound in self._kept

    async def _clips_of(self, prompt: Prompt, flows: Flows) -> Sequence[Path]:
        return await flows.prompts.clips_of(prompt, self.codec, self.call.account_id)

    async def _messages_of(self, prompt: Prompt, flows: Flows) -> Sequence[Path]:
        """What the callee has said before, as it was recorded: it is in the codec of this leg."""
        keys = [each.sound for each in prompt if isinstance(each, Sound)]
        try:
            return [await flows.messages.heard_again(key) for key in keys]
        except StorageError as error:
            raise CannotPlay(f"the message cannot be heard: {error}") from error

    async def _record(self, action: Record, messages: Messages) -> None:
        path = messages.begin(self.lease, action.recording_id)
        silence_s = 0.0 if action.silence_ms is None else action.silence_ms / 1000
        result = await self.phone.record_message(path, silence_s=silence_s)
        self._recording = None
        reference = await messages.keep(self.lease, action.recording_id, path, self.codec)
        self._events.put_nowait(
            RecordingFinished(
                self.clock(), action.recording_id, result.duration_ms, reference, result.by_silence
            )
        )
        if not reference:
            return
        self._kept.add(reference)
        try:
            await self.store.run(
                recordings.add,
                self.lease,
                reference,
                self.codec,
                recorded_at=self.clock(),
                duration_ms=result.duration_ms,
                kind=RecordingKind.MESSAGE,
            )
        except DatabaseUnavailable:
            self._note(f"the message {reference} is stored, but not listed: the database was away")

    async def _request(self, action: HttpRequest, egress: EgressClient) -> None:
        self._events.put_nowait(await send_request(action, egress, self.clock))

    async def _let_the_end_be_heard(self) -> None:
        """Send a moment of silence after the last word: a BYE makes the far end drop what it buffers."""
        if self.played_ms:
            await asyncio.wait([self.phone.ended], timeout=TAIL_S)

    def _announce_end(self, ended: "asyncio.Future[LegEnd]") -> None:
        if not ended.cancelled():
            self._events.put_nowait(LegEnded(self.clock(), ended.result().reason.value))
