"""Final failures: what the attempt reports, and the disposition that follows from it."""

import pytest

from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify
from outdial.telephony.leg_values import NotAnswered
from tests.interop.caller import Caller, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

CALLEE, NETWORK = HangupBy.CALLEE, HangupBy.NETWORK
BUSY, NOANSWER = Disposition.BUSY, Disposition.NOANSWER
CONGESTION, CHANUNAVAIL = Disposition.CONGESTION, Disposition.CHANUNAVAIL


@pytest.mark.parametrize(
    ("status", "headers", "hangup_by", "q850", "retry_after_s", "disposition"),
    [
        ("486 Busy Here", "", CALLEE, None, None, BUSY),
        ("600 Busy Everywhere", "", CALLEE, None, None, BUSY),
        ("603 Decline", "", CALLEE, None, None, BUSY),
        ("607 Unwanted", "", CALLEE, None, None, BUSY),
        ("608 Rejected", "", CALLEE, None, None, BUSY),
        ("604 Does Not Exist Anywhere", "", NETWORK, None, None, CONGESTION),
        ("404 Not Found", "", NETWORK, None, None, CONGESTION),
        ("408 Request Timeout", "", NETWORK, None, None, NOANSWER),
        ("480 Temporarily Unavailable", "Retry-After: 18000;duration=3600", CALLEE, None, 18000, NOANSWER),
        ("503 Service Unavailable", "Retry-After: 120 (maintenance)", NETWORK, None, 120, CHANUNAVAIL),
        ("503 Service Unavailable", "Retry-After: soon", NETWORK, None, None, CHANUNAVAIL),
        ("500 Server Internal Error", "", NETWORK, None, None, CHANUNAVAIL),
        ("403 Forbidden", "", NETWORK, None, None, CHANUNAVAIL),
        ("488 Not Acceptable Here", "Warning: 304 far no", NETWORK, None, None, CHANUNAVAIL),
        # Gateways fold many causes into 480 and 503; the Q.850 cause says which one it was (RFC 3326).
        ("503 Service Unavailable", 'Reason: Q.850;cause=1;text="Unallocated"', NETWORK, 1, None, CONGESTION),
        ("480 Unavailable", "Reason: SIP;cause=480, Q.850 ;cause=17 ;text=busy", CALLEE, 17, None, BUSY),
        ("480 Unavailable", "reason: q.850;CAUSE=34", CALLEE, 34, None, CHANUNAVAIL),
        # Redirection only if the trunk allows it, which none does yet: no second INVITE to anybody.
        ("302 Moved Temporarily", "Contact: <sip:other@127.0.0.1:9>", NETWORK, None, None, CHANUNAVAIL),
        (
            "300 Multiple Choices",
            "Contact: <sip:a@127.0.0.1:9>, <sip:b@127.0.0.1:9>",
            *(NETWORK, None, None, CHANUNAVAIL),
        ),
    ],
)
async def test_refusal(
    sipp: StartSipp,
    caller: Caller,
    status: str,
    headers: str,
    hangup_by: HangupBy,
    q850: int | None,
    retry_after_s: int | None,
    disposition: Disposition,
) -> None:
    far_end = await sipp("refuses", keywords={"status": status, "headers": headers})
    result = await refused(caller.leg(far_end))
    code = int(status[:3])
    assert result == NotAnswered(
        reason=EndReason.REJECTED,
        hangup_by=hangup_by,
        sip_code=code,
        sip_reason=status[4:],
        q850=q850,
        retry_after_s=retry_after_s,
    )
    assert classify(answered=False, reason=result.reason, sip_code=code, q850=q850) is disposition
    await far_end.passed()
    assert len(far_end.received("INVITE")) == 1
    assert len(far_end.received("ACK")) == 2, "a repeated failure is acknowledged again (§17.1.1.2)"
