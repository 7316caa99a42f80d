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
_FOR_THE_LOG = ("route", "outdial.account")
_NUL = "A path or query may not hold a NUL character."


class Envelope:
    """Plain ASGI middleware: security headers, the state of the rate limit, HEAD, and no NUL in an address.

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

        # HEAD is a GET without a body (RFC 9110 §9.3.2). The server looks at its own scope to leave it out.
        is_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if is_head else scope

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added, *rate_headers(inner)]
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        if is_api and ("\x00" in scope["path"] or b"%00" in scope["query_string"]):
            await _refuse(send_with_headers)
        else:
            try:
                await self._app(inner, receive, send_with_headers)
            finally:
                scope.update({name: inner[name] for name in _FOR_THE_LOG if name in inner})


async def _refuse(send: Send) -> None:
    body = json.dumps({"status": 422, "message": _NUL, "errors": {}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 422, "headers": headers})
    await send({"type": "http.response.body", "body": body})
