"""The dialer's end of one media worker: its process, its socket, its restarts."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable

import structlog

from outdial.telephony.media.protocol import Command, Configure, LineReader, Ready, Report, encode

_REAP_INTERVAL_S = 0.05

log = structlog.get_logger()


class WorkerLink:
    """One worker process at a time. Everything here is callbacks of the event loop: a task per worker, let
    alone per stream, costs more than the messages themselves.
    """

    def __init__(
        self,
        configure: Configure,
        *,
        on_report: Callable[["WorkerLink", Report], None],
        on_lost: Callable[["WorkerLink"], None],
        restart_delay_s: float,
        restart_delay_max_s: float,
        ready_timeout_s: float,
    ) -> None:
        self._configure = configure
        self._on_report = on_report
        self._on_lost = on_lost
        self._first_delay_s = self._delay_s = restart_delay_s
        self._longest_delay_s = restart_delay_max_s
        self._ready_timeout_s = ready_timeout_s
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._reader = LineReader[Report]()
        self._outbox: list[bytes] = []
        self._unsent = b""
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self.ready = False
        self.restarts = 0
        self.streams = 0
        """How many streams it has; kept by the client, which chooses by it."""

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; it is usable when :attr:`ready`. Raises :class:`OSError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "outdial.telephony.media.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._sock = ours
        self._reader = LineReader[Report]()
        self._loop.add_reader(ours.fileno(), self._readable)
        self._timer = self._loop.call_later(self._ready_timeout_s, self.kill, "not_ready")
        self.send(self._configure)

    def send(self, command: Command) -> None:
        """Send with everything else of this turn of the event loop; dropped if the worker is dead."""
        if self._sock is None:
            return
        if not self._outbox and not self._unsent:
            self._loop.call_soon(self._flush)
        self._outbox.append(encode(command))

    def kill(self, why: str) -> None:
        """End a worker that is stuck; it is then started again."""
        self._lose(why)

    def stop(self) -> None:
        """Close the socket, upon which the process ends, and do not start another. Idempotent."""
        self._stopped = True
        self._close_socket()
        self._cancel_timer()

    async def wait_stopped(self, timeout_s: float) -> None:
        """After :meth:`stop`: reap the process, with force once ``timeout_s`` is over."""
        process, self._process = self._process, None
        if process is None:
            return
        deadline = self._loop.time() + timeout_s
        while process.poll() is None:
            if self._loop.time() >= deadline:
                process.kill()
            await asyncio.sleep(_REAP_INTERVAL_S / 10)

    def _flush(self) -> None:
        sock = self._sock
        if sock is None:
            return
        data = self._unsent + b"".join(self._outbox)
        self._outbox.clear()
        try:
            self._unsent = data[sock.send(data) :]
        except BlockingIOError:
            self._unsent = data
        except OSError as error:
            self._lose(f"send: {error.strerror}")
            return
        if self._unsent:
            self._loop.add_writer(sock.fileno(), self._flush_rest)

    def _flush_rest(self) -> None:
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())
        self._flush()

    def _readable(self) -> None:
        """Take all that is there: of a worker that died with commands unread, libuv tells us only once."""
        while self._sock is not None:
            try:
                data = self._sock.recv(65_536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                self._take(data)
            else:
                self._lose("socket_closed")

    def _take(self, data: bytes) -> None:
        for report in self._reader.feed(data):
            if isinstance(report, Ready):
                self.ready = True
                self._delay_s = self._first_delay_s
                self._cancel_timer()
            try:
                self._on_report(self, report)
            except Exception:
                log.exception("media_report_failed", report=type(report).__name__)

    def _lose(self, why: str) -> None:
        """The process is dead or as good as dead: tell the client, and start another after a while."""
        if self._sock is None:
            return
        self._close_socket()
        self._cancel_timer()
        if self._process is not None:
            self._process.kill()
        log.error("media_worker_lost", pid=self.pid, why=why, streams=self.streams)
        if not self._stopped:
            self._timer = self._loop.call_later(self._delay_s, self._restart)
            self._delay_s = min(2 * self._delay_s, self._longest_delay_s)
        self._on_lost(self)

    def _restart(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._timer = self._loop.call_later(_REAP_INTERVAL_S, self._restart)
            return
        self.restarts += 1
        if self._process is not None:
            log.info("media_worker_ended", pid=self.pid, exit_status=self._process.returncode)
        try:
            self.start()
        except OSError:
            # No memory or no processes left: later, perhaps.
            self._timer = self._loop.call_later(self._delay_s, self._restart)
            self._delay_s = min(2 * self._delay_s, self._longest_delay_s)

    def _close_socket(self) -> None:
        self.ready = False
        self._outbox.clear()
        self._unsent = b""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
