"""One call to one phone: the interpreter of scripts.

Without clock and sockets: cues are timers of the endpoint, packets are the business of a :class:`Line`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from outdial.errors import SdpError
from outdial.sandbox.heard import Heard
from outdial.sandbox.negotiator import PhoneNegotiator
from outdial.sandbox.phone import DigitsBy, Phone
from outdial.sandbox.script import Cue, Move, before_the_answer, on_the_call
from outdial.sdp.direction import Direction
from outdial.sdp.negotiation import AgreedMedia
from outdial.sip.message import Request
from outdial.sip.session.answering import AnsweringSession
from outdial.sip.session.events import (
    Answered,
    AnsweredLate,
    EndCause,
    Ended,
    Event,
    Failed,
    FailureCause,
    InfoReceived,
    MediaChanged,
    NextAddress,
    Progress,
)
from outdial.sip.session.outgoing_request import OutgoingRequest
from outdial.sip.timers import Timer, TimerQueue

_LISTEN_AGAIN_S = 1.0


class Line(Protocol):
    """The RTP side of a phone for the length of one call."""

    @property
    def port(self) -> int:
        """The RTP port that goes into SDP."""
        ...

    @property
    def last_heard_at(self) -> float | None:
        """When the last RTP packet arrived, None before the first."""
        ...

    def connect(self, agreed: AgreedMedia) -> None:
        """Speak and listen as agreed; again after every change."""
        ...

    def press(self, digits: str) -> None:
        """Press keys, one after the other."""
        ...

    def hear(self, heard: Heard, answered_at: float | None) -> tuple[Heard, bytes]:
        """``heard`` with what the line knows, and what it heard as wire bytes of ``heard.codec``."""
        ...

    def close(self) -> None:
        """Stop speaking and give the ports back."""
        ...


@dataclass(frozen=True, slots=True)
class CallSurroundings:
    """What a call needs of the network around it."""

    timers: TimerQueue
    line: Line
    negotiator: PhoneNegotiator
    on_over: "Callable[[PhoneCall, Heard, bytes], None]"
    """Told once, when nothing more can happen."""


class PhoneCall:
    """A phone that is being called. ``begin`` starts its script, ``take`` hands it what the session says."""

    def __init__(
        self, phone: Phone, session: AnsweringSession, around: CallSurroundings, heard: Heard
    ) -> None:
        self.phone = phone
        self.session = session
        self._around = around
        self._heard = heard
        self._timers: list[Timer] = []
        self._keys = deque(phone.digits)
        """Keys that have not been pressed by INFO yet."""
        self._invited_at = 0.0
        self._answered_at: float | None = None
        self._over = False

    def begin(self, now: float) -> None:
        """The INVITE has arrived."""
        self._invited_at = now
        self.session.start(now)
        self._arm(before_the_answer(self.phone), now)

    def on_timer(self, kind: object, now: float) -> None:
        """Make the next move of the script."""
        assert isinstance(kind, Move)
        match kind:
            case Move.RING | Move.RING_AGAIN:
                self.session.progress(180, now)
            case Move.EARLY_MEDIA:
                self._speak_early(now)
            case Move.DECIDE:
                self._decide(now)
            case Move.PRESS:
                self._press(now)
            case Move.HOLD:
                self._reinvite(Direction.SENDONLY, now)
            case Move.RESUME | Move.REFRESH:
                self._reinvite(Direction.SENDRECV, now)
            case Move.HANG_UP:
                self.session.hang_up(now)
            case Move.LISTEN:
                self._listen(now)

    def take(self, event: Event, now: float) -> None:
        """Take an event of the session."""
        match event:
            case Answered():
                self._arm(on_the_call(self.phone), now)
            case MediaChanged():
                self._connect()
            case Failed(cause=FailureCause.CANCELLED):
                self._end("cancelled", now)
            case Failed(status=status):
                self._end("incompatible", now, code=status)
            case Ended(cause=EndCause.NOT_ACKNOWLEDGED):
                self._end("unacknowledged", now, ended_by="network")
            case Ended(cause=cause):
                self._end("answered", now, ended_by=_ENDED_BY.get(cause, "network"))
            case Progress() | NextAddress() | AnsweredLate() | InfoReceived():
                pass  # of callers, or what Outdial sends none of

    def hang_up(self, now: float) -> None:
        """End the call in whatever state it is: the network is being switched off."""
        if self._answered_at is not None:
            self.session.hang_up(now)
        elif not self._over:
            self.session.reject(480, now)
            self._end("refused", now, code=480)

    def _speak_early(self, now: float) -> None:
        try:
            self.session.progress(183, now, early_media=True)
        except SdpError:
            self.session.accept(now)  # which refuses with 488, as a phone without a codec in common has to
        else:
            self._connect()

    def _decide(self, now: float) -> None:
        phone = self.phone
        if phone.code is None:
            self._answered_at = now
            self.session.accept(now)
            self._connect()
            return
        headers = [("Retry-After", str(phone.retry_after_s))] if phone.retry_after_s is not None else []
        headers += [("Reason", f"Q.850;cause={phone.q850}")] if phone.q850 is not None else []
        headers += [("Contact", f"<{phone.redirect_to}>")] if phone.redirect_to else []
        self.session.reject(phone.code, now, headers=headers)
        self._end("refused", now, code=phone.code)

    def _connect(self) -> None:
        agreed = self._around.negotiator.agreed
        if agreed is not None and not self._over:
            self._heard = replace(self._heard, codec=agreed.codec.name)
            self._around.line.connect(agreed)

    def _press(self, now: float) -> None:
        if self.phone.digits_by is DigitsBy.RTP:
            self._around.line.press(self.phone.digits)
            return
        established = self.session.established
        if established is None or not self._keys:
            return
        digit = self._keys.popleft()
        OutgoingRequest(
            self.session.context,
            established.dialog,
            established.authenticator,
            "INFO",
            lambda _response, _now: None,
            _dtmf_relay(digit, self.phone.digit_ms),
        ).send(now)
        self._arm([Cue((self.phone.digit_ms + self.phone.digit_gap_ms) / 1_000, Move.PRESS)], now)

    def _listen(self, now: float) -> None:
        """Hang up on a caller that has died: its BYE will never come."""
        patience, agreed = self.phone.gives_up_after_s or 0.0, self._around.negotiator.agreed
        heard_at = self._around.line.last_heard_at
        if heard_at is None or agreed is None or not agreed.direction.receives:
            self._arm([Cue(max(patience, _LISTEN_AGAIN_S), Move.LISTEN)], now)
        elif now - heard_at < patience:
            self._arm([Cue(heard_at + patience - now, Move.LISTEN)], now)
        else:
            self.session.hang_up(now)

    def _reinvite(self, direction: Direction, now: float) -> None:
        self._around.negotiator.direction = direction
        if self.session.established is not None:
            self.session.established.reinvite(now)

    def _arm(self, cues: list[Cue], now: float) -> None:
        timers = self._around.timers
        self._timers += [timers.start(now + cue.after_s, self, cue.move) for cue in cues]

    def _end(self, outcome: str, now: float, *, code: int | None = None, ended_by: str | None = None) -> None:
        if self._over:
            return
        self._over = True
        for timer in self._timers:
            self._around.timers.cancel(timer)
        heard = replace(self._heard, outcome=outcome, code=code, ended_by=ended_by)
        if self._answered_at is not None and outcome in ("answered", "unacknowledged"):
            heard = replace(
                heard,
                answered_after_ms=round((self._answered_at - self._invited_at) * 1_000),
                duration_ms=round((now - self._answered_at) * 1_000),
            )
        heard, audio = self._around.line.hear(heard, self._answered_at)
        self._around.line.close()
        self._around.on_over(self, heard, audio)


_ENDED_BY = {EndCause.FAR_END_HUNG_UP: "caller", EndCause.HUNG_UP: "phone"}


def _dtmf_relay(digit: str, duration_ms: int) -> Callable[[Request], None]:
    def describe(request: Request) -> None:
        request.headers.add("Content-Type", "application/dtmf-relay")
        request.body = f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()

    return describe
