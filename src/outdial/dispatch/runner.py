"""One attempt from claim to CDR.

Each step is on disk before the wire sees it: `dialing` before the INVITE, `answered` before the first audio.
Whatever goes wrong, the attempt ends here with a reason of its own, unless the lease is lost: then nothing
may be written, and the rescuer decides.
"""

import asyncio
from collections.abc import Callable
from typing import assert_never

import structlog

from outdial.dispatch.agent_call import JOINABLE
from outdial.dispatch.attempt_span import attempt_span
from outdial.dispatch.attempt_values import Ended, Route
from outdial.dispatch.call_content import Away, CallContents, Content, NoContent
from outdial.dispatch.clips import Clips
from outdial.dispatch.control import CallControl
from outdial.dispatch.conversation import Conversation, Flows
from outdial.dispatch.figures import count_dial
from outdial.dispatch.flow_library import is_gathered, is_mixed, why_not_offered
from outdial.dispatch.insisting import insist
from outdial.dispatch.late_answers import LateAnswers
from outdial.dispatch.phones import Phone, PhoneNetwork
from outdial.dispatch.ports import AudioByUrl, Clock, Store
from outdial.dispatch.preparing import Later
from outdial.dispatch.recordings import Recordings, tell_cut
from outdial.dispatch.running_attempt import RunningAttempt
from outdial.domain.call import AttemptOutcome, Call, ClaimedCall
from outdial.domain.disposition import EndReason, is_about_codecs
from outdial.domain.rating import longest_talk_ms
from outdial.domain.retry_policy import TRUNK_FAULT_DELAYS_MS, RetryDecision, decide
from outdial.flow.definition import Library
from outdial.storage import attempts, dial, giving_back, held_calls
from outdial.storage.audio_urls import Busy
from outdial.storage.dial import Dial
from outdial.telemetry.spans import Tracer
from outdial.telephony.leg_values import Answered, LegRequest

_log = structlog.get_logger(__name__)

_CALLBACK_WAITS_MS = 15_000
"""How soon to look again whether the call is over in which a callback was asked for."""


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
        self._contents = CallContents(clips, url_audio, flows)
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
        attempt = RunningAttempt(claimed.call, route, control, clock, claimed_at=clock())
        try:
            if control.reason is EndReason.SHUTDOWN:
                await self._store.run(giving_back.release, control.lease, now=self._clock())
                return None
            if not claimed.covered:
                control.stop(EndReason.NO_CREDIT)
            content = None
            if control.reason is None:
                content = await self._contents.find(claimed.call, route.trunk.codecs, clock)
            if isinstance(content, Later | Busy | Away):
                await self._give_back(attempt, content)
                return None
            if control.reason is not None:
                attempt.reason = control.reason
            elif isinstance(content, NoContent):
                attempt.reason, attempt.detail = content.reason, content.detail
            elif content is not None and await self._begin(attempt):
                await self._dial(attempt, content)
        except asyncio.CancelledError:
            if attempt.phone is not None:
                attempt.phone.hang_up(EndReason.INTERRUPTED)  # the callee must not stay on a dead line
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the attempt gets an outcome
            _log.exception(
                "attempt_failed", call_id=claimed.call.id, attempt=control.lease.number, error=str(error)
            )
            attempt.failed()
        return await self._end(attempt)

    async def _give_back(self, attempt: RunningAttempt, until: Later | Busy | Away) -> None:
        """Let the call wait in the queue for what it is to say."""
        run, call, lease, now = self._store.run, attempt.call, attempt.lease, self._clock()
        match until:
            case Later(due_at=due_at, why=why):
                given = await run(giving_back.release, lease, now=now, due_at=due_at, why=why)
            case Busy(until=over_at):
                given = await run(held_calls.hold, lease, call.audio_url, until=over_at, now=now)
            case Away(until=over_at, why=why):
                given = await run(held_calls.hold_alike, lease, call, until=over_at, why=why, now=now)
            case _:
                assert_never(until)
        if not given:
            attempt.control.lose()

    async def _begin(self, attempt: RunningAttempt) -> bool:
        """Have the attempt on disk before the INVITE; False if nobody is to be dialled by us now."""
        at = attempt.clock()
        match await self._store.run(dial.begin, attempt.lease, attempt.call, now=at):
            case Dial.NOW:
                attempt.dialing_at = at
                count_dial(attempt.call, attempt.route.trunk.name, at)
                return True
            case Dial.SUPPRESSED:
                attempt.reason = EndReason.SUPPRESSED
                return False
            case Dial.TOO_EARLY:
                later = at + _CALLBACK_WAITS_MS
                await self._store.run(giving_back.release, attempt.lease, now=at, due_at=later)
            case _:
                pass  # it is another dialer's, or back in the queue
        attempt.control.lose()
        return False

    async def _dial(self, attempt: RunningAttempt, content: Content) -> None:
        attempt.sip_call_id = self._new_sip_call_id()
        phone = self._new_phone(attempt, content.library)
        result = await phone.dial()
        if isinstance(result, Answered):
            await self._converse(attempt, content, phone, result)
            return
        attempt.not_answered(result, attempt.clock())
        if is_about_codecs(result.reason, result.sip_code):
            attempt.detail = why_not_offered(content.library, attempt.route.trunk.codecs)

    def _new_phone(self, attempt: RunningAttempt, library: Library) -> Phone:
        call, route, lease = attempt.call, attempt.route, attempt.lease
        longest_ms = longest_talk_ms(call.rate, call.reserved)
        request = LegRequest(
            trunk=route.trunk,
            caller_number=call.bridge,
            caller_name=route.caller_name,
            to=call.to,
            sip_call_id=attempt.sip_call_id or "",
            ring_timeout_s=route.ring_timeout_s,
            max_talk_s=None if longest_ms is None else longest_ms / 1000,
            record_to=self._recordings.begin(lease) if self._recordings is not None else None,
            codecs=JOINABLE if is_mixed(library) else None,
            gathered=is_gathered(library),
            remark=route.detour,
        )
        phone, tracer = self._network.new_phone(request)
        attempt.phone = phone

        def on_ended(_: object) -> None:
            attempt.ended_at = attempt.clock()

        def on_ringing() -> None:
            attempt.ringing_at = now = attempt.clock()
            route.on_taken()
            self._store.post(attempts.mark_ringing, lease, at=now)

        def on_late_answer() -> None:
            """Also when the attempt is over and its retry waits: nobody who answered is called again."""
            now = attempt.clock()
            if attempt.answered_at is None:
                attempt.answered_at = now  # while the outcome is not written yet, it is an answer
            self.late_answers.note(lease, now)
            self._store.post(attempts.append_trace, lease, tracer.take())

        phone.ended.add_done_callback(on_ended)
        phone.on_ringing = on_ringing
        phone.on_late_answer = on_late_answer
        attempt.control.attach(phone, tracer)
        return phone

    async def _converse(
        self, attempt: RunningAttempt, content: Content, phone: Phone, answered: Answered
    ) -> None:
        """Have the answer on disk before the first audio, then let the callee hear what there is."""
        control = attempt.control
        attempt.answered(answered, attempt.clock())
        attempt.route.on_taken()
        if self._recordings is not None:
            self._recordings.answered(attempt.lease, answered.codec)
        if not await self._store.run(attempts.mark_answered, attempt.lease, at=attempt.answered_at):
            control.lose()
            return
        attempt.conversation = Conversation(
            phone,
            self._clips,
            answered.codec,
            attempt.clock,
            attempt.call,
            attempt.lease,
            self._store,
            attempt.route.trunk,
            lambda: control.lost,
            self._flows,
            content.locality,
        )
        attempt.ended(await attempt.conversation.run(content.library))

    async def _end(self, attempt: RunningAttempt) -> Ended | None:
        outcome = await self._outcome(attempt)
        decision = await self._finish(attempt, outcome, self._decide(attempt.call, outcome))
        if decision is None:
            return None
        if self._tracer is not None:
            span = attempt_span(attempt.call, attempt.lease.number, outcome, claimed_at=attempt.claimed_at)
            self._tracer.record(attempt.call.traceparent, span)
        return Ended(outcome, decision, attempt.retry_after_s)

    async def _outcome(self, attempt: RunningAttempt) -> AttemptOutcome:
        """Close the leg, if there was one, and take what it leaves."""
        phone = attempt.phone
        if phone is None:
            return attempt.outcome(attempt.clock())
        phone.hang_up(attempt.reason)
        ended_at = attempt.ended_at or attempt.clock()
        quality = await phone.close()
        kept = None
        if self._recordings is not None:
            kept = self._recordings.keep(attempt.lease, attempt.codec)
        if phone.recording_cut is not None:
            attempt.detail = tell_cut(attempt.lease, phone.recording_cut)
        return attempt.outcome(ended_at, quality=quality, kept=kept)

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
        self, attempt: RunningAttempt, outcome: AttemptOutcome, decision: RetryDecision
    ) -> RetryDecision | None:
        """Write the outcome; returns what was decided, None if the lease is lost."""
        control = attempt.control
        trace = [] if control.tracer is None else control.tracer.take()
        decided: RetryDecision | None = await insist(
            lambda: self._store.run_patiently(
                attempts.finish, control.lease, outcome, decision, now=self._clock(), trace=trace
            ),
            is_lost=lambda: control.lost,
            waiting="outcome_waits_for_database",
            call_id=attempt.call.id,
        )
        return decided
