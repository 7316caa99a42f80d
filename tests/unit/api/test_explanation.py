"""Every way in which a call can end has a sentence of its own."""

from dataclasses import replace
from typing import Any

import pytest

from outdial.api.explanation import explain
from outdial.domain.call import AttemptOutcome, Call, CallState, Cdr
from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify


def _call(state: CallState) -> Call:
    return Call(
        id="x:1",
        account_id=1,
        bridge="1",
        trunk_id=1,
        to="2",
        submitted_at=0,
        due_at=0,
        state=state,
        attempts_started=1,
        attempts_spent=1,
        trunk_faults=0,
        cancel_requested_at=None,
        disposition=None,
        reason=None,
        done_at=None,
    )


def _explain(outcome: AttemptOutcome) -> str:
    call = replace(_call(CallState.DONE), reason=outcome.reason)
    return explain(call, [], [Cdr(call_id="x:1", number=1, dialer_id="d", outcome=outcome)])


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("reason", list(EndReason))
def test_every_reason_has_a_whole_sentence(reason: EndReason, answered: bool) -> None:
    outcome = AttemptOutcome(
        disposition=classify(answered=answered, reason=reason, sip_code=None, q850=None),
        reason=reason,
        hangup_by=HangupBy.SYSTEM,
        ended_at=10_000,
        answered_at=1_000 if answered else None,
    )
    sentence = _explain(outcome)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "picked up" in sentence or not answered
    assert "_" not in sentence


def test_what_a_dead_media_worker_had_played_is_not_known() -> None:
    outcome = AttemptOutcome(
        disposition=Disposition.ANSWER,
        reason=EndReason.MEDIA_WORKER_LOST,
        hangup_by=HangupBy.SYSTEM,
        ended_at=10_000,
        answered_at=1_000,
        dtmf="1",
    )
    assert _explain(outcome) == (
        "The callee picked up and pressed 1; then a process of ours that sends audio failed, and how much of"
        " the announcement was heard is not known."
    )


def test_a_trunk_that_cannot_be_reached_says_what_is_wrong_where_that_is_known() -> None:
    outcome = AttemptOutcome(
        disposition=Disposition.CHANUNAVAIL,
        reason=EndReason.TRANSPORT_FAILED,
        hangup_by=HangupBy.NETWORK,
        ended_at=10_000,
        sip_reason="the name 'sip.example' cannot be resolved: Name or service not known",
    )
    assert _explain(outcome) == (
        "The trunk could not be reached: the name 'sip.example' cannot be resolved: Name or service not"
        " known."
    )
    assert _explain(replace(outcome, sip_reason=None)) == (
        "The trunk could not be reached: the network sent our request back. Either nothing takes SIP at the"
        " trunk's address and port, or there is no way to it."
    )


def test_an_answer_that_was_lost_on_the_way_says_so() -> None:
    outcome = AttemptOutcome(
        disposition=Disposition.ANSWER,
        reason=EndReason.CALLEE_HUNG_UP,
        hangup_by=HangupBy.CALLEE,
        ended_at=10_000,
        answered_at=10_000,
    )
    assert "answer never reached us" in _explain(outcome)
    assert "then hung up." in _explain(replace(outcome, sip_code=200))


@pytest.mark.parametrize(
    ("code", "phrase", "words"),
    [
        (486, "Busy Here", "The callee was busy (SIP 486 Busy Here)."),
        (603, "Decline", "The callee declined the call (SIP 603 Decline)."),
        (480, "", "The callee could not be reached (SIP 480)."),
        (404, "Not Found", "The trunk does not know the number (SIP 404 Not Found)."),
        (488, "", "The far end and we have no codec in common (SIP 488)."),
        (606, "", "The far end and we have no codec in common (SIP 606)."),
        (503, "Service Unavailable", "The trunk could not take the call (SIP 503 Service Unavailable)."),
    ],
)
def test_refusals_name_the_code(code: int, phrase: str, words: str) -> None:
    outcome = AttemptOutcome(
        disposition=classify(answered=False, reason=EndReason.REJECTED, sip_code=code, q850=None),
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.NETWORK,
        ended_at=1,
        sip_code=code,
        sip_reason=phrase,
    )
    assert _explain(outcome) == words


@pytest.mark.parametrize(("reason", "code"), [(EndReason.REJECTED, 488), (EndReason.INCOMPATIBLE_MEDIA, 200)])
def test_codecs_that_were_not_offered_are_told(reason: EndReason, code: int) -> None:
    outcome = AttemptOutcome(
        disposition=classify(answered=False, reason=reason, sip_code=code, q850=None),
        reason=reason,
        hangup_by=HangupBy.NETWORK,
        ended_at=1,
        sip_code=code,
        detail="It was offered little.",
    )
    assert _explain(outcome) == (
        f"The far end and we have no codec in common (SIP {code}). It was offered little."
    )


def test_a_ring_timeout_names_the_time() -> None:
    outcome = AttemptOutcome(
        disposition=Disposition.NOANSWER,
        reason=EndReason.RING_TIMEOUT,
        hangup_by=HangupBy.SYSTEM,
        ringing_at=1_000,
        ended_at=31_000,
        sip_code=487,
    )
    assert _explain(outcome) == "Nobody picked up within 30.0 seconds of ringing."


def test_audio_that_could_not_be_used_is_explained_by_its_detail() -> None:
    outcome = AttemptOutcome(
        disposition=Disposition.CHANUNAVAIL,
        reason=EndReason.AUDIO_UNAVAILABLE,
        hangup_by=HangupBy.SYSTEM,
        ended_at=10_000,
        detail="example.com answered HTTP 404 (Not Found).",
    )
    assert _explain(outcome) == (
        "The audio could not be used, so the call was not dialled: example.com answered HTTP 404 (Not Found)."
    )


def _busy(**changes: Any) -> Cdr:
    busy = AttemptOutcome(
        disposition=Disposition.BUSY,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        ended_at=1,
        sip_code=486,
    )
    return Cdr(call_id="x:1", number=1, dialer_id="d", outcome=replace(busy, **changes))


@pytest.mark.parametrize(
    ("reason", "cdrs", "words"),
    [
        (EndReason.CANCELLED, [], "Cancelled before it was dialled."),
        (EndReason.EXPIRED, [], "The time until which it was to be dialled is over, so it was not dialled."),
        (
            EndReason.EXPIRED,
            [_busy()],
            "The callee was busy (SIP 486). It was not tried again: the time until which it was to be dialled"
            " is over.",
        ),
        (
            EndReason.CANCELLED,
            [_busy()],
            "The callee was busy (SIP 486). It was not tried again: it was cancelled.",
        ),
        (
            EndReason.ANSWERED_LATE,
            [_busy()],
            "The callee was busy (SIP 486). After that somebody picked up; we hung up at once, and it is not"
            " tried again.",
        ),
        (
            EndReason.ANSWERED_LATE,
            [_busy(), _busy(disposition=Disposition.CANCEL, reason=EndReason.CANCELLED, sip_code=487)],
            "Somebody picked up an earlier try when it was over and the next one had begun; we hung up both"
            " at once, and it is not tried again.",
        ),
        (EndReason.REJECTED, [_busy()], "The callee was busy (SIP 486)."),
    ],
)
def test_what_ends_a_call_that_waits_is_said(reason: EndReason, cdrs: list[Cdr], words: str) -> None:
    assert explain(replace(_call(CallState.DONE), reason=reason), [], cdrs) == words


def test_why_it_did_not_go_by_the_first_trunk_is_told() -> None:
    why = "It went by the trunk second, not by first: it is switched off."
    outcome = AttemptOutcome(
        disposition=Disposition.BUSY,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        ended_at=10,
        sip_code=486,
        trunk="second",
        detour=why,
    )
    assert _explain(outcome) == f"The callee was busy (SIP 486). {why}"
