"""sipp (Debian's ``sip-tester``) as the far end of calls, and as the caller that ours is compared with."""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
_SCENARIOS = Path(__file__).parent / "sipp"
_START_WITHIN_S = 30.0
_TRIES = 100


class Phones:
    """One sipp process that picks up every call until the context ends. ``sink`` is named in every answer."""

    def __init__(self, sink: int, folder: Path) -> None:
        self.port = free_port()
        self._command = [
            *_sipp("answer.xml", sink, self.port),
            *("-trace_err", "-error_file", str(folder / f"phones-{self.port}.errors")),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_WITHIN_S
        while not _is_bound(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"sipp did not start: {' '.join(self._command)}")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid


def sipp_calls(phones: Phones, sink: int, *, calls: int, window: int, rate: int) -> tuple[float, float]:
    """Let sipp call; its CPU seconds and the wall seconds. Raises RuntimeError if a call failed."""
    command = [
        *_sipp("call.xml", sink, free_port()),
        *("-m", str(calls), "-l", str(window), "-r", str(rate), "-timeout", "120s", "-timeout_error"),
        f"{HOST}:{phones.port}",
    ]
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"sipp's calls failed with status {process.returncode}: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(count: int, *, even: bool = False) -> int:
    """The first of so many UDP ports in a row that nobody uses at the moment."""
    for _ in range(_TRIES):
        first = free_port() & ~1 if even else free_port()
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((HOST, port))
            return first
    raise RuntimeError(f"no {count} free ports in a row")


def _sipp(scenario: str, sink: int, port: int) -> list[str]:
    return [
        *("sipp", "-sf", str(_SCENARIOS / scenario), "-i", HOST, "-p", str(port), "-bind_local", "-cp", "0"),
        *("-mp", str(free_port()), "-key", "sink", str(sink), "-nostdin"),
    ]


def _is_bound(port: int) -> bool:
    wanted = f":{port:04X} "
    return any(wanted in line[:25] for line in Path("/proc/net/udp").read_text(encoding="ascii").split("\n"))
