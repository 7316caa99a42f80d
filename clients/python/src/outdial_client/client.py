"""The client: one server, one token, every endpoint."""

import os
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from outdial_client.resources import Resources
from outdial_client.transport import Transport

DEFAULT_URL = "http://127.0.0.1:8080"


class Outdial(Resources):
    """A server to ask. Threads may share one; in asyncio, call it with `asyncio.to_thread`.

    `url` and `token` are `OUTDIAL_URL` and `OUTDIAL_TOKEN` unless given. A request that may be sent twice (a
    GET, or one with an idempotency key, as every accepted call has) is tried up to `tries` times when nothing
    answers or the server is unavailable; any request when the server says that it came too fast. `timeout_s`
    bounds each wait for the network. Raises ValueError without a token, and for an address that is none.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_s: float = 30,
        tries: int = 4,
        tls: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        token = os.environ.get("OUTDIAL_TOKEN", "") if token is None else token
        if not token:
            raise ValueError("A token is missing: give `token`, or set OUTDIAL_TOKEN.")
        self.url = os.environ.get("OUTDIAL_URL", DEFAULT_URL) if url is None else url
        super().__init__(Transport(self.url, token, timeout_s=timeout_s, tries=tries, tls=tls, sleep=sleep))

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Outdial({self.url!r})"
