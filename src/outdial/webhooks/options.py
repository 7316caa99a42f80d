"""How much is sent at once, and how long an endpoint may fail."""

from dataclasses import dataclass

_HOUR_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Bounds of deliveries."""

    timeout_s: float = 10.0
    """For one request, from the name's look-up to the end of the answer."""
    per_endpoint: int = 10
    """Requests at once to one endpoint, by one process."""
    max_concurrent: int = 500
    """Requests at once in one process, to all endpoints."""
    off_after_ms: int = 72 * _HOUR_MS
    """An endpoint that took nothing for so long is switched off."""
    keep_ms: int = 30 * 24 * _HOUR_MS
    """How long ended events and the log of their deliveries are kept."""
    poll_s: float = 15.0
    """How often to look without having been woken."""
    public_url: str = ""
    """How others reach the API, without a slash at its end; empty: events name paths."""
    drain_s: float = 10.0
    """At a stop, requests under way may go on for this long."""
