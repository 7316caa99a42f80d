"""Ways to make and send one packet in Python, against a bare send of a ready one.

``python -m bench.media_packet``

This is why the sender takes frames from an iterator and adds them to a packed header. The packets go to a
socket whose buffer is full, so that the kernel's part is small and the differences are Python's.
"""

import itertools
import socket
import struct
import time
from collections.abc import Callable

from bench.report import machine

from outdial.rtp.packet import pack_header

STREAMS = 300
ROUNDS = 300
FRAME = 160
CLIP = bytes(FRAME * ROUNDS)
FRAMES = [CLIP[start : start + FRAME] for start in range(0, len(CLIP), FRAME)]
VIEW = memoryview(CLIP)
pack_into = struct.Struct("!HHII").pack_into


class Leg:
    """What a sender has at hand."""

    __slots__ = ("buffer", "frames", "offset", "position", "send", "sendmsg", "sequence", "ssrc", "word")

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.send, self.sendmsg = sock.send, sock.sendmsg
        self.frames = iter(FRAMES)
        self.position = 0
        self.buffer = bytearray(12 + FRAME)
        self.word, self.sequence, self.offset, self.ssrc = 0x8008, number, 7 * number, 99 * number


def bare(legs: list[Leg], clock: int) -> None:
    packet = CLIP[: 12 + FRAME]
    for leg in legs:
        send = leg.send
        send(packet)


def iterator(legs: list[Leg], clock: int) -> None:
    for leg in legs:
        frame = next(leg.frames)
        number = leg.sequence
        leg.sequence = number + 1
        send = leg.send
        send(pack_header(leg.word, number & 0xFFFF, clock + leg.offset & 0xFFFF_FFFF, leg.ssrc) + frame)


def slices(legs: list[Leg], clock: int) -> None:
    for leg in legs:
        place = leg.position
        leg.position = place + FRAME
        number = leg.sequence
        leg.sequence = number + 1
        send = leg.send
        header = pack_header(leg.word, number & 0xFFFF, clock + leg.offset & 0xFFFF_FFFF, leg.ssrc)
        send(header + CLIP[place : place + FRAME])


def preallocated(legs: list[Leg], clock: int) -> None:
    for leg in legs:
        place, buffer = leg.position, leg.buffer
        leg.position = place + FRAME
        number = leg.sequence
        leg.sequence = number + 1
        pack_into(buffer, 0, leg.word, number & 0xFFFF, clock + leg.offset & 0xFFFF_FFFF, leg.ssrc)
        buffer[12:] = VIEW[place : place + FRAME]
        send = leg.send
        send(buffer)


def scattered(legs: list[Leg], clock: int) -> None:
    for leg in legs:
        number = leg.sequence
        leg.sequence = number + 1
        sendmsg = leg.sendmsg
        header = pack_header(leg.word, number & 0xFFFF, clock + leg.offset & 0xFFFF_FFFF, leg.ssrc)
        sendmsg((header, next(leg.frames)))


WAYS: dict[str, Callable[[list[Leg], int], None]] = {
    "send of a ready packet": bare,
    "header + frame of an iterator": iterator,
    "header + slice of the clip": slices,
    "preallocated bytearray": preallocated,
    "sendmsg of header and frame": scattered,
}


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sink.bind(("127.0.0.1", 0))
        socks = []
        for _ in range(STREAMS):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(sink.getsockname())
            sock.setblocking(False)
            socks.append(sock)
        best = dict.fromkeys(WAYS, float("inf"))
        for _, (name, way) in itertools.product(range(5), WAYS.items()):
            legs = [Leg(sock, number) for number, sock in enumerate(socks)]
            before = time.process_time()
            for turn in range(ROUNDS):
                way(legs, turn * 160)
            best[name] = min(best[name], (time.process_time() - before) / ROUNDS / STREAMS)
        for sock in socks:
            sock.close()
    print(f"best of 5; {machine()}")
    for name, seconds in best.items():
        print(f"{name:32} {1e6 * seconds:5.2f} µs")


if __name__ == "__main__":
    main()
