"""The HTTP client as this package needs it: `outdial.egress` has it, a test may script it."""

from typing import Protocol

from outdial.egress.message import Answer, EgressRequest


class HttpClient(Protocol):
    """Asks customers' URLs. `egress.client.EgressClient` is one."""

    async def fetch(self, request: EgressRequest, *, most_bytes: int) -> Answer:
        """Send a request and read at most `most_bytes` of the answer. Raises EgressError."""
        ...
