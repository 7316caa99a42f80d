"""The wake-up bus: a commit that makes work tells the dialers at once, so that nobody polls quickly.

`announce(conn, channel)` belongs to the transaction: on PostgreSQL it is NOTIFY, on SQLite the channels are
kept with the connection and sent as one datagram each, after the commit, to every listener's Unix socket in
the run folder. A wake-up may be lost (a listener reconnects, a socket buffer is full), so listeners also look
by themselves now and then.
"""

import asyncio
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import make_url

from outdial.storage.engine import is_sqlite, sqlite_path

CALLS = "calls"
"""Calls were queued."""
CANCELS = "cancels"
"""A call that is being dialled was asked to be cancelled."""
TRUNKS = "trunks"
"""A trunk or bridge was changed."""
REGISTRATIONS = "registrations"
"""Trunks should be registered anew, without waiting."""
OUTBOX = "outbox"
"""Events wait for a webhook."""

_PENDING = "outdial_wake"
_SUFFIX = ".wake"
_PG_PREFIX = "outdial_"
_NOTIFY = sa.text("SELECT pg_notify(:channel, '')")
_RECONNECT_FIRST_S = 0.1
_RECONNECT_LONGEST_S = 5.0

_log = structlog.get_logger(__name__)


def announce(conn: sa.Connection, channel: str) -> None:
    """Wake the listeners of `channel` when this transaction commits, and not if it is rolled back."""
    pending: set[str] = conn.info.setdefault(_PENDING, set())
    if channel in pending:
        return
    pending.add(channel)
    if conn.dialect.name == "postgresql":
        conn.execute(_NOTIFY, {"channel": _PG_PREFIX + channel})


def pending(conn: sa.Connection) -> frozenset[str]:
    """Return the channels announced so far in this transaction."""
    return frozenset(conn.info.get(_PENDING, ()))


def restore_pending(conn: sa.Connection, channels: frozenset[str]) -> None:
    """Go back to `channels`: what was announced since was rolled back to a savepoint."""
    conn.info[_PENDING] = set(channels)


def take_pending(conn: sa.Connection) -> frozenset[str]:
    """Return the channels announced in the transaction that just ended, and forget them."""
    return frozenset(conn.info.pop(_PENDING, ()))


def run_folder(url: str) -> Path:
    """Return the folder of the wake-up sockets of a SQLite database: `run`, beside its file."""
    return sqlite_path(url).resolve().parent / "run"


class WakeSender:
    """Sends the datagrams of a SQLite database's wake-ups; on PostgreSQL the server does it."""

    def __init__(self, url: str) -> None:
        self._folder = run_folder(url) if is_sqlite(url) else None
        self._socket: socket.socket | None = None

    def send(self, channels: Iterable[str]) -> None:
        """Wake all listeners of `channels`. Never blocks and never raises: a wake-up is only a hint."""
        if self._folder is None or not channels:
            return
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        message = " ".join(channels).encode()
        with suppress(OSError), _ShortPath(self._folder) as folder:
            for address in folder.glob(f"*{_SUFFIX}"):
                _send_one(self._socket, address, message)

    def close(self) -> None:
        """Close the socket; idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _send_one(sender: socket.socket, address: Path, message: bytes) -> None:
    try:
        sender.sendto(message, str(address))
    except ConnectionRefusedError:  # its process died without removing the file
        with suppress(OSError):
            address.unlink()
    except OSError:  # full buffer: it is being woken already
        pass


class _ShortPath:
    """A folder under a name that fits a socket address (108 bytes on Linux), whatever its real path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Path:
        self._fd = os.open(self._folder, os.O_DIRECTORY | os.O_CLOEXEC)
        return Path(f"/proc/self/fd/{self._fd}")

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


class _Bus(Protocol):
    async def run(self, woken: "WakeListener") -> None: ...


class WakeListener:
    """Waits for wake-ups. `run` must run as a task beside the waiter.

    `listening` is set once wake-ups arrive; after each reconnection every channel is reported once, because
    what was announced in between is lost.
    """

    def __init__(self, url: str, channels: Iterable[str]) -> None:
        self.channels = frozenset(channels)
        self.listening = asyncio.Event()
        self._seen: set[str] = set()
        self._changed = asyncio.Event()
        self._bus: _Bus = _DatagramBus(run_folder(url)) if is_sqlite(url) else _NotifyBus(url)

    async def run(self) -> None:
        """Listen until cancelled; reconnects by itself."""
        await self._bus.run(self)

    async def wait(self, timeout: float | None) -> frozenset[str]:
        """Return the channels woken since the last call, waiting up to `timeout` seconds for the first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        self._changed.clear()
        seen = frozenset(self._seen)
        self._seen.clear()
        return seen

    def wake(self, *channels: str) -> None:
        """Note that `channels` were announced; the dispatcher also wakes itself with it."""
        self._seen.update(channels)
        self._changed.set()


class _DatagramBus:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def run(self, woken: WakeListener) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{os.getpid()}-{id(self):x}{_SUFFIX}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.setblocking(False)
            with _ShortPath(self._folder) as folder:
                (folder / name).unlink(missing_ok=True)
                listener.bind(str(folder / name))
            try:
                woken.listening.set()
                loop = asyncio.get_running_loop()
                while True:
                    message = await loop.sock_recv(listener, 4096)
                    if channels := woken.channels.intersection(message.decode(errors="replace").split()):
                        woken.wake(*channels)
            finally:
                woken.listening.clear()
                (self._folder / name).unlink(missing_ok=True)


class _NotifyBus:
    def __init__(self, url: str) -> None:
        self._conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    async def run(self, woken: WakeListener) -> None:
        delay = _RECONNECT_FIRST_S
        while True:
            try:
                await self._listen(woken)
            except psycopg.OperationalError as error:
                if woken.listening.is_set():
                    delay = _RECONNECT_FIRST_S
                woken.listening.clear()
                _log.warning("wake_listener_lost", error=str(error), retry_in_s=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _RECONNECT_LONGEST_S)

    async def _listen(self, woken: WakeListener) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=5, application_name="outdial-wake"
        ) as connection:
            for channel in sorted(woken.channels):
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(_identifier(channel)))
            woken.listening.set()
            woken.wake(*woken.channels)
            async for notice in connection.notifies():
                woken.wake(notice.channel.removeprefix(_PG_PREFIX))


def _identifier(channel: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(_PG_PREFIX + channel)
