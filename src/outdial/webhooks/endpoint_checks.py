"""What the API asks about an endpoint before it stores it, and the challenge afterwards."""

import json
import re
import secrets
from collections.abc import Callable, Mapping

from outdial.egress.message import check_headers
from outdial.egress.urls import parse_target
from outdial.errors import EgressRefused, InvalidInput
from outdial.storage.webhooks import Webhook
from outdial.templates import template
from outdial.webhooks import signing
from outdial.webhooks.client import HttpClient
from outdial.webhooks.request import FORM
from outdial.webhooks.sending import Clock
from outdial.webhooks.verification import verify

_ORIGIN = re.compile(r"(?i)https?://[^/?#{}\s]+(?=[/?#]|$)")
_KEY_BYTES = 24
_OWN_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature", "content-type"})


class EndpointChecks:
    """Judges addresses, bodies, headers and secrets, and asks endpoints for the challenge."""

    def __init__(
        self,
        client: HttpClient,
        clock: Clock,
        *,
        timeout_s: float,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._client = client
        self._clock = clock
        self._timeout_s = timeout_s
        self._random_bytes = random_bytes

    def new_secret(self) -> str:
        """Return a random secret, 192 bits as Standard Webhooks recommends."""
        return signing.new_secret(self._random_bytes(_KEY_BYTES))

    def new_code(self) -> str:
        """Return a random verification code."""
        return self._random_bytes(16).hex()

    def check_uri(self, uri: str) -> None:
        """Raise InvalidInput with a sentence if a webhook cannot have this address.

        Liquid may stand behind the host only: nobody whose data goes into the address may choose where the
        request goes.
        """
        if _ORIGIN.match(uri) is None:
            raise InvalidInput(
                "uri should be an address such as https://example.com/calls;"
                " Liquid may stand behind the host only."
            )
        template.check(uri)
        try:
            parse_target(template.render(uri, {}))
        except EgressRefused as error:
            raise InvalidInput(str(error)) from None

    def check_body(self, body: str, body_format: str) -> None:
        """Raise InvalidInput with a sentence if a webhook cannot have this body."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise InvalidInput(
                'body should be a JSON object whose texts may be Liquid, as in {"number": "{{to}}"}.'
            )
        for text in _texts(value):
            template.check(text)
        nested = [name for name, inner in value.items() if isinstance(inner, dict | list)]
        if body_format == FORM and nested:
            raise InvalidInput(f"The body of a form has one text for each name; {nested[0][:60]} has more.")

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Raise InvalidInput with a sentence if a webhook cannot have these headers."""
        for name in headers:
            if name.lower() in _OWN_HEADERS:
                raise InvalidInput(f"The header {name} is set by the server.")
        try:
            check_headers(headers)
        except EgressRefused as error:
            raise InvalidInput(str(error)) from None

    def check_secret(self, secret: str) -> None:
        """Raise InvalidInput with a sentence if this cannot be a secret: it goes into a header."""
        signing.key_of(secret)
        try:
            check_headers({"Authorization": secret})
        except EgressRefused:
            raise InvalidInput("secret holds a control character.") from None

    async def verify(self, webhook: Webhook) -> str | None:
        """Ask an endpoint for the challenge; why it failed as a sentence, None if it did not."""
        return await verify(
            self._client,
            webhook,
            now_ms=self._clock(),
            timeout_s=self._timeout_s,
            new_token=lambda: self._random_bytes(16).hex(),
        )


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for inner in value.values() for text in _texts(inner)]
        case list():
            return [text for inner in value for text in _texts(inner)]
        case _:
            return []
