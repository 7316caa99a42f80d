"""One attempt from claim to CDR.

Each step is on disk before the wire sees it: `dialing` before the INVITE, `answered` before the first audio.
Whatever goes wrong, the attempt ends here with a reason of its own, unless the lease is lost: then nothing
may be written, and the rescuer decides.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import structlog

from outdial.dispatch.agent_call import JOINABLE
from outdial.dispatch.attempt_span import attempt_span
from outdial.dispatch.attempt_values import Ended, Route
from outdial.dispatch.clips import Clips
from outdial.dispatch.control import CallControl
from outdial.dispatch.conversation import Conversation, Flows
from outdial.dispatch.figures import count_dial
from outdial.dispatch.flow_library import is_gathered, is_mixed, why_not_offered
from outdial.dispatch.flow_variables import ANYWHERE, Locality
from outdial.dispatch.insisting import insist
from outdial.dispatch.late_answers import LateAnswers
from outdial.dispatch.phones import Phone, PhoneNetwork
from outdial.dispatch.ports import AudioByUrl, Clock, Store
from outdial.dispatch.preparing import Later, prepare
from outdial.dispatch.recordings import Recordings, tell_cut
from outdial.domain.call import AttemptOutcome, Call, ClaimedCall
from outdial.domain.disposition import EndReason, HangupBy, classify, is_about_codecs
from outdial.domain.rating import longest_talk_ms
from outdial.domain.retry_policy import TRUNK_FAULT_DELAYS_MS, RetryDecision, decide
from outdial.errors import InvalidFlow, NotFound
from outdial.flow.announcement import announcement
from outdial.flow.definition import Library
from outdial.storage import attempts, dial, giving_back, held_calls
from outdial.storage.audio_urls import Busy, Ready, Unusable
from outdial.storage.dial import Dial
from outdial.telemetry.spans import Tracer
from outdial.telephony.leg_values import Answered, LegEnd, LegRequest, NotAnswered

_log = structlog.get_logger(__name__)

_CALLBACK_WAITS_MS = 15_000
"""How soon to look again whether the call is over in which a callback was asked for."""

_WITH_DETAIL = frozenset({EndReason.AUDIO_UNAVAILABLE, EndReason.REJECTED, EndReason.INCOMPATIBLE_MEDIA})


@dataclass(slots=True)
class _Progress:
    """What is known of the attempt so far."""

    clock: Clock
    route: Route
    claimed_at: int
    dialing_at: int | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    sip_call_id: str | None = None
    sip_code: int | None = None
    sip_reason: str | None = None
    q850: int | None = None
    codec: str | None = None
    ptime_ms: int | None = None
    retry_after_s: int | None = None
    reason: EndReason = EndReason.INTERNAL_ERROR
    detail: str | None = None
    hangup_by: HangupBy = HangupBy.SYSTEM
    locality: Locality = ANYWHERE
    phone: Phone | None = None
    conversation: Conversation | None = None

    def not_answered(self, result: NotAnswered, now: int) -> None:
        self.reason, self.hangup_by = result.reason, result.hangup_by
        self.sip_code, self.sip_reason, self.q850 = result.sip_code, result.sip_reason, result.q850
        self.retry_after_s = result.retry_after_s
        if result.picked_up:
            self.answered_at = now

    def ended(self, end: LegEnd) -> None:
        self.reason, self.hangup_by, self.q850 = end.reason, end.hangup_by, end.q850


class Runner:
    """Runs claimed calls; one object serves all of a dialer's calls."""

    def __init__(
        self,
        store: Store,
        network: PhoneNetwork,
        clips: Clips,
        clock: Clock,
        *,
        new_sip_call_id: Callable[[], str],
        url_audio: AudioByUrl | None = None,
        recordings: Recordings | None = None,
        flows: Flows | None = None,
        trunk_fault_delays_ms: tuple[int, ...] = TRUNK_FAULT_DELAYS_MS,
        attempt_clock: Callable[[], Clock] | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = store
        self._network = network
        self._clips = clips
        self._clock = clock
        self._new_sip_call_id = new_sip_call_id
        self._url_audio = url_audio
        self._recordings = recordings
        self._flows = flows
        self._trunk_fault_delays_ms = trunk_fault_delays_ms
        self._attempt_clock = attempt_clock or (lambda: clock)
        """Makes the clock of one attempt, by whose times it is charged: setting the clock of the day must not
        make a call an hour long."""
        self._tracer = tracer
        self.late_answers = LateAnswers(store)
        """To be written by whoever runs the runner's calls."""

    async def run(self, claimed: ClaimedCall, route: Route, control: CallControl) -> Ended | None:
        """Dial one claimed call and see it through; None if it was given back or the lease was lost."""
        clock = self._attempt_clock()
        call, progress = claimed.call, _Progress(clock, route, clock())
        try:
            if control.reason is EndReason.SHUTDOWN:
                await self._store.run(giving_back.release, control.lease, now=self._clock())
                return None
            if not claimed.covered:
                control.stop(EndReason.NO_CREDIT)
            sound_id = call.sound_id
            if call.audio_url is not None and control.reason is None:
                found = await self._fetched(call.audio_url, call, control, progress)
                if isinstance(found, Busy):
                    return None
                sound_id = found
            library = await self._library(call, sound_id, route, progress) if control.reason is None else None
            if library is not None and not await self._prepared(call, library, control, progress):
                return None
            await self._attempt(call, library, route, control, progress)
        except asyncio.CancelledError:
            if progress.phone is not None:
                progress.phone.hang_up(EndReason.INTERRUPTED)  # the callee must not stay on a dead line
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the attempt gets an outcome
            _log.exception("attempt_failed", call_id=call.id, attempt=control.lease.number, error=str(error))
            # After the INVITE nobody knows what the callee noticed, so such a call must not be dialled again.
            unknown = progress.dialing_at is not None and progress.answered_at is None
            progress.reason = EndReason.INTERRUPTED if unknown else EndReason.INTERNAL_ERROR
            progress.hangup_by = HangupBy.SYSTEM
        return await self._end(call, control, progress)

    async def _fetched(
        self, url: str, call: Call, control: CallControl, progress: _Progress
    ) -> str | Busy | None:
        """Return the sound behind `url`, or None with the reason noted; Busy if the call was given back.

        It is given back while somebody fetches the sound, so that it blocks neither a line nor a lease.
        """
        if self._url_audio is None:
            return None
        found = await self._url_audio.find(url, call.account_id)
        match found:
            case Ready(sound_id=sound_id):
                return sound_id
            case Unusable(problem=problem):
                progress.reason, progress.detail = EndReason.AUDIO_UNAVAILABLE, problem
                return None
            case Busy(until=until):
                if not await self._store.run(
                    held_calls.hold, control.lease, url, until=until, now=self._clock()
                ):
                    control.lose()
                return found
            case _:
                assert_never(found)

    async def _library(
        self, call: Call, sound_id: str | None, route: Route, progress: _Progress
    ) -> Library | None:
        """What the callee meets; None with the reason noted: nobody should be called to hear nothing."""
        if call.ivr_id is not None and call.flow_version is not None and self._flows is not None:
            try:
                library, progress.locality = await self._flows.library.load(
                    call.account_id, int(call.ivr_id), call.flow_version, call.to
                )
            except (InvalidFlow, NotFound) as error:
                progress.reason, progress.detail = EndReason.AUDIO_UNAVAILABLE, str(error)
                return None
            return library
        if sound_id is not None and await self._can_play(sound_id, route):
            return announcement(sound_id)
        if progress.detail is None:
            progress.reason = EndReason.SOUND_MISSING
        return None

    async def _prepared(
        self, call: Call, library: Library, control: CallControl, progress: _Progress
    ) -> bool:
        """Have the prompts of a flow ready; False if the call was given back until they are.

        What can never be said ends the call here, with the reason noted.
        """
        if call.ivr_id is None or self._flows is None:
            return True
        now = progress.clock()
        found = await prepare(self._flows.prompts, library, call, progress.locality, now=now)
        if isinstance(found, Later):
            if not await self._store.run(giving_back.release, control.lease, now=now, due_at=found.due_at):
                control.lose()
            return False
        if found is not None:
            progress.reason, progress.detail = EndReason.AUDIO_UNAVAILABLE, found
            control.stop(EndReason.AUDIO_UNAVAILABLE)
        return True

    async def _attempt(
        self, call: Call, library: Library | None, route: Route, control: CallControl, progress: _Progress
    ) -> None:
        if control.reason is not None:
            progress.reason = control.reason
            return
        if library is None:
            return
        at = progress.clock()
        match await self._store.run(dial.begin, control.lease, call, now=at):
            case Dial.NOW:
                pass
            case Dial.SUPPRESSED:
                progress.reason = EndReason.SUPPRESSED
                return
            case Dial.TOO_EARLY:
                later = at + _CALLBACK_WAITS_MS
                await self._store.run(giving_back.release, control.lease, now=at, due_at=later)
                control.lose()
                return
            case _:
                control.lose()
                return
        progress.dialing_at = at
        count_dial(call, route.trunk.name, at)
        progress.sip_call_id = self._new_sip_call_id()
        phone = self._new_phone(call, library, route, control, progress)
        result = await phone.dial()
        if isinstance(result, NotAnswered):
            progress.not_answered(result, progress.clock())
            if is_about_codecs(result.reason, result.sip_code):
                progress.detail = why_not_offered(library, route.trunk.codecs)
        else:
            await self._converse(library, call, route, result, control, progress, phone)

    async def _can_play(self, sound_id: str, route: Route) -> bool:
        for codec in route.trunk.codecs:
            if await self._clips.find(sound_id, codec) is None:
                return False
        return True

    def _new_phone(
        self, call: Call, library: Library, route: Route, control: CallControl, progress: _Progress
    ) -> Phone:
        longest_ms = longest_talk_ms(call.rate, call.reserved)
        request = LegRequest(
            trunk=route.trunk,
            caller_number=call.bridge,
            caller_name=route.caller_name,
            to=call.to,
            sip_call_id=progress.sip_call_id or "",
            ring_timeout_s=route.ring_timeout_s,
            max_talk_s=None if longest_ms is None else longest_ms / 1000,
            record_to=self._recordings.begin(control.lease) if self._recordings is not None else None,
            codecs=JOINABLE if is_mixed(library) else None,
            gathered=is_gathered(library),
            remark=route.detour,
        )
        phone, tracer = self._network.new_phone(request)
        progress.phone = phone

        def on_ended(_: object) -> None:
            progress.ended_at = progress.clock()

        phone.ended.add_done_callback(on_ended)

        def on_ringing() -> None:
            progress.ringing_at = now = progress.clock()
            route.on_taken()
            self._store.post(attempts.mark_ringing, control.lease, at=now)

        def on_late_answer() -> None:
            """Also when the attempt is over and its retry waits: nobody who answered is called again."""
            now = progress.clock()
            if progress.answered_at is None:
                progress.answered_at = now  # while the outcome is not written yet, it is an answer
            self.late_answers.note(control.lease, now)
            self._store.post(attempts.append_trace, control.lease, tracer.take())

        phone.on_ringing = on_ringing
        phone.on_late_answer = on_late_answer
        control.attach(phone, tracer)
        return phone

    async def _converse(
        self,
        library: Library,
        call: Call,
        route: Route,
        answered: Answered,
        control: CallControl,
        progress: _Progress,
        phone: Phone,
    ) -> None:
        progress.answered_at = at = progress.clock()
        route.on_taken()
        progress.codec, progress.ptime_ms = answered.codec, answered.ptime_ms
        progress.sip_code, progress.sip_reason = 200, "OK"
        if self._recordings is not None:
            self._recordings.answered(control.lease, answered.codec)
        if not await self._store.run(attempts.mark_answered, control.lease, at=at):
            control.lose()
            return
        progress.conversation = Conversation(
            phone,
            self._clips,
            answered.codec,
            progress.clock,
            call,
            control.lease,
            self._store,
            route.trunk,
            lambda: control.lost,
            self._flows,
            progress.locality,
        )
        progress.ended(await progress.conversation.run(library))

    async def _end(self, call: Call, control: CallControl, progress: _Progress) -> Ended | None:
        quality = kept = None
        digits = ""
        if progress.phone is not None:
            progress.phone.hang_up(progress.reason)
            ended_at = progress.ended_at or progress.clock()
            quality = await progress.phone.close()
            digits = progress.phone.digits
            if self._recordings is not None:
                kept = self._recordings.keep(control.lease, progress.codec)
            if progress.phone.recording_cut is not None:
                progress.detail = tell_cut(control.lease, progress.phone.recording_cut)
        else:
            ended_at = progress.clock()
        answered = progress.answered_at is not None
        outcome = AttemptOutcome(
            disposition=classify(
                answered=answered, reason=progress.reason, sip_code=progress.sip_code, q850=progress.q850
            ),
            reason=progress.reason,
            hangup_by=progress.hangup_by,
            ended_at=ended_at,
            dialing_at=progress.dialing_at,
            ringing_at=progress.ringing_at,
            answered_at=progress.answered_at,
            sip_call_id=progress.sip_call_id,
            sip_code=progress.sip_code,
            sip_reason=progress.sip_reason,
            q850=progress.q850,
            dtmf=digits,
            codec=progress.codec,
            ptime_ms=progress.ptime_ms,
            played_ms=0 if progress.conversation is None else progress.conversation.played_ms,
            recording_key=None if kept is None else kept.key,
            recorded_ms=0 if kept is None else kept.duration_ms,
            quality=quality if answered else None,
            flow_run=None if progress.conversation is None else progress.conversation.left_behind(),
            trunk=progress.route.trunk.name,
            detour=progress.route.detour,
            detail=progress.detail if answered or progress.reason in _WITH_DETAIL else None,
        )
        decision = await self._finish(call, control, outcome, self._decide(call, outcome))
        if decision is None:
            return None
        if self._tracer is not None:
            span = attempt_span(call, control.lease.number, outcome, claimed_at=progress.claimed_at)
            self._tracer.record(call.traceparent, span)
        return Ended(outcome, decision, progress.retry_after_s)

    def _decide(self, call: Call, outcome: AttemptOutcome) -> RetryDecision:
        return decide(
            outcome.disposition,
            outcome.reason,
            outcome.sip_code,
            q850=outcome.q850,
            rang=outcome.ringing_at is not None,
            attempts_spent=call.attempts_spent,
            trunk_faults=call.trunk_faults,
            retries=call.retries,
            interval_minutes=call.interval_minutes,
            ended_at=outcome.ended_at,
            trunk_fault_delays_ms=self._trunk_fault_delays_ms,
        )

    async def _finish(
        self, call: Call, control: CallControl, outcome: AttemptOutcome, decision: RetryDecision
    ) -> RetryDecision | None:
        """Write the outcome; returns what was decided, None if the lease is lost."""
        trace = [] if control.tracer is None else control.tracer.take()
        decided: RetryDecision | None = await insist(
            lambda: self._store.run_patiently(
                attempts.finish, control.lease, outcome, decision, now=self._clock(), trace=trace
            ),
            is_lost=lambda: control.lost,
            waiting="outcome_waits_for_database",
            call_id=call.id,
        )
        return decided
