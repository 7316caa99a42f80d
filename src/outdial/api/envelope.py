"""What every request has to be and every answer carries, whatever endpoint it is about."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outdial.api import notes
from outdial.api.permissions import PREFIX
from outdial.api.request_rate import rate_headers

_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_OF_THE_API = [
    *_ALWAYS,
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_NUL = "A path or query may not hold a NUL character."


class Envelope:
    """Plain ASGI middleware: security headers, the state of the rate limit, and no NUL in an address.

    No database takes a NUL in a text; saying so once, here, is surer than at each parameter. There are no
    CORS headers: a page of another origin cannot read an answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 422."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes.begin()
        is_api = scope["path"].startswith(PREFIX)
        added = _OF_THE_API if is_api else _ALWAYS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added, *rate_headers(scope)]
            await send(message)

        if is_api and ("\x00" in scope["path"] or b"%00" in scope["query_string"]):
            await _refuse(send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


async def _refuse(send: Send) -> None:
    body = json.dumps({"status": 422, "message": _NUL, "errors": {}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 422, "headers": headers})
    await send({"type": "http.response.body", "body": body})
