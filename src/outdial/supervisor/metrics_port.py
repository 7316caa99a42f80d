"""`metrics.port`: the metrics of a machine that runs no API.

Each of its processes wants the port, one has it and answers for all of them; when that one ends, another
takes it over.
"""

import asyncio

import structlog

from outdial.config import Settings
from outdial.telemetry import metrics, sockets
from outdial.telemetry.access import MetricsAccess
from outdial.telemetry.exposition import CONTENT_TYPE, render

_TRY_AGAIN_S = 5.0
_HEAD_TIMEOUT_S = 5.0
_MOST_HEAD = 8 * 1024

log = structlog.get_logger()


class MetricsPort:
    """A GET of `/metrics`, and nothing else of HTTP."""

    def __init__(self, settings: Settings) -> None:
        self._host, self._port = settings.metrics.host, settings.metrics.port
        self._folder = settings.data_dir / sockets.FOLDER
        self._access = MetricsAccess(
            settings.metrics.allow,
            None if settings.metrics.token is None else settings.metrics.token.get_secret_value(),
        )
        self.server: asyncio.Server | None = None

    async def keep(self) -> None:
        """Serve, as soon as the port is free, until cancelled."""
        while self.server is None:
            try:
                self.server = await asyncio.start_server(
                    self._answer, self._host, self._port, limit=_MOST_HEAD
                )
            except OSError as error:
                log.debug("metrics_port_taken", port=self._port, error=str(error))
                await asyncio.sleep(_TRY_AGAIN_S)
        log.info("metrics_listening", host=self._host, port=self._port)
        async with self.server:
            await self.server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            status, body = await self._respond(head.decode("latin-1"), writer.get_extra_info("peername")[0])
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no request, or nobody left to answer
        finally:
            writer.close()

    async def _respond(self, head: str, client: str) -> tuple[str, bytes]:
        request, *lines = head.split("\r\n")
        method, _, rest = request.partition(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, found, value in (line.partition(":") for line in lines)
            if found
        }
        if rest.split(" ")[0].partition("?")[0] != "/metrics":
            return "404 Not Found", b"There is only /metrics here.\n"
        if method != "GET":
            return "405 Method Not Allowed", b"GET is the only method here.\n"
        if not self._access.allows(client, headers):
            return "403 Forbidden", b"metrics.allow and metrics.token say who may read this.\n"
        return "200 OK", render(metrics.CATALOGUE, await sockets.gather(self._folder))
