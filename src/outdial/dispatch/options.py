"""What the composition root may set about dispatching."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOptions:
    """How a dialer holds its calls, and how it lets go. Durations are seconds."""

    lease_s: float = 60.0
    """A dialer that does not renew its lease for this long has lost all of its calls."""
    drain_s: float = 30.0
    """At a stop, calls in progress may go on for this long."""
    poll_s: float = 2.0
    """How often it looks by itself, in case a wake-up was lost."""
