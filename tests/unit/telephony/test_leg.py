"""A leg against a far end that floods it, and how long it may talk."""

import asyncio

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.session.events import Failed, FailureCause, InfoReceived
from outdial.telephony.dial_failure import not_answered
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import LegRequest
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk


async def test_digits_without_end_are_not_all_kept():
    leg = Leg(None, None, None, Trace(lambda: 0))
    for _ in range(5_000):
        leg._on_session(InfoReceived("application/dtmf-relay", b"Signal=5\r\n"))
    assert len(leg.digits) == 1_000


def test_a_reason_phrase_is_kept_as_text_that_every_database_takes():
    failed = Failed(FailureCause.REJECTED, 503, "No\x00 way\x1b[31m " + "x" * 5_000)
    result = not_answered(failed, None)
    assert result.reason is EndReason.REJECTED
    assert result.sip_reason.startswith("No way [31m xxx")
    assert len(result.sip_reason) <= 255


def test_a_far_end_that_hung_up_has_picked_up():
    result = not_answered(Failed(FailureCause.HUNG_UP, picked_up=True), None)
    assert result.picked_up
    assert (result.reason, result.hangup_by) == (EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)


@pytest.mark.parametrize(
    ("paid_s", "longest_s", "reason"),
    [
        (None, 600.0, EndReason.MAX_DURATION),
        (600.0, 600.0, EndReason.MAX_DURATION),
        (599.7, 599.7, EndReason.CREDIT_USED_UP),
        (0.0, 0.0, EndReason.CREDIT_USED_UP),
    ],
)
async def test_the_shorter_of_the_trunk_s_limit_and_the_credit_ends_the_talk(paid_s, longest_s, reason):
    trunk = Trunk(name="t", host="192.0.2.1", max_call_s=600)
    request = LegRequest(trunk=trunk, caller_number="1", to="2", sip_call_id="c", max_talk_s=paid_s)
    leg = Leg(None, None, request, Trace(lambda: 0))
    loop = asyncio.get_running_loop()
    before = loop.time()
    timer = leg._limit_talk()
    assert before + longest_s <= timer.when() <= loop.time() + longest_s
    leg._finish(*timer._args)
    timer.cancel()
    assert (await leg.ended).reason is reason
