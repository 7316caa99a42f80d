"""What a flow asks of the leg. Each is done in order; the flow then waits for events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlaySound:
    """Play a stored sound once, then answer with ``PlayFinished`` or ``PlayFailed`` of the same
    ``play_id``."""

    play_id: str
    """Unique in one run of a flow."""
    sound: str
    """The id of the sound."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg. The last action of a run; nothing needs to be answered."""

    result: str
    """How the flow ended, for the record: a word of the flow's author, or one of ``state.py``."""


Action = PlaySound | HangUp
