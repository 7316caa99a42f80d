"""One leg: a SIP dialog with its media. Dial, play, collect digits, hang up.

A leg ends once, with one reason; whoever notices first (the far end, a limit, RTP, a dead media worker, our
own `hang_up`) decides it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from outdial.domain.call import MediaQuality
from outdial.domain.disposition import EndReason, HangupBy
from outdial.errors import MediaWorkerLost, NoFreePort
from outdial.sdp.negotiation import AgreedMedia
from outdial.sip.session import events as sip_events
from outdial.sip.session.calling import CallingSession
from outdial.sip.session.events import EndCause, FailureCause
from outdial.telemetry import metrics
from outdial.telephony.dial_failure import not_answered
from outdial.telephony.dtmf_info import KeysOnce, digit_of_info
from outdial.telephony.leg_session import TELEPHONE_EVENT_PAYLOAD_TYPE, new_session
from outdial.telephony.leg_values import Answered, LegEnd, LegRequest, MessageResult, NotAnswered, PlayResult
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.client_stream import MediaStream
from outdial.telephony.media.events import (
    DigitReceived,
    DigitStarted,
    FirstAudioSent,
    JoinFailed,
    Latched,
    MediaEvent,
    MessageRecorded,
    PlayFinished,
    RecordingCut,
    RtpTimeout,
    WorkerLost,
)
from outdial.telephony.negotiation import LegNegotiator
from outdial.telephony.trace import Trace
from outdial.telephony.user_agent import UserAgent

MASKED = "•"
"""Stands for a key that must not be recorded."""
_MOST_DIGITS = 1_000
"""A far end that never stops pressing keys must not fill the memory; no menu asks for as many."""

_KEY_MS = 100
"""How long a key is down that is passed on: long enough for any gateway, and a fast typist's own pace."""

_NOTES = {
    FailureCause.HUNG_UP: "hung up by the far end, of whose answer nothing reached us",
    FailureCause.TRANSPORT_FAILED: "the network sent it back: nothing takes SIP there, or there is no way",
}
_PLAY_END_WAIT_S = 1.0
"""How long the worker may take to say how much of a prompt it had played when the leg ended."""


class Leg:
    """One outgoing leg: `dial`, then `play` as often as wanted; and in a `finally`, always `close`.

    `beside` is a leg that this one may be joined to.
    """

    def __init__(
        self,
        user_agent: UserAgent,
        media: MediaClient,
        request: LegRequest,
        trace: Trace,
        *,
        beside: "Leg | None" = None,
    ) -> None:
        self.request = request
        self.trace = trace
        self._beside = beside
        self.digits = ""
        """All digits that the callee pressed, in order, each once."""
        self.recording_cut: RecordingCut | None = None
        """Where the recording ended before the leg did; complete after `close`."""
        self.on_ringing: Callable[[], None] | None = None
        """Called at the first 18x (or 199): a phone rings, or the call has come to the callee's side."""
        self.on_late_answer: Callable[[], None] | None = None
        """Called when somebody picks up after the dial was over without an answer; also after `close`."""
        self.on_key_down: Callable[[str], None] | None = None
        """Called when a key goes down, where a prompt may stop at once."""
        self.on_digit: Callable[[str], None] | None = None
        """Called once for each key press, when it is over."""
        self.on_join_failed: Callable[[str], None] | None = None
        """Called with the reason when `join` could not be done."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._user_agent = user_agent
        self._media = media
        self.stream: MediaStream | None = None
        """Its media, once the dial has begun."""
        self._session: CallingSession | None = None
        self._negotiator: LegNegotiator | None = None
        self._dialed: asyncio.Future[Answered | NotAnswered] = loop.create_future()
        self.ended: asyncio.Future[LegEnd] = loop.create_future()
        """Done when an answered leg is over."""
        self._end: LegEnd | None = None
        self._answered_at: float | None = None
        self._plays: dict[str, asyncio.Future[PlayResult]] = {}
        self._play_count = 0
        self._messages: dict[str, asyncio.Future[MessageResult]] = {}
        self._keys = KeysOnce()
        self._masked = False
        self._rang = False
        self._max_call: asyncio.TimerHandle | None = None

    @property
    def agreed(self) -> AgreedMedia | None:
        """What was agreed on media, None before the answer."""
        return self._negotiator.agreed if self._negotiator is not None else None

    async def dial(self) -> Answered | NotAnswered:
        """Call and wait until it is answered, refused or given up. Never raises for what the network does."""
        if self.request.remark is not None:
            self.trace.note(self.request.remark)
        try:
            located = self._user_agent.with_local_hosts(await self._user_agent.locate(self.request.trunk))
        except OSError as error:
            said = error.strerror or str(error)
            self.trace.note(f"not sent: {said}")
            return NotAnswered(reason=EndReason.TRANSPORT_FAILED, hangup_by=HangupBy.NETWORK, sip_reason=said)
        try:
            self.stream = await self._media.open(
                self._on_media,
                record_to=self.request.record_to,
                beside=None if self._beside is None else self._beside.stream,
                gathered=self.request.gathered,
            )
        except NoFreePort as error:
            self.trace.note(str(error))
            return NotAnswered(reason=EndReason.NO_MEDIA_PORT, hangup_by=HangupBy.SYSTEM)
        except MediaWorkerLost as error:
            self.trace.note(str(error))
            return NotAnswered(reason=EndReason.MEDIA_WORKER_LOST, hangup_by=HangupBy.SYSTEM)
        self._session, self._negotiator = new_session(
            self._user_agent, self.request, located, self.stream.port, self._on_session, self.trace.message
        )
        if self._end is not None:
            return NotAnswered(reason=self._end.reason, hangup_by=self._end.hangup_by)
        self._session.start(self._user_agent.now)
        self._user_agent.flush()
        result = await self._dialed
        if isinstance(result, Answered):
            self._max_call = self._limit_talk()
        if isinstance(result, Answered) or result.sip_code is not None:
            self._user_agent.heard(self._session.destination)
        return result

    async def play(self, clips: Sequence[Path]) -> PlayResult:
        """Play clips of the agreed codec in turn, until they are over, stopped, or the leg ended."""
        if self.stream is None or self._end is not None:
            return PlayResult(0, completed=False)
        self._play_count += 1
        play_id = str(self._play_count)
        finished: asyncio.Future[PlayResult] = self._loop.create_future()
        self._plays[play_id] = finished
        self.stream.play(play_id, clips)
        return await finished

    def mask_digits(self, *, masked: bool) -> None:
        """Keep the keys that are pressed from now on out of `digits` and the trace: each is a dot there."""
        self._masked = masked

    def stop_playing(self) -> None:
        """Stop the prompt at once; silence goes on."""
        if self.stream is not None:
            self.stream.stop_playing()

    async def record_message(self, path: Path, *, silence_s: float = 0.0) -> MessageResult:
        """Record what the callee says into a file, as wire bytes of the agreed codec, until `stop_message`,
        `silence_s` of silence (0: however silent) or the end of the leg. One at a time.
        """
        if self.stream is None or self._end is not None:
            return MessageResult(0, by_silence=False)
        message_id = str(len(self._messages) + 1)
        ended: asyncio.Future[MessageResult] = self._loop.create_future()
        self._messages[message_id] = ended
        self.stream.record_message(message_id, path, silence_s=silence_s)
        return await ended

    def stop_message(self) -> None:
        """End the message that is being recorded."""
        if self.stream is not None:
            self.stream.stop_message()

    def send_key(self, digit: str) -> None:
        """Let the far end hear a key, as if it were pressed here; not while something is played."""
        if self.stream is not None:
            self.stream.press(digit, _KEY_MS)

    def join(self, room: str, *, muted: bool = False) -> None:
        """Hear the other legs in a room wherever nothing is played, and be heard there unless `muted`."""
        if self.stream is not None:
            self.trace.note(f"joined to {room}")
            self.stream.join(room, muted=muted)

    def is_beside(self, other: object) -> bool:
        """Whether the other leg lives in the same media worker, so that both can be in one room."""
        mine, theirs = self.stream, other.stream if isinstance(other, Leg) else None
        return mine is not None and theirs is not None and mine.link is not None and mine.link is theirs.link

    def leave(self) -> None:
        """Be in no room any more."""
        if self.stream is not None:
            self.trace.note("parted")
            self.stream.leave()

    def hang_up(self, reason: EndReason = EndReason.COMPLETED) -> None:
        """Hang up, or give up dialling. The first end counts; later calls change nothing."""
        self._finish(LegEnd(reason=reason, hangup_by=HangupBy.SYSTEM))

    async def close(self) -> MediaQuality:
        """End whatever still runs, free the ports and return what was measured. Idempotent."""
        self.hang_up(EndReason.INTERNAL_ERROR)
        if self._max_call is not None:
            self._max_call.cancel()
        return await self.stream.close() if self.stream is not None else MediaQuality()

    def _on_session(self, event: sip_events.Event) -> None:
        """Take an event of the SIP session; called while a message is being handled."""
        match event:
            case sip_events.Progress():
                self._on_progress(event)
            case sip_events.NextAddress():
                self._on_next_address(event)
            case sip_events.Answered():
                self._on_answered()
            case sip_events.AnsweredLate():
                self._on_answered_late()
            case sip_events.Failed():
                if event.cause in _NOTES:
                    self.trace.note(_NOTES[event.cause])
                if not self._dialed.done():
                    self._dialed.set_result(not_answered(event, self._end))
            case sip_events.Ended():
                self._on_ended(event)
            case sip_events.MediaChanged():
                self._on_media_changed()
            case sip_events.InfoReceived(content_type, body):
                digit = digit_of_info(content_type, body)
                if digit is not None and self._keys.by_info(digit, self._loop.time()):
                    self._on_key(digit, "by INFO")

    def _on_progress(self, event: sip_events.Progress) -> None:
        if event.early_media:
            self.trace.note("early media offered")
        if event.status >= 180 and not self._rang:
            self._rang = True
            if self.on_ringing is not None:
                self.on_ringing()

    def _on_next_address(self, event: sip_events.NextAddress) -> None:
        failure = event.failure
        if failure.status is None:
            said = (
                "cannot be reached" if failure.cause is FailureCause.TRANSPORT_FAILED else "does not answer"
            )
            self._user_agent.avoid(event.failed)
        else:
            said = f"says {failure.status}"
            if failure.retry_after_s is not None:
                self._user_agent.avoid(event.failed, failure.retry_after_s)
        (failed, port), (address, _) = event.failed, event.address
        self.trace.note(f"{failed}:{port} {said}; trying {address}")

    def _on_answered_late(self) -> None:
        self.trace.note("picked up after all, too late; hung up")
        if self.on_late_answer is not None:
            self.on_late_answer()

    def _on_answered(self) -> None:
        self._answered_at = time.monotonic()
        assert self.agreed is not None
        assert self.stream is not None
        for remark in self.agreed.remarks:
            self.trace.note(remark)
        self.stream.connect(self.agreed, announced_event_payload_type=TELEPHONE_EVENT_PAYLOAD_TYPE)
        if not self._dialed.done():
            self._dialed.set_result(Answered(self.agreed.codec.name, self.agreed.ptime_ms))

    def _on_ended(self, event: sip_events.Ended) -> None:
        if event.cause is EndCause.FAR_END_HUNG_UP:
            self._finish(LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE, q850=event.q850))
        elif event.cause is not EndCause.HUNG_UP:
            self._finish(LegEnd(reason=EndReason.SESSION_EXPIRED, hangup_by=HangupBy.NETWORK))

    def _on_media_changed(self) -> None:
        assert self.agreed is not None
        assert self.stream is not None
        agreed = self.agreed
        self.trace.note(f"media now {agreed.direction.value} to {agreed.remote_address}:{agreed.remote_port}")
        self.stream.connect(agreed, announced_event_payload_type=TELEPHONE_EVENT_PAYLOAD_TYPE)

    def _on_media(self, event: MediaEvent) -> None:
        """Take an event of the media worker."""
        match event:
            case PlayFinished(play_id, played_ms, completed, problem):
                outcome = "" if completed else f", {problem or 'stopped'}"
                self.trace.note(f"played {played_ms / 1000:.1f} s{outcome}")
                finished = self._plays.pop(play_id, None)
                if finished is not None and not finished.done():
                    finished.set_result(PlayResult(played_ms, completed))
            case DigitStarted() | DigitReceived():
                self._on_key_event(event)
            case FirstAudioSent(at):
                self._on_first_audio(at)
            case Latched(address, port):
                self.trace.note(f"audio heard from {address}:{port}")
            case MessageRecorded():
                self._on_message(event)
            case RecordingCut(recorded_ms, problem):
                self.recording_cut = event
                self.trace.note(f"recorded only {recorded_ms / 1000:.1f} s: {problem}")
            case JoinFailed(problem):
                self.trace.note(f"not joined: {problem}")
                if self.on_join_failed is not None:
                    self.on_join_failed(problem)
            case RtpTimeout():
                self.trace.note("no RTP from the far end")
                self._finish(LegEnd(reason=EndReason.RTP_TIMEOUT, hangup_by=HangupBy.NETWORK))
            case WorkerLost():
                self.trace.note("the media worker died")
                self._finish(LegEnd(reason=EndReason.MEDIA_WORKER_LOST, hangup_by=HangupBy.SYSTEM))

    def _on_message(self, event: MessageRecorded) -> None:
        problem = f", {event.problem}" if event.problem else ""
        self.trace.note(f"recorded {event.duration_ms / 1000:.1f} s{problem}")
        recorded = self._messages.get(event.message_id)
        if recorded is not None and not recorded.done():
            recorded.set_result(MessageResult(event.duration_ms, event.by_silence, event.problem))

    def _on_first_audio(self, at: float) -> None:
        self.trace.note("first audio sent")
        if self._answered_at is not None:
            metrics.ANSWER_TO_AUDIO.observe(max(0.0, at - self._answered_at))

    def _on_key_event(self, event: DigitStarted | DigitReceived) -> None:
        over = isinstance(event, DigitReceived)
        if not self._keys.by_rtp(event.digit, self._loop.time(), over=over):
            return
        if isinstance(event, DigitReceived):
            self._on_key(event.digit, f"for {event.duration_ms} ms")
        elif self.on_key_down is not None:
            self.on_key_down(event.digit)

    def _on_key(self, digit: str, how: str) -> None:
        if len(self.digits) >= _MOST_DIGITS:
            return
        shown = MASKED if self._masked else digit
        self.digits += shown
        self.trace.note(f"digit {shown} {how}")
        if self.on_digit is not None:
            self.on_digit(digit)

    def _limit_talk(self) -> asyncio.TimerHandle:
        longest_s, reason = float(self.request.trunk.max_call_s), EndReason.MAX_DURATION
        paid_s = self.request.max_talk_s
        if paid_s is not None and paid_s < longest_s:
            longest_s, reason = paid_s, EndReason.CREDIT_USED_UP
        end = LegEnd(reason=reason, hangup_by=HangupBy.SYSTEM)
        return self._loop.call_later(longest_s, self._finish, end)

    def _finish(self, end: LegEnd) -> None:
        """Take the first reason to end, and end: the session, the prompt, and whoever waits for either."""
        if self._end is not None:
            return
        self._end = end
        if self._session is not None:
            self._session.hang_up(self._user_agent.now)
            self._user_agent.flush()
        if not self.ended.done():
            self.ended.set_result(end)
        if self.stream is not None:
            self.stream.stop_playing()
            if self._messages:
                self.stream.stop_message()
        if self._plays or self._messages:
            self._loop.call_later(_PLAY_END_WAIT_S, self._abandon_media)

    def _abandon_media(self) -> None:
        """Let nobody wait for a worker that does not answer."""
        for recorded in self._messages.values():
            if not recorded.done():
                recorded.set_result(MessageResult(0, by_silence=False))
        for finished in self._plays.values():
            if not finished.done():
                finished.set_result(PlayResult(0, completed=False))
        self._plays.clear()
