"""A SIP session that came to nothing, in the words of calls."""

from outdial.domain.disposition import DECLINED_CODES, EndReason, HangupBy
from outdial.sip.session.events import Failed, FailureCause
from outdial.telephony.leg_values import LegEnd, NotAnswered

_LONGEST_REASON = 255
"""Characters of a reason phrase that are kept."""
_REASONS = {
    FailureCause.REJECTED: EndReason.REJECTED,
    FailureCause.NO_RESPONSE: EndReason.NO_RESPONSE,
    FailureCause.TRANSPORT_FAILED: EndReason.TRANSPORT_FAILED,
    FailureCause.AUTHENTICATION_FAILED: EndReason.AUTHENTICATION_FAILED,
    FailureCause.CANCELLED: EndReason.CANCELLED,
    FailureCause.RING_TIMEOUT: EndReason.RING_TIMEOUT,
    FailureCause.HUNG_UP: EndReason.CALLEE_HUNG_UP,
    FailureCause.INCOMPATIBLE_MEDIA: EndReason.INCOMPATIBLE_MEDIA,
}
_SPOKEN_BY_CALLEE = frozenset({480, 486, 600}) | DECLINED_CODES
_OURS = (FailureCause.CANCELLED, FailureCause.RING_TIMEOUT, FailureCause.INCOMPATIBLE_MEDIA)


def not_answered(failed: Failed, end: LegEnd | None) -> NotAnswered:
    """Translate a failed session; where we gave up ourselves, `end` knows why."""
    reason = _REASONS[failed.cause]
    if failed.cause is FailureCause.CANCELLED and end is not None:
        reason = end.reason
    if failed.cause in _OURS:
        hangup_by = HangupBy.SYSTEM
    elif failed.cause is FailureCause.HUNG_UP or failed.status in _SPOKEN_BY_CALLEE:
        hangup_by = HangupBy.CALLEE
    else:
        hangup_by = HangupBy.NETWORK
    return NotAnswered(
        reason=reason,
        hangup_by=hangup_by,
        sip_code=failed.status,
        sip_reason=_printable(failed.reason) or None,
        q850=failed.q850,
        retry_after_s=failed.retry_after_s,
        picked_up=failed.picked_up,
    )


def _printable(text: str) -> str:
    """Return a reason phrase as text that databases, terminals and people can bear."""
    text = text[:_LONGEST_REASON]
    if text.isprintable():
        return text
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
