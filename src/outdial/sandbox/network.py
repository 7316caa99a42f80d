"""The simulated phone network on the running event loop: one UDP socket for SIP, two for each phone in a
call."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable

import structlog

from outdial.sandbox.heard import Heard, Recorder
from outdial.sandbox.options import SandboxOptions
from outdial.sandbox.phone import Phone
from outdial.sandbox.phones_file import load_phones
from outdial.sandbox.rtp_line import RtpLine
from outdial.sandbox.rtp_ports import RtpPorts
from outdial.sandbox.switchboard import Switchboard
from outdial.sip.timers import TimerValues
from outdial.sip.transport import Address

_log = structlog.get_logger(__name__)

_GOODBYE_S = 1.0
"""How long ``stop`` waits for the answers to its BYEs."""


class SandboxNetwork:
    """A network of scripted phones. ``start`` and ``stop`` may be called again.

    ``unix_ms`` is the wall clock, for the records and for NTP time in RTCP.
    """

    def __init__(
        self, options: SandboxOptions, unix_ms: Callable[[], int], timer_values: TimerValues | None = None
    ) -> None:
        self._options = options
        self._unix_ms = unix_ms
        self._timer_values = timer_values
        self._transport: asyncio.DatagramTransport | None = None
        self._switchboard: Switchboard | None = None
        self._recorder: Recorder | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._no_dialogs = asyncio.Event()

    @property
    def address(self) -> Address:
        """IPv4 address and UDP port of its SIP socket; what a trunk has to point to. Only while it runs."""
        if self._transport is None:
            raise RuntimeError("the sandbox has not been started")
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    async def start(self) -> None:
        """Read the phones and open the socket.

        Raises :class:`ConfigurationError` for a phones file with mistakes, :class:`OSError` if the socket or
        the folder of recordings cannot be had.
        """
        if self._transport is not None:
            return
        options = self._options
        phones = await asyncio.to_thread(load_phones, options.phones_file)
        self._recorder = await asyncio.to_thread(Recorder, options.recordings_dir, options.keep_recordings)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._receive), local_addr=(options.bind_address, options.port)
        )
        ports = RtpPorts(options.bind_address, options.rtp_port_min, options.rtp_port_max)

        def open_line(phone: Phone) -> RtpLine:
            return RtpLine(phone, ports, _new_token, self._unix_ms, record=options.record)

        self._switchboard = Switchboard(
            self.address,
            phones,
            new_token=_new_token,
            unix_ms=self._unix_ms,
            open_line=open_line,
            on_over=self._on_over,
            on_call=_log_call,
            timer_values=self._timer_values,
        )
        _log.info("sandbox_started", host=self.address[0], port=self.address[1], phones=len(phones))

    async def stop(self) -> None:
        """Hang up every call, wait a moment for the answers, finish the records and close the socket."""
        if self._transport is None or self._switchboard is None or self._recorder is None:
            return
        self._switchboard.hang_up_all(asyncio.get_running_loop().time())
        self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._no_dialogs.wait()
        if self._timer is not None:
            self._timer.cancel()
        self._transport.close()
        self._transport = None
        await asyncio.to_thread(self._recorder.close)
        _log.info("sandbox_stopped")

    def _receive(self, data: bytes, source: Address) -> None:
        if self._switchboard is not None:
            self._switchboard.receive(data, source, asyncio.get_running_loop().time())
            self._flush()

    def _run_timers(self) -> None:
        if self._switchboard is not None:
            self._switchboard.run_timers(asyncio.get_running_loop().time())
            self._flush()

    def _flush(self) -> None:
        """Send what is to be sent, and plan the next timer."""
        if self._switchboard is None or self._transport is None:
            return
        for data, destination in self._switchboard.take_datagrams():
            self._transport.sendto(data, destination)
        if self._switchboard.endpoint.dialogs:
            self._no_dialogs.clear()
        else:
            self._no_dialogs.set()
        if self._timer is not None:
            self._timer.cancel()
        at = self._switchboard.next_timer_at()
        self._timer = None if at is None else asyncio.get_running_loop().call_at(at, self._run_timers)

    def _on_over(self, heard: Heard, audio: bytes) -> None:
        _log.info("sandbox_call_over", number=heard.number, outcome=heard.outcome, sip_call_id=heard.call_id)
        if self._recorder is not None:
            self._recorder.write(heard, audio)


def _log_call(heard: Heard) -> None:
    """Say at once who is called: the record of a call comes when it is over, half a minute after a crash."""
    _log.info("sandbox_called", number=heard.number, sip_call_id=heard.call_id)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands every datagram on; errors of the network are the senders' business."""

    def __init__(self, on_datagram: Callable[[bytes, Address], None]) -> None:
        self._on_datagram = on_datagram

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._on_datagram(data, addr)


def _new_token() -> str:
    return secrets.token_hex(16)
