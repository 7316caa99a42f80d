"""Each process of a machine tells its metrics on a Unix socket in the data folder; who is asked, asks all.

One connection is one answer: a JSON object, then the end. The socket's name is the role and the process id;
one that nobody listens on any more is removed by whoever finds it.
"""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from outdial.telemetry.exposition import Snapshot

FOLDER = "run"
_SUFFIX = ".metrics"
TIMEOUT_S = 2.0
"""A process that is stopped or stuck is left out; its absence shows."""
_MOST_BYTES = 4 * 1024 * 1024

log = structlog.get_logger(__name__)

Tell = Callable[[], Awaitable[Snapshot]]
"""Brings the figures of this process up to date and returns them."""


class MetricsSocket:
    """Answers with what `tell` returns. `start` and `stop` are idempotent."""

    def __init__(self, folder: Path, name: str, tell: Tell) -> None:
        self._folder = folder
        self._name = name + _SUFFIX
        self._tell = tell
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a folder that cannot be made or written is logged, and then nobody is told anything."""
        if self._server is not None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            listener = _bound(self._folder, self._name)
        except OSError as error:
            log.warning("metrics_not_told", folder=str(self._folder), error=str(error))
            return
        self._server = await asyncio.start_unix_server(self._answer, sock=listener)

    async def stop(self) -> None:
        """Close and remove the socket."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        await server.wait_closed()
        with suppress(OSError):
            (self._folder / self._name).unlink()

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            snapshot = await self._tell()
            writer.write(json.dumps({"role": snapshot.role, "values": snapshot.values}).encode())
            await writer.drain()
        except OSError:  # whoever asked is gone
            pass
        finally:
            writer.close()


async def gather(folder: Path) -> list[Snapshot]:
    """Ask every process that listens in `folder`, all at once; each has two seconds."""
    answers = await asyncio.gather(*(_ask(folder, name) for name in _names(folder)))
    return [answer for answer in answers if answer is not None]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir() if each.suffix == _SUFFIX)
    except OSError:
        return []


async def _ask(folder: Path, name: str) -> Snapshot | None:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            with _short_path(folder, name) as path:
                reader, writer = await asyncio.open_unix_connection(path, limit=_MOST_BYTES)
            try:
                answer = json.loads(await reader.read(_MOST_BYTES) + await _rest(reader))
            finally:
                writer.close()
    except ConnectionRefusedError:  # killed, and could not clear up
        with suppress(OSError):
            (folder / name).unlink()
        return None
    except (OSError, TimeoutError, ValueError) as error:
        log.warning("metrics_not_had", socket=name, error=str(error) or type(error).__name__)
        return None
    return Snapshot(answer["role"], answer["values"])


async def _rest(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while part := await reader.read(_MOST_BYTES):
        parts.append(part)
    return b"".join(parts)


def _bound(folder: Path, name: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short_path(folder, name) as path:
            Path(path).unlink(missing_ok=True)
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


@contextmanager
def _short_path(folder: Path, name: str) -> Iterator[str]:
    """A path of the socket that fits into the 107 bytes of its address, however deep the data folder is."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)
