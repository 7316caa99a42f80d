"""What the world says to a waiting flow. A step ignores the events that it does not wait for.

Every event says when it was: ``at``, Unix milliseconds. It is the flow's only clock.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """A prompt was played to its end, or stopped before it."""

    at: int
    play_id: str
    """Of the ``Play`` that asked for it."""
    played_ms: int
    completed: bool
    """False when it was stopped before its end."""


@dataclass(frozen=True, slots=True)
class PlayFailed:
    """A prompt could not be played: a sound was deleted, cannot be read, or a text cannot be spoken."""

    at: int
    play_id: str
    problem: str = ""
    """A sentence for the flow's author."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    at: int
    digit: str
    """One of ``0123456789*#ABCD``."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time of a ``StartTimer`` is over."""

    at: int
    timer_id: str


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """A recording is over and kept."""

    at: int
    recording_id: str
    duration_ms: int
    reference: str
    """By which the recording can be had: the id or address of it; empty when nothing could be kept."""
    by_silence: bool = False


@dataclass(frozen=True, slots=True)
class HttpAnswered:
    """A server answered, with whatever status."""

    at: int
    request_id: str
    status: int
    body: str
    """Decoded; not longer than the runtime allows."""


@dataclass(frozen=True, slots=True)
class HttpFailed:
    """No answer came that can be used."""

    at: int
    request_id: str
    reason: Literal["timeout", "unreachable", "refused", "too_large", "bad_answer"]
    problem: str = ""
    """A sentence for the flow's author."""


@dataclass(frozen=True, slots=True)
class ConnectAnswered:
    """The other side answered, heard the whisper, and the two legs are joined."""

    at: int
    connect_id: str
    to: str
    """Which of those that were called."""


@dataclass(frozen=True, slots=True)
class ConnectEnded:
    """A ``Connect`` is over, and the callee is alone on the line again."""

    at: int
    connect_id: str
    outcome: Literal["answered", "busy", "no_answer", "failed"]
    """``answered`` when they talked; otherwise how the last of them did not."""
    to: str = ""
    """Who answered."""
    talked_ms: int = 0
    recording: str = ""
    """The reference of the recording, if one was asked for and made."""


@dataclass(frozen=True, slots=True)
class ConferenceLeft:
    """The callee is no longer in the room."""

    at: int
    conference_id: str
    outcome: Literal["left", "ended", "full", "failed"]
    """Taken out by the flow; the room is over; it had no place; it could not be made."""
    stayed_ms: int = 0


@dataclass(frozen=True, slots=True)
class CallbackSet:
    """What became of a ``RequestCallback``."""

    at: int
    callback_id: str
    problem: str = ""
    """Why there will be no callback, as a sentence for the flow's author; empty when there will be one."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone: the callee hung up, or it failed. The flow ends wherever it was."""

    at: int
    reason: str
    """The value of an ``EndReason``."""


Event = (
    PlayFinished
    | PlayFailed
    | DigitPressed
    | TimerFired
    | RecordingFinished
    | HttpAnswered
    | HttpFailed
    | ConnectAnswered
    | ConnectEnded
    | ConferenceLeft
    | CallbackSet
    | LegEnded
)
