"""The program against a small interpreter, and in the kernel."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.packet import RtpPacket
from outdial.rtp.reception import is_sampled
from outdial.telephony.media.packet_filter import PacketFilter, program

Pair = tuple[socket.socket, socket.socket]


def passes(instructions: list[tuple[int, int, int, int]], datagram: bytes) -> bool:
    """Run a classic BPF program of the four kinds of instruction that are used."""
    packet = bytes(8) + datagram
    accumulator, counter = 0, 0
    while True:
        code, if_true, if_false, operand = instructions[counter]
        counter += 1
        match code:
            case 0x30:
                accumulator = packet[operand]
            case 0x54:
                accumulator &= operand
            case 0x15:
                counter += if_true if accumulator == operand else if_false
            case 0x06:
                return operand > 0


@given(
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.booleans(),
    st.lists(st.integers(96, 127), max_size=3, unique=True),
)
def test_it_passes_events_and_the_sample(
    payload_type: int, sequence_number: int, marker: bool, events: list[int]
) -> None:
    packet = RtpPacket(payload_type, sequence_number, 1, 2, b"audio", marker)
    expected = payload_type in events or is_sampled(sequence_number)
    assert passes(program(events), packet.to_bytes()) is expected


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A far end, and a socket of ours that is connected to it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
    ):
        far.bind(("127.0.0.1", 0))
        near.bind(("127.0.0.1", 0))
        near.setblocking(False)
        far.connect(near.getsockname())
        near.connect(far.getsockname())
        yield far, near


def send(far: socket.socket, sequence_numbers: range, payload_type: int = 8) -> None:
    for sequence_number in sequence_numbers:
        far.send(RtpPacket(payload_type, sequence_number, 0, 1, bytes(160)).to_bytes())


def received(near: socket.socket) -> list[int]:
    numbers = []
    while True:
        try:
            numbers.append(RtpPacket.parse(near.recv(2048)).sequence_number)
        except BlockingIOError:
            return numbers


def test_the_kernel_drops_what_is_not_sampled_and_counts_it(pair: Pair) -> None:
    far, near = pair
    packet_filter = PacketFilter(near)
    packet_filter.attach([101])
    send(far, range(512))
    send(far, range(600, 603), payload_type=101)
    assert received(near) == [*range(8), *range(256, 264), 600, 601, 602]
    assert packet_filter.dropped() == 512 - 16


def test_without_a_filter_everything_passes_and_the_count_is_kept(pair: Pair) -> None:
    far, near = pair
    packet_filter = PacketFilter(near)
    packet_filter.detach()
    packet_filter.attach([])
    send(far, range(8, 28))
    packet_filter.detach()
    assert packet_filter.dropped() == 20
    send(far, range(8, 28))
    assert received(near) == list(range(8, 28))
    packet_filter.attach([])
    send(far, range(8, 13))
    assert packet_filter.dropped() == 25
