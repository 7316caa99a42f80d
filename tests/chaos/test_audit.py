"""The audit finds each kind of broken promise: a witness who never objects would prove nothing."""

from dataclasses import replace
from typing import Any

import pytest

from outdial.domain.call import Attempt, AttemptOutcome, AttemptState, Call, CallState, Cdr
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.sandbox.heard import Heard
from tests.chaos.audit import audit, not_as_expected
from tests.chaos.far_end import Witness
from tests.chaos.ledger import Entry

NUMBER, CALL_ID, SIP = "12025550100", "call:1", "sip-1"

OUTCOME = AttemptOutcome(
    disposition=Disposition.ANSWER,
    reason=EndReason.COMPLETED,
    hangup_by=HangupBy.SYSTEM,
    dialing_at=10,
    ringing_at=20,
    answered_at=30,
    ended_at=40,
    sip_call_id=SIP,
    sip_code=200,
)
UNKNOWN = replace(
    OUTCOME,
    disposition=Disposition.CHANUNAVAIL,
    reason=EndReason.INTERRUPTED,
    ringing_at=None,
    answered_at=None,
    sip_call_id=None,
    sip_code=None,
)
BUSY = replace(
    OUTCOME, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None, sip_code=486
)
CALL = Call(
    id=CALL_ID,
    account_id=1,
    bridge="12025550199",
    trunk_id=1,
    to=NUMBER,
    submitted_at=1,
    due_at=1,
    retries=1,
    state=CallState.DONE,
    attempts_started=1,
    attempts_spent=1,
    trunk_faults=0,
    cancel_requested_at=None,
    disposition=Disposition.ANSWER,
    reason=EndReason.COMPLETED,
    done_at=40,
)
ANSWERED = Heard(
    number=NUMBER,
    caller="12025550199",
    call_id=SIP,
    outcome="answered",
    invited_at=15,
    answered_after_ms=15,
    first_sound_ms=1,
)


def entry(*outcomes: AttemptOutcome, **changes: Any) -> Entry:
    """A call whose rows agree with each other."""
    last = outcomes[-1]
    call = replace(
        CALL,
        attempts_started=len(outcomes),
        attempts_spent=len(outcomes),
        disposition=last.disposition,
        reason=last.reason,
    )
    tries = [
        Attempt(
            call_id=CALL_ID,
            number=number,
            fence=number,
            dialer_id="dialer",
            state=AttemptState.ENDED,
            claimed_at=5 if number == 1 else 50,
            dialing_at=outcome.dialing_at,
            ringing_at=outcome.ringing_at,
            answered_at=outcome.answered_at,
            ended_at=outcome.ended_at,
        )
        for number, outcome in enumerate(outcomes, start=1)
    ]
    records = [
        Cdr(call_id=CALL_ID, number=number, dialer_id="dialer", outcome=outcome)
        for number, outcome in enumerate(outcomes, start=1)
    ]
    return replace(Entry(call, None, tries, records), **changes)


def found(
    ledger: Entry | None, called: tuple[str, ...] = (SIP,), heard: tuple[Heard, ...] = (ANSWERED,)
) -> str:
    rows = {} if ledger is None else {CALL_ID: ledger}
    return "; ".join(audit({NUMBER: CALL_ID}, rows, Witness({NUMBER: list(called)}, {NUMBER: list(heard)})))


SECOND = replace(OUTCOME, sip_call_id="sip-2", dialing_at=51, ringing_at=52, answered_at=53, ended_at=60)
ANSWERED_SECOND = replace(ANSWERED, call_id="sip-2")


def test_what_is_right_is_left_alone() -> None:
    assert found(entry(OUTCOME)) == ""
    assert found(entry(BUSY, SECOND), (SIP, "sip-2"), (ANSWERED_SECOND,)) == ""
    assert found(entry(UNKNOWN), ("any",), ()) == ""  # the INVITE left, nobody knows its Call-ID
    assert found(entry(UNKNOWN), (), ()) == ""  # it did not leave
    challenged = replace(BUSY, reason=EndReason.SHUTDOWN, ringing_at=None, sip_code=401)
    assert found(entry(challenged), (), ()) == ""


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (None, "accepted and lost"),
        (replace(entry(OUTCOME), call=replace(CALL, state=CallState.QUEUED)), "is queued, not done"),
        (entry(OUTCOME, dialer_id="dialer"), "is still leased to dialer"),
        (
            entry(OUTCOME, attempts=[replace(entry(OUTCOME).attempts[0], state=AttemptState.RINGING)]),
            "has attempts ['ringing']",
        ),
        (entry(OUTCOME, attempts=[]), "has attempts [], but started 1"),
        (entry(OUTCOME, cdrs=[]), "has CDRs [] of attempts [1]"),
        (replace(entry(OUTCOME), call=replace(CALL, attempts_spent=2)), "spent 2 + 0 attempts, has 1 CDRs"),
        (replace(entry(OUTCOME), call=replace(CALL, attempts_spent=3)), "spent 3 attempts of 2"),
        (
            entry(OUTCOME, attempts=[replace(entry(OUTCOME).attempts[0], answered_at=None)]),
            "attempt 1 says (10, 20, None, 40), its CDR (10, 20, 30, 40)",
        ),
        (
            replace(entry(OUTCOME), call=replace(CALL, disposition=Disposition.BUSY)),
            "is BUSY completed, its last CDR ANSWER completed",
        ),
        (entry(OUTCOME, SECOND), "was dialled again after the answer of attempt 1"),
        (entry(UNKNOWN, SECOND), "was dialled again after attempt 1, whose outcome is unknown"),
        (
            entry(replace(BUSY, ended_at=55), SECOND),
            "attempt 2 began before attempt 1 ended",
        ),
    ],
)
def test_a_database_that_contradicts_itself_is_found_out(broken: Entry | None, sentence: str) -> None:
    assert sentence in found(broken)


@pytest.mark.parametrize(
    ("ledger", "called", "heard", "sentence"),
    [
        (entry(OUTCOME), (SIP, SIP), (ANSWERED,), "was called 2 times, 1 attempts were dialled"),
        (entry(OUTCOME), ("stray",), (), "was called by ['stray'], which no attempt knows"),
        (entry(OUTCOME), (), (), "attempt 1 has an answer of a phone that was never called"),
        (entry(BUSY, SECOND), (SIP, "sip-2"), (ANSWERED, ANSWERED_SECOND), "picked up 2 times"),
        (entry(BUSY, BUSY), (SIP, "sip-2"), (ANSWERED,), "was called again after the callee had picked up"),
        (entry(BUSY), (SIP,), (ANSWERED,), "disagree about whether it was answered"),
        (entry(OUTCOME), (SIP,), (), "disagree about whether it was answered"),
        (entry(UNKNOWN), (SIP,), (ANSWERED,), "heard the announcement before the answer was on disk"),
    ],
)
def test_a_far_end_that_saw_something_else_is_believed(
    ledger: Entry, called: tuple[str, ...], heard: tuple[Heard, ...], sentence: str
) -> None:
    assert sentence in found(ledger, called, heard)


def test_what_a_phone_hears_after_the_end_of_its_dialer_was_not_for_it() -> None:
    stray = replace(ANSWERED, first_sound_ms=5_000)
    assert found(entry(UNKNOWN), (SIP,), (stray,)) == ""


def test_an_unexpected_end_is_told_from_a_disturbance() -> None:
    answer, busy = ("ANSWER", "completed"), ("BUSY", "rejected")
    crash = frozenset({EndReason.INTERRUPTED})
    assert not_as_expected(entry(OUTCOME), answer, 1, disturbances=crash) == []
    assert not_as_expected(entry(UNKNOWN), answer, 1, disturbances=crash) == []
    assert not_as_expected(entry(BUSY, BUSY), busy, 2, disturbances=crash) == []
    assert not_as_expected(entry(BUSY, UNKNOWN), busy, 2, disturbances=crash) == []
    late = replace(BUSY, disposition=Disposition.NOANSWER, reason=EndReason.RING_TIMEOUT)
    assert not_as_expected(entry(late, BUSY), busy, 2, disturbances=crash) == []
    assert not_as_expected(entry(late), answer, 1, disturbances=crash) == []
    assert not_as_expected(entry(UNKNOWN), answer, 1, disturbances=frozenset()) != []
    assert not_as_expected(entry(BUSY), busy, 2, disturbances=crash) != []
    assert not_as_expected(entry(BUSY), answer, 1, disturbances=crash) != []
