"""From a phone's script to its cues: what it does, and how long after the INVITE or the answer."""

from dataclasses import dataclass
from enum import Enum

from outdial.sandbox.phone import Phone


class Move(Enum):
    """One thing that a phone does by itself."""

    RING = "send 180"
    EARLY_MEDIA = "send 183 with SDP and speak"
    RING_AGAIN = "send 180 again"
    DECIDE = "answer, or refuse"
    PRESS = "press the keys"
    HOLD = "re-INVITE to hold"
    RESUME = "re-INVITE back from hold"
    REFRESH = "re-INVITE without a change"
    HANG_UP = "send BYE"
    LISTEN = "send BYE if the caller's RTP has stopped"


@dataclass(frozen=True, slots=True)
class Cue:
    """A move and its time."""

    after_s: float
    move: Move


def before_the_answer(phone: Phone) -> list[Cue]:
    """The cues that count from the INVITE, in the order of their times."""
    return _in_order(
        (phone.ring_after_s, Move.RING),
        (phone.early_media_after_s, Move.EARLY_MEDIA),
        (phone.ring_again_after_s, Move.RING_AGAIN),
        (phone.answer_after_s, Move.DECIDE),
    )


def on_the_call(phone: Phone) -> list[Cue]:
    """The cues that count from the ACK, in the order of their times."""
    resume_after_s = None if phone.hold_after_s is None else phone.hold_after_s + phone.hold_for_s
    return _in_order(
        (phone.digits_after_s if phone.digits else None, Move.PRESS),
        (phone.hold_after_s, Move.HOLD),
        (resume_after_s, Move.RESUME),
        (phone.refresh_after_s, Move.REFRESH),
        (phone.hang_up_after_s, Move.HANG_UP),
        (phone.gives_up_after_s, Move.LISTEN),
    )


def _in_order(*moves: tuple[float | None, Move]) -> list[Cue]:
    cues = [Cue(after_s, move) for after_s, move in moves if after_s is not None]
    return sorted(cues, key=lambda cue: cue.after_s)
