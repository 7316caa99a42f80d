"""How an attempt goes out, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass

from outdial.domain.call import AttemptOutcome
from outdial.domain.retry_policy import RetryDecision
from outdial.telephony.trunk import Trunk


@dataclass(frozen=True, slots=True)
class Route:
    """How this call goes out."""

    trunk: Trunk
    caller_name: str
    ring_timeout_s: float
    detour: str | None = None
    """Why it does not go by the first trunk of its bridge, as a sentence; None if it does."""
    on_taken: Callable[[], None] = lambda: None
    """To be called when the trunk has taken the call: it rings, or is answered."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an attempt."""

    outcome: AttemptOutcome
    decision: RetryDecision
    retry_after_s: int | None = None
    """The trunk's own wish before the next call (RFC 3261 §20.33)."""
