"""What the world says to a waiting flow. A step ignores the events that it does not wait for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """A sound was played to its end, or stopped before it."""

    play_id: str
    """Of the ``PlaySound`` that asked for it."""
    played_ms: int
    completed: bool
    """False when it was stopped before its end."""


@dataclass(frozen=True, slots=True)
class PlayFailed:
    """A sound could not be played: it was deleted, or cannot be read."""

    play_id: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    digit: str
    """One of ``0123456789*#ABCD``."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone: the callee hung up, or it failed. The flow ends wherever it was."""

    reason: str
    """The value of an ``EndReason``."""


Event = PlayFinished | PlayFailed | DigitPressed | LegEnded
