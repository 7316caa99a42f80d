"""sipp (Debian's `sip-tester`) as the far end of a call: a bounded process for each scenario."""

import asyncio
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from outdial.sip.message import Message
from outdial.sip.parser import parse_message
from tests.helpers.program import Program
from tests.helpers.sipp_scenario import render

LIFETIME_S = 30
"""After this long sipp gives up by itself, and its exit status says so."""

_FOR_MANY = ("-buff_size", "4000000")

_MESSAGE = re.compile(
    r"^-{10,} [^\n]*\nUDP message (sent|received) [^\n]*\n\n(.*?)(?=^-{10,} |\Z)", re.MULTILINE | re.DOTALL
)


class SippFailedError(AssertionError):
    """sipp saw something that its scenario does not allow; the text has its own words and the messages."""


class Sipp(Program):
    """One sipp process that waits for calls on a port of its own.

    Without sipp's own retransmissions (`-nr`), each message of ours counts: one too many fails the scenario,
    and so does one too few.
    """

    def __init__(
        self,
        scenario: str,
        directory: Path,
        *,
        calls: int = 1,
        keywords: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        many: bool = False,
        address: tuple[str, int] | None = None,
    ) -> None:
        """`options` are added to sipp's command line; `keywords` are replaced in the scenario.

        `many` is for load: messages are not kept, lost ones are sent again, and more time is given. It waits
        at `address`, or at a free port.
        """
        self.host, self.port = address or ("127.0.0.1", free_port())
        self.media_port = free_port_pair()
        self.scenario = scenario
        self._directory = directory
        self._calls = calls
        self._keywords = keywords or {}
        self._options = options
        self._many = many
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until its port is bound."""
        # The test's own come first: they may contain the others, or replace them.
        ours = {"port": str(self.port), "media_port": str(self.media_port)}
        keywords = {**self._keywords, **{name: ours[name] for name in ours if name not in self._keywords}}
        file = self._path("xml")
        file.write_text(render(self.scenario, keywords), encoding="latin-1")
        self._process = await asyncio.create_subprocess_exec(
            *("sipp", "-sf", str(file), "-i", self.host, "-p", str(self.port), "-bind_local", "-cp", "0"),
            *("-mp", str(self.media_port), "-m", str(self._calls), "-nostdin"),
            *("-timeout", f"{self._lifetime_s}s", "-timeout_error"),
            *("-trace_err", "-error_file", str(self._path("errors"))),
            *(
                _FOR_MANY
                if self._many
                else ("-nr", "-trace_msg", "-message_file", str(self._path("messages")))
            ),
            *self._options,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        while not _is_bound(self.host, self.port):
            if self._process.returncode is not None:
                raise SippFailedError(f"sipp did not start: {self.said()}")
            await asyncio.sleep(0.002)

    async def stop(self) -> None:
        """Kill it if it still runs. Idempotent."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def passed(self) -> None:
        """Wait until the scenario is over; raises `SippFailedError` unless every call went as it says."""
        assert self._process is not None
        status = await asyncio.wait_for(self._process.wait(), self._lifetime_s + 5)
        if status != 0 or (self.errors() and not self._many):
            raise SippFailedError(f"scenario {self.scenario!r} ended with status {status}\n{self.said()}")

    @property
    def _lifetime_s(self) -> int:
        return LIFETIME_S + (self._calls // 100 if self._many else 0)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process is not None and self._process.returncode is None

    def errors(self) -> str:
        """What sipp complained about; empty if nothing."""
        path = self._path("errors")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def said(self) -> str:
        """For a failed test: what sipp said and the messages as it saw them."""
        path = self._path("messages")
        messages = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return f"{self.errors()}\n{messages}"

    def received(self, start: str) -> list[Message]:
        """The messages of ours that begin with `start`, in order, as sipp saw them."""
        return self._messages("received", start)

    def sent(self, start: str) -> list[Message]:
        """The messages of sipp that begin with `start`."""
        return self._messages("sent", start)

    def _messages(self, direction: str, start: str) -> list[Message]:
        path = self._path("messages")
        log = path.read_bytes().decode("latin-1") if path.exists() else ""
        return [
            parse_message(text.encode("latin-1"))
            for which, text in _MESSAGE.findall(log)
            if which == direction and text.startswith(start)
        ]

    def _path(self, suffix: str) -> Path:
        return self._directory / f"{Path(self.scenario).name}-{self.port}.{suffix}"


def free_port() -> int:
    """A UDP port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_pair() -> int:
    """An even UDP port that nobody uses, nor any of the three above it (sipp takes four for media)."""
    while True:
        port = free_port() & ~1
        try:
            for offset in range(4):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port


def _is_bound(host: str, port: int) -> bool:
    wanted = f" {int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X} "
    return any(wanted in line[:25] for line in Path("/proc/net/udp").read_text(encoding="ascii").split("\n"))
