"""An attempt while it runs: whose it is, what is known of it, and the outcome that this makes."""

from dataclasses import dataclass

from outdial.dispatch.attempt_values import Route
from outdial.dispatch.control import CallControl
from outdial.dispatch.conversation import Conversation
from outdial.dispatch.phones import Phone
from outdial.dispatch.ports import Clock
from outdial.dispatch.recordings import Kept
from outdial.domain.call import AttemptOutcome, Call, Lease, MediaQuality
from outdial.domain.disposition import EndReason, HangupBy, classify
from outdial.telephony.leg_values import Answered, LegEnd, NotAnswered

_WITH_DETAIL = frozenset({EndReason.AUDIO_UNAVAILABLE, EndReason.REJECTED, EndReason.INCOMPATIBLE_MEDIA})


@dataclass(slots=True)
class RunningAttempt:
    """Times are Unix milliseconds by the clock of the attempt; None is what has not happened."""

    call: Call
    route: Route
    control: CallControl
    clock: Clock
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
    phone: Phone | None = None
    conversation: Conversation | None = None

    @property
    def lease(self) -> Lease:
        """By which everything about it is written."""
        return self.control.lease

    def not_answered(self, result: NotAnswered, now: int) -> None:
        """Note how dialling ended; `now` is when somebody picked up who could not be talked to."""
        self.reason, self.hangup_by = result.reason, result.hangup_by
        self.sip_code, self.sip_reason, self.q850 = result.sip_code, result.sip_reason, result.q850
        self.retry_after_s = result.retry_after_s
        if result.picked_up:
            self.answered_at = now

    def answered(self, answer: Answered, now: int) -> None:
        """Note that somebody picked up."""
        self.answered_at = now
        self.codec, self.ptime_ms = answer.codec, answer.ptime_ms
        self.sip_code, self.sip_reason = 200, "OK"

    def ended(self, end: LegEnd) -> None:
        """Note how the leg ended that was answered."""
        self.reason, self.hangup_by, self.q850 = end.reason, end.hangup_by, end.q850

    def failed(self) -> None:
        """Note a fault of ours.

        After the INVITE nobody knows what the callee noticed, so such a call must not be dialled again.
        """
        unknown = self.dialing_at is not None and self.answered_at is None
        self.reason = EndReason.INTERRUPTED if unknown else EndReason.INTERNAL_ERROR
        self.hangup_by = HangupBy.SYSTEM

    def outcome(
        self, ended_at: int, *, quality: MediaQuality | None = None, kept: Kept | None = None
    ) -> AttemptOutcome:
        """What the records say of it; `kept` is its recording."""
        answered = self.answered_at is not None
        return AttemptOutcome(
            disposition=classify(
                answered=answered, reason=self.reason, sip_code=self.sip_code, q850=self.q850
            ),
            reason=self.reason,
            hangup_by=self.hangup_by,
            ended_at=ended_at,
            dialing_at=self.dialing_at,
            ringing_at=self.ringing_at,
            answered_at=self.answered_at,
            sip_call_id=self.sip_call_id,
            sip_code=self.sip_code,
            sip_reason=self.sip_reason,
            q850=self.q850,
            dtmf="" if self.phone is None else self.phone.digits,
            codec=self.codec,
            ptime_ms=self.ptime_ms,
            played_ms=0 if self.conversation is None else self.conversation.played_ms,
            recording_key=None if kept is None else kept.key,
            recorded_ms=0 if kept is None else kept.duration_ms,
            quality=quality if answered else None,
            flow_run=None if self.conversation is None else self.conversation.left_behind(),
            trunk=self.route.trunk.name,
            detour=self.route.detour,
            detail=self.detail if answered or self.reason in _WITH_DETAIL else None,
        )
