"""One sentence that says what happened to a call, for people who do not read SIP."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from outdial.api.answers import family_time
from outdial.domain.call import Attempt, AttemptOutcome, AttemptState, Call, CallState, Cdr
from outdial.domain.disposition import Disposition, EndReason, HangupBy, is_about_codecs


def explain(
    call: Call, attempts: Sequence[Attempt], cdrs: Sequence[Cdr], *, waits_for: str | None = None
) -> str:
    """Say how far the call came, or how it ended; `attempts` and `cdrs` are in the order of their numbers.

    `waits_for` is a sentence that says what holds a queued call, if something does.
    """
    if call.state is CallState.DONE:
        if not cdrs:
            return _NOT_DIALLED.get(call.reason, "Cancelled before it was dialled.")
        if _was_picked_up_late(call, cdrs):
            return _PICKED_UP_LATE
        tries = f" It was tried {len(cdrs)} times." if len(cdrs) > 1 else ""
        detour = f" {cdrs[-1].outcome.detour}" if cdrs[-1].outcome.detour else ""
        return _ended(cdrs[-1].outcome) + detour + tries + _NO_MORE_TRIES.get(_after_the_last(call, cdrs), "")
    active = [attempt for attempt in attempts if attempt.state is not AttemptState.ENDED]
    if call.state is CallState.LEASED and active:
        return _in_progress(active[-1].state)
    if waits_for is not None:
        return waits_for
    if cdrs:
        at = family_time(call.due_at)
        return f"Waits to be tried again at {at}. The last try: {_ended(cdrs[-1].outcome)}"
    if call.callback_of is not None:
        return "The callee asked to be called again; the call waits for its time, and for its turn."
    return "Waits for its turn to be dialled."


_NOT_DIALLED: Mapping[EndReason | None, str] = {
    EndReason.EXPIRED: "The time until which it was to be dialled is over, so it was not dialled.",
}
_NO_MORE_TRIES: Mapping[EndReason | None, str] = {
    EndReason.EXPIRED: " It was not tried again: the time until which it was to be dialled is over.",
    EndReason.CANCELLED: " It was not tried again: it was cancelled.",
    EndReason.ANSWERED_LATE: " After that somebody picked up; we hung up at once, and it is not tried again.",
}


_PICKED_UP_LATE = (
    "Somebody picked up an earlier try when it was over and the next one had begun; we hung up both at once,"
    " and it is not tried again."
)


def _was_picked_up_late(call: Call, cdrs: Sequence[Cdr]) -> bool:
    """Whether the last try was given up for it."""
    return call.reason is EndReason.ANSWERED_LATE and cdrs[-1].outcome.reason is EndReason.CANCELLED


def _after_the_last(call: Call, cdrs: Sequence[Cdr]) -> EndReason | None:
    """Why the call ended while it waited for another try; None if its last try ended it."""
    return None if call.reason is cdrs[-1].outcome.reason else call.reason


def _in_progress(state: AttemptState) -> str:
    match state:
        case AttemptState.CLAIMED:
            return "A dialer has taken the call and is about to dial."
        case AttemptState.DIALING:
            return "Dialling: the trunk has been asked for the call."
        case AttemptState.RINGING:
            return "The callee's phone is ringing."
        case AttemptState.ANSWERED:
            return "The callee has picked up and is listening."
        case AttemptState.ENDED:
            return "This try has ended."
        case _:
            assert_never(state)


def _ended(outcome: AttemptOutcome) -> str:
    if outcome.answered_at is not None:
        return _after_answer(outcome)
    said = _said(outcome)
    match outcome.disposition:
        case Disposition.BUSY:
            word = "declined the call" if outcome.sip_code in (603, 607, 608) else "was busy"
            return f"The callee {word}{said}."
        case Disposition.NOANSWER if outcome.reason is EndReason.RING_TIMEOUT:
            return f"Nobody picked up within {_seconds(outcome.ring_ms)} of ringing."
        case Disposition.NOANSWER:
            return f"The callee could not be reached{said}."
        case Disposition.CANCEL if outcome.reason is EndReason.SUPPRESSED:
            return "The number is on a list of those that are not called, so it was not dialled."
        case Disposition.CANCEL:
            return "We hung up before the callee picked up, as was asked."
        case Disposition.CONGESTION:
            return f"The trunk does not know the number{said}."
        case Disposition.CHANUNAVAIL | Disposition.ANSWER:
            return _trunk_fault(outcome, said)
        case _:
            assert_never(outcome.disposition)


def _after_answer(outcome: AttemptOutcome) -> str:
    if outcome.reason is EndReason.INTERRUPTED:
        return "The callee picked up; then the dialer was lost, and how the call ended is not known."
    if outcome.reason is EndReason.CALLEE_HUNG_UP and outcome.sip_code is None:
        return (
            "The callee picked up, but the trunk's answer never reached us, and then the trunk hung up:"
            " something on the way drops it, as some firewalls drop large datagrams."
        )
    run = outcome.flow_run
    what = "the announcement" if run is None else f"the flow {run.flow_id}"
    pressed = f" and pressed {outcome.dtmf}" if outcome.dtmf else ""
    result = "" if run is None else f" The result of the flow: {run.result}."
    if outcome.reason is EndReason.MEDIA_WORKER_LOST:  # with it went the count of what it had played
        return (
            f"The callee picked up{pressed}; then a process of ours that sends audio failed, and how much of"
            f" {what} was heard is not known.{result}"
        )
    heard = f"heard {_seconds(outcome.played_ms)} of {what}"
    endings = {
        EndReason.COMPLETED: "then we hung up",
        EndReason.CALLEE_HUNG_UP: "then hung up",
        EndReason.CANCELLED: "then the call was cancelled",
        EndReason.RTP_TIMEOUT: "then no more audio came from the far end, so we hung up",
        EndReason.SESSION_EXPIRED: "then the far end stopped confirming that the call was still there",
        EndReason.MAX_DURATION: "then the longest allowed time of a call was over",
        EndReason.CREDIT_USED_UP: "then the credit that was reserved for the call was used up",
        EndReason.SHUTDOWN: "then the server was shut down",
    }
    ending = endings.get(outcome.reason, f"then it ended: {outcome.reason.replace('_', ' ')}")
    detail = f" {outcome.detail}" if outcome.detail else ""
    return f"The callee picked up, {heard}{pressed}; {ending}.{result}{detail}"


def _trunk_fault(outcome: AttemptOutcome, said: str) -> str:
    if is_about_codecs(outcome.reason, outcome.sip_code):
        why = f" {outcome.detail}" if outcome.detail else ""
        return f"The far end and we have no codec in common{said}.{why}"
    sentences = {
        EndReason.NO_RESPONSE: "The trunk did not answer our request at all.",
        EndReason.TRANSPORT_FAILED: f"The trunk could not be reached: {outcome.sip_reason or _SENT_BACK}.",
        EndReason.AUTHENTICATION_FAILED: f"The trunk did not accept our user name and password{said}.",
        EndReason.SOUND_MISSING: "The announcement was deleted before the call was dialled.",
        EndReason.AUDIO_UNAVAILABLE: "The audio could not be used, so the call was not dialled:"
        f" {outcome.detail or 'nothing more is known.'}",
        EndReason.NO_CREDIT: "The account became prepaid after the call was accepted, and no credit was"
        " reserved for it, so it was not dialled: send it again.",
        EndReason.NO_MEDIA_PORT: "All RTP ports were in use, so the call was not dialled.",
        EndReason.MEDIA_WORKER_LOST: "A process of ours that sends audio failed before an answer.",
        EndReason.INTERRUPTED: "The dialer was lost while it dialled; whether it rang is not known.",
        EndReason.INTERNAL_ERROR: "A fault of ours ended the call; the log of the dialer says what.",
    }
    who = "The callee's side" if outcome.hangup_by is HangupBy.CALLEE else "The trunk"
    return sentences.get(outcome.reason, f"{who} could not take the call{said}.")


_SENT_BACK = (
    "the network sent our request back. Either nothing takes SIP at the trunk's address and port, or there is"
    " no way to it"
)


def _said(outcome: AttemptOutcome) -> str:
    if outcome.sip_code is None:
        return ""
    return f" (SIP {outcome.sip_code} {outcome.sip_reason or ''}".rstrip() + ")"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.1f} seconds"


def waits_for_audio(host: str, problem: str | None) -> str:
    """The sentence for a call whose audio is being fetched; `problem` is what went wrong the last time."""
    if problem is None:
        return f"Waits for its audio to be fetched from {host}."
    return f"Waits for its audio, which will be tried again: {problem}"


def waits_for_speech(problem: str | None) -> str:
    """The sentence for a call whose text is being spoken; `problem` is what went wrong the last time."""
    if problem is None:
        return "Waits for its text to be spoken."
    return f"Waits for its text to be spoken, which will be tried again: {problem}"
