"""A leg against a far end that floods it."""

from outdial.domain.disposition import EndReason
from outdial.sip.session.events import Failed, FailureCause, InfoReceived
from outdial.telephony.leg import Leg, _not_answered
from outdial.telephony.trace import Trace


async def test_digits_without_end_are_not_all_kept():
    leg = Leg(None, None, None, Trace(lambda: 0))
    for _ in range(5_000):
        leg._on_session(InfoReceived("application/dtmf-relay", b"Signal=5\r\n"))
    assert len(leg.digits) == 1_000


def test_a_reason_phrase_is_kept_as_text_that_every_database_takes():
    failed = Failed(FailureCause.REJECTED, 503, "No\x00 way\x1b[31m " + "x" * 5_000)
    result = _not_answered(failed, None)
    assert result.reason is EndReason.REJECTED
    assert result.sip_reason.startswith("No way [31m xxx")
    assert len(result.sip_reason) <= 255
