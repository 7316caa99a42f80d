from outdial.domain.call import AttemptOutcome
from outdial.domain.disposition import Disposition, EndReason, HangupBy


def outcome(ringing_at: int | None, answered_at: int | None) -> AttemptOutcome:
    return AttemptOutcome(
        disposition=Disposition.ANSWER,
        reason=EndReason.COMPLETED,
        hangup_by=HangupBy.SYSTEM,
        ended_at=1000,
        ringing_at=ringing_at,
        answered_at=answered_at,
    )


def test_ringing_lasts_until_the_answer_or_the_end() -> None:
    assert outcome(100, 400).ring_ms == 300
    assert outcome(100, None).ring_ms == 900
    assert outcome(None, 400).ring_ms == 0


def test_talking_lasts_from_the_answer_to_the_end() -> None:
    assert outcome(100, 400).talk_ms == 600
    assert outcome(100, None).talk_ms == 0


def test_a_clock_that_was_set_back_makes_no_negative_durations() -> None:
    assert outcome(1500, None).ring_ms == 0
    assert outcome(None, 1500).talk_ms == 0
