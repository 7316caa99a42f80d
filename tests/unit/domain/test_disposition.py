"""Every final code, refined by every cause that we know."""

import pytest

from outdial.domain.disposition import Disposition, EndReason, classify

ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL = Disposition

BY_CODE = {
    **dict.fromkeys((486, 600, 603, 607, 608), BUSY),
    **dict.fromkeys((408, 480), NOANSWER),
    **dict.fromkeys((404, 410, 484, 485, 604), CONGESTION),
}

BY_CAUSE = {
    **dict.fromkeys((17, 21), BUSY),
    **dict.fromkeys((18, 19, 20, 27), NOANSWER),
    **dict.fromkeys((1, 3, 22, 28), CONGESTION),
    **dict.fromkeys((2, 34, 38, 41, 42, 44, 47, 50, 57, 58, 63, 65, 79, 88, 102, 111), CHANUNAVAIL),
}

NEUTRAL = [None, *(cause for cause in range(128) if cause not in BY_CAUSE)]


@pytest.mark.parametrize("code", range(300, 700))
def test_each_final_code(code: int) -> None:
    by_code = BY_CODE.get(code, CHANUNAVAIL)
    for cause in NEUTRAL:
        assert _rejected(code, cause) is by_code, cause
    for cause, refined in BY_CAUSE.items():
        assert _rejected(code, cause) is (refined if code < 600 else by_code), cause


def _rejected(code: int, cause: int | None) -> Disposition:
    return classify(answered=False, reason=EndReason.REJECTED, sip_code=code, q850=cause)


@pytest.mark.parametrize("reason", EndReason)
def test_whoever_picked_up_has_answered(reason: EndReason) -> None:
    assert classify(answered=True, reason=reason, sip_code=486, q850=17) is ANSWER


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (EndReason.CANCELLED, CANCEL),
        (EndReason.SHUTDOWN, CANCEL),
        (EndReason.RING_TIMEOUT, NOANSWER),
        (EndReason.NO_RESPONSE, CHANUNAVAIL),
        (EndReason.TRANSPORT_FAILED, CHANUNAVAIL),
        (EndReason.AUTHENTICATION_FAILED, CHANUNAVAIL),
        (EndReason.INCOMPATIBLE_MEDIA, CHANUNAVAIL),
        (EndReason.SOUND_MISSING, CHANUNAVAIL),
        (EndReason.AUDIO_UNAVAILABLE, CHANUNAVAIL),
        (EndReason.NO_MEDIA_PORT, CHANUNAVAIL),
        (EndReason.MEDIA_WORKER_LOST, CHANUNAVAIL),
        (EndReason.INTERRUPTED, CHANUNAVAIL),
        (EndReason.INTERNAL_ERROR, CHANUNAVAIL),
        (EndReason.REJECTED, CHANUNAVAIL),
    ],
)
def test_reasons_without_a_code(reason: EndReason, expected: Disposition) -> None:
    assert classify(answered=False, reason=reason, sip_code=None, q850=None) is expected


def test_our_own_cancel_counts_and_not_the_487_that_confirms_it() -> None:
    assert classify(answered=False, reason=EndReason.CANCELLED, sip_code=487, q850=None) is CANCEL
    assert classify(answered=False, reason=EndReason.RING_TIMEOUT, sip_code=487, q850=16) is NOANSWER
