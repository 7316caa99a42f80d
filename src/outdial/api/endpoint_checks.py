"""What the API needs to know about webhooks' endpoints, as a protocol: it never sends anything itself."""

from collections.abc import Mapping
from typing import Protocol

from outdial.storage.webhooks import Webhook


class EndpointChecks(Protocol):
    """`webhooks.endpoint_checks.EndpointChecks` is one. The checks raise InvalidInput with a sentence."""

    def new_secret(self) -> str:
        """Return a random secret."""
        ...

    def new_code(self) -> str:
        """Return a random verification code."""
        ...

    def check_uri(self, uri: str) -> None:
        """Refuse an address that a webhook cannot have."""
        ...

    def check_body(self, body: str, body_format: str) -> None:
        """Refuse a body that a webhook cannot have."""
        ...

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Refuse headers that a webhook cannot have."""
        ...

    def check_secret(self, secret: str) -> None:
        """Refuse what cannot be a secret."""
        ...

    async def verify(self, webhook: Webhook) -> str | None:
        """Ask an endpoint for the challenge; why it failed as a sentence, None if it did not."""
        ...
