"""What the pure protocol code needs of the world below it: a way to send, and timers.

UDP over IPv4 is the transport today. TCP and TLS differ where `Wire` is used: retransmission timers are not
armed, timers D, K, I and J are zero, and framing follows Content-Length.
"""

from dataclasses import dataclass, field
from typing import Protocol

from outdial.sip.timers import TimerQueue, TimerValues

Address = tuple[str, int]
"""An IPv4 address in dotted form, and a UDP port."""


class MessageObserver(Protocol):
    """Who wants to see each message of its own, as bytes, for the trace of a call."""

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """Take one message that was sent or received."""
        ...


@dataclass(slots=True)
class Wire:
    """The outgoing side of an endpoint: datagrams are collected here and taken by whoever has the socket."""

    timer_values: TimerValues = field(default_factory=TimerValues)
    timers: TimerQueue = field(default_factory=TimerQueue)
    datagrams: list[tuple[bytes, Address]] = field(default_factory=list)

    def send(self, data: bytes, destination: Address, owner: MessageObserver | None, now: float) -> None:
        """Queue one datagram; its `owner` sees it."""
        self.datagrams.append((data, destination))
        if owner is not None:
            owner.on_message(sent=True, data=data, peer=destination, now=now)
