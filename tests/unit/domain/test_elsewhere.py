"""Which attempts may be made again by another trunk at once: those that reached nobody, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.call import AttemptOutcome
from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify
from outdial.domain.retry_policy import may_go_elsewhere


def attempt(
    reason: EndReason = EndReason.REJECTED,
    sip_code: int | None = None,
    q850: int | None = None,
    *,
    ringing_at: int | None = None,
    answered: bool = False,
) -> AttemptOutcome:
    return AttemptOutcome(
        disposition=classify(answered=answered, reason=reason, sip_code=sip_code, q850=q850),
        reason=reason,
        hangup_by=HangupBy.NETWORK,
        ended_at=9,
        ringing_at=ringing_at,
        answered_at=5 if answered else None,
        sip_code=sip_code,
        q850=q850,
    )


@pytest.mark.parametrize("code", [401, 402, 403, 407, 500, 501, 502, 503, 504, 505, 513, 580])
def test_what_the_carrier_says_of_itself_or_of_us(code: int) -> None:
    assert may_go_elsewhere(attempt(sip_code=code))


@pytest.mark.parametrize(
    "reason", [EndReason.NO_RESPONSE, EndReason.TRANSPORT_FAILED, EndReason.AUTHENTICATION_FAILED]
)
def test_no_way_in(reason: EndReason) -> None:
    assert may_go_elsewhere(attempt(reason))


@pytest.mark.parametrize(("cause", "may"), [(16, False), (17, False), (31, False), (34, True), (41, True)])
def test_a_cause_of_the_callee(cause: int, may: bool) -> None:
    assert may_go_elsewhere(attempt(sip_code=503, q850=cause)) is may


@given(
    st.sampled_from(EndReason),
    st.none() | st.integers(300, 699),
    st.none() | st.integers(0, 127),
    st.booleans(),
    st.booleans(),
)
def test_nobody_who_may_have_noticed_is_called_by_another(
    reason: EndReason,
    sip_code: int | None,
    q850: int | None,
    rang: bool,
    answered: bool,
) -> None:
    made = attempt(reason, sip_code, q850, ringing_at=3 if rang else None, answered=answered)
    if not may_go_elsewhere(made):
        return
    assert not rang
    assert not answered
    assert made.disposition is Disposition.CHANUNAVAIL
    if reason is EndReason.REJECTED:
        assert sip_code is not None
        assert 500 <= sip_code < 600 or sip_code in (401, 402, 403, 407)
        assert q850 is None or q850 >= 32
    else:
        assert reason in (
            EndReason.NO_RESPONSE,
            EndReason.TRANSPORT_FAILED,
            EndReason.AUTHENTICATION_FAILED,
        )
