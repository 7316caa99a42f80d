"""One log line for each request, without its query string: that may hold an access_token."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outdial.telemetry import metrics

log = structlog.get_logger("access")

_PAYMENT_REQUIRED = 402
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class AccessLog:
    """Plain ASGI middleware: the framework's own base class costs a task for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log method, path, status, bytes and time taken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        sent = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if status == 0:
                raise
            # The framework raises what it has answered and logged as a 500 again, for servers that would
            # log it.
        finally:
            seconds = time.perf_counter() - started
            _count(scope, status, seconds)
            write = log.debug if scope["path"] in _QUIET_PATHS else log.info
            client = scope.get("client")
            write(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                bytes=sent,
                ms=round(seconds * 1000, 2),
                client=client[0] if client else None,
                account=scope.get("outdial.account"),
            )


def _count(scope: Scope, status: int, seconds: float) -> None:
    """By the endpoint's path as it is written in the program: a client cannot invent series."""
    endpoint = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if endpoint != "none" else "any"
    metrics.HTTP_REQUESTS.add(1, method, endpoint, str(status))
    metrics.HTTP_SECONDS.observe(seconds, endpoint)
    if status == _PAYMENT_REQUIRED:
        metrics.BALANCE_REFUSALS.add()
