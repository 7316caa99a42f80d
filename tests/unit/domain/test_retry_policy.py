"""Who is dialled again, when, and at whose expense."""

import pytest

from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import TRUNK_FAULT_DELAYS_MS, Done, Retry, RetryDecision, decide

ENDED_AT = 1_000_000
MINUTE = 60_000


def decided(
    disposition: Disposition,
    reason: EndReason = EndReason.REJECTED,
    sip_code: int | None = None,
    *,
    q850: int | None = None,
    rang: bool = False,
    spent: int = 0,
    faults: int = 0,
    retries: int = 2,
    interval: int = 5,
) -> RetryDecision:
    return decide(
        disposition,
        reason,
        sip_code,
        q850=q850,
        rang=rang,
        attempts_spent=spent,
        trunk_faults=faults,
        retries=retries,
        interval_minutes=interval,
        ended_at=ENDED_AT,
    )


@pytest.mark.parametrize("disposition", [Disposition.BUSY, Disposition.NOANSWER])
def test_the_callee_is_dialled_again_an_interval_after_the_attempt_ended(disposition: Disposition) -> None:
    again = Retry(ENDED_AT + 5 * MINUTE, spends_attempt=True)
    assert [decided(disposition, spent=spent) for spent in range(4)] == [again, again, Done(), Done()]


def test_without_retries_there_is_one_attempt() -> None:
    assert decided(Disposition.BUSY, retries=0) == Done()


@pytest.mark.parametrize("disposition", [Disposition.ANSWER, Disposition.CANCEL, Disposition.CONGESTION])
@pytest.mark.parametrize("rang", [False, True])
def test_final_outcomes(disposition: Disposition, rang: bool) -> None:
    assert decided(disposition, rang=rang) == Done()


@pytest.mark.parametrize("code", [603, 607, 608])
def test_who_declined_is_left_alone(code: int) -> None:
    assert decided(Disposition.BUSY, sip_code=code) == Done()


def test_who_declined_behind_a_gateway_is_left_alone() -> None:
    assert decided(Disposition.BUSY, sip_code=403, q850=21) == Done()


def test_busy_everywhere_may_be_dialled_again() -> None:
    assert isinstance(decided(Disposition.BUSY, sip_code=600), Retry)


def test_a_trunk_fault_spends_nothing_and_cannot_spin() -> None:
    ladder = [Retry(ENDED_AT + delay, spends_attempt=False) for delay in TRUNK_FAULT_DELAYS_MS]
    for retries in (0, 2):
        got = [
            decided(Disposition.CHANUNAVAIL, sip_code=503, faults=faults, retries=retries)
            for faults in range(len(ladder) + 2)
        ]
        assert got == [*ladder, Done(), Done()]


def test_a_trunk_fault_after_ringing_spends_an_attempt() -> None:
    assert decided(Disposition.CHANUNAVAIL, sip_code=503, rang=True) == Retry(
        ENDED_AT + 5 * MINUTE, spends_attempt=True
    )
    assert decided(Disposition.CHANUNAVAIL, sip_code=503, rang=True, spent=2) == Done()


def test_our_shutdown_is_like_a_trunk_fault() -> None:
    quiet = decided(Disposition.CANCEL, EndReason.SHUTDOWN)
    assert quiet == Retry(ENDED_AT + TRUNK_FAULT_DELAYS_MS[0], spends_attempt=False)
    assert decided(Disposition.CANCEL, EndReason.SHUTDOWN, rang=True) == Retry(
        ENDED_AT + 5 * MINUTE, spends_attempt=True
    )
    assert decided(Disposition.CANCEL, EndReason.SHUTDOWN, rang=True, retries=0) == Done()
    assert decided(Disposition.ANSWER, EndReason.SHUTDOWN) == Done()


@pytest.mark.parametrize(
    "reason", [EndReason.SOUND_MISSING, EndReason.AUDIO_UNAVAILABLE, EndReason.INTERRUPTED]
)
def test_what_a_redial_cannot_mend_or_must_not_risk(reason: EndReason) -> None:
    assert decided(Disposition.CHANUNAVAIL, reason) == Done()
