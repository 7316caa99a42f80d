"""What the network says about one datagram is about that one, and about its destination alone."""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
import uvloop

from outdial.telephony.sip_socket import SipSocket

LIVING, DEAD = ("127.0.0.1", 5), ("127.0.0.9", 5060)
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Kernel:
    """In the place of a socket: refuses with these errors in turn, each for news that waits or for itself."""

    def __init__(self, *errors: tuple[int, bool]) -> None:
        self.errors = list(errors)
        self.news: list[tuple[bytes, list[object], int, tuple[str, int]]] = []
        self.sent: list[tuple[bytes, tuple[str, int]]] = []

    def sendto(self, data: bytes, destination: tuple[str, int]) -> None:
        if not self.errors:
            self.sent.append((data, destination))
            return
        number, is_news = self.errors.pop(0)
        if is_news:
            self.news.append((b"INVITE of before", [], 0, DEAD))
        raise OSError(number, "refused")

    def recvmsg(self, *_: int) -> tuple[bytes, list[object], int, tuple[str, int]]:
        if not self.news:
            raise BlockingIOError
        return self.news.pop(0)


@pytest.fixture
async def unreachable() -> list[tuple[tuple[str, int], bytes]]:
    return []


@pytest.fixture
async def sip(unreachable: list[tuple[tuple[str, int], bytes]]) -> AsyncIterator[SipSocket]:
    opened = SipSocket(("127.0.0.1", 0), lambda *_: None, lambda *news: unreachable.append(news))
    real = opened._socket
    yield opened
    opened._socket = real
    opened.close()


@pytest.mark.parametrize(
    "number", [errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPROTO]
)
async def test_news_of_a_dead_peer_do_not_cost_a_living_one_its_datagram(sip, unreachable, number):
    kernel = sip._socket = Kernel((number, True))
    sip.send(b"to the living", LIVING)
    await asyncio.sleep(0)
    assert kernel.sent == [(b"to the living", LIVING)]
    assert unreachable == [(DEAD, b"INVITE of before")]


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPERM])
async def test_what_cannot_leave_is_known_at_once(sip, unreachable, number):
    kernel = sip._socket = Kernel((number, False))
    sip.send(b"nowhere", DEAD)
    await asyncio.sleep(0)
    assert kernel.sent == []
    assert unreachable == [(DEAD, b"nowhere")]


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM])
async def test_a_moment_without_room_is_a_lost_datagram_and_no_dead_peer(sip, unreachable, number):
    """With IP_RECVERR the kernel tells of a full queue of the interface: audio of many calls may fill it."""
    kernel = sip._socket = Kernel((number, False))
    sip.send(b"INVITE", LIVING)
    await asyncio.sleep(0)
    assert kernel.sent == []
    assert unreachable == []


@pytest.fixture
def router() -> Iterator[socket.socket]:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            yield raw
    except PermissionError:
        pytest.skip("only root may send ICMP")


async def test_a_host_that_is_switched_off_does_not_disturb_another_one(sip, unreachable, router):
    """Host unreachable, as the router before a dead carrier sends it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as living:
        living.bind(("127.0.0.1", 0))
        living.settimeout(10)
        router.sendto(icmp_unreachable(1, sip.address[1], b"INVITE"), ("127.0.0.1", 0))
        for _ in range(100):  # one of them meets the news, which the event loop does not see in between
            sip.send(b"to the living", living.getsockname())
            assert living.recv(100) == b"to the living"
        async with asyncio.timeout(10):
            while not unreachable:
                await asyncio.sleep(0.01)
    assert unreachable == [(DEAD, b"INVITE")]


async def test_a_datagram_that_is_too_large_for_a_link_is_not_a_dead_peer(sip, unreachable, router):
    """Fragmentation needed: an INVITE with credentials outgrows the tunnels of carriers."""
    router.sendto(icmp_unreachable(4, sip.address[1], b"INVITE 1"), ("127.0.0.1", 0))
    router.sendto(icmp_unreachable(1, sip.address[1], b"INVITE 2"), ("127.0.0.1", 0))
    async with asyncio.timeout(10):
        while (DEAD, b"INVITE 2") not in unreachable:
            await asyncio.sleep(0.01)
    assert unreachable == [(DEAD, b"INVITE 2")]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("found", ["waiting", "sending"])
def test_a_dead_peer_does_not_make_the_socket_deaf_to_the_others(loop: str, found: str) -> None:
    """libuv stops to watch a socket that has an error, without a word: each has to be watched anew."""
    heard: list[bytes] = []
    unreachable: list[tuple[str, int]] = []

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not done():
                await asyncio.sleep(0.01)

    def more_than(found: list[Any], number: int) -> bool:
        return len(found) > number

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
            closed.bind(("127.0.0.1", 0))
            dead = closed.getsockname()
        sip = SipSocket(
            ("127.0.0.1", 0), lambda data, _: heard.append(data), lambda to, _: unreachable.append(to)
        )
        with contextlib.closing(sip), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as living:
            living.bind(("127.0.0.1", 0))
            for number in range(3):
                sip.send(b"to the dead", dead)
                if found == "sending":
                    sip.send(b"to the living", living.getsockname())
                await until(partial(more_than, unreachable, number))
                living.sendto(b"%d" % number, sip.address)
                await until(partial(more_than, heard, number))
        assert unreachable == [dead] * 3

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
    assert heard == [b"0", b"1", b"2"]


def icmp_unreachable(code: int, our_port: int, quoted: bytes) -> bytes:
    header = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(quoted), 0, 0, 64, socket.IPPROTO_UDP, 0)
    header += socket.inet_aton("127.0.0.1") + socket.inet_aton(DEAD[0])
    datagram = header + struct.pack("!HHHH", our_port, DEAD[1], 8 + len(quoted), 0) + quoted
    message = struct.pack("!BBHI", 3, code, 0, 1000) + datagram
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + message[4:]
