"""Who gets an answer: a trunk's addresses, those it sends us to, and nobody else."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.domain.disposition import EndReason
from outdial.sip.message import Headers, Request, Response
from outdial.sip.parser import parse_message
from outdial.sip.timers import TimerValues
from outdial.telephony.trunk import Trunk
from tests.helpers.sipp import Sipp
from tests.interop.caller import BOUND_S, Caller, answered, end_of, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

SCANNERS = Path(__file__).parents[1] / "wire" / "scanners"
SCANNER = b"\r\n".join(
    [
        b"OPTIONS sip:100@127.0.0.1 SIP/2.0",
        b"Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK-scan;rport",
        b'From: "sipvicious" <sip:100@1.1.1.1>;tag=1',
        b"To: <sip:100@1.1.1.1>",
        b"Call-ID: 1",
        b"CSeq: 1 OPTIONS",
        b"Content-Length: 0\r\n\r\n",
    ]
)


class Peer:
    """A UDP socket on another address of loopback."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.heard: list[bytes] = []

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        self._socket.sendto(data, to)

    def listen(self) -> list[bytes]:
        """Everything that has arrived so far."""
        try:
            while True:
                self.heard.append(self._socket.recv(65535))
        except BlockingIOError:
            return self.heard

    def heard_requests(self, method: str) -> list[Request]:
        messages = [parse_message(data) for data in self.listen()]
        return [m for m in messages if isinstance(m, Request) and m.method == method]

    def answer(self, request: Request, to: tuple[str, int]) -> None:
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        headers = Headers([(name, request.headers.get(name) or "") for name in names])
        self.send(Response(200, "OK", headers).to_bytes(), to)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    made = [Peer("127.0.0.2"), Peer("127.0.0.3")]
    yield made
    for peer in made:
        peer.close()


def bye(far_end: Sipp, via: tuple[str, int]) -> bytes:
    """The BYE that the far end would send, from somewhere else."""
    (invite,) = far_end.received("INVITE")
    (answer,) = far_end.sent("SIP/2.0 200")
    headers = Headers(
        [
            ("Via", f"SIP/2.0/UDP {via[0]}:{via[1]};branch=z9hG4bKelsewhere"),
            ("From", answer.headers.get("To") or ""),
            ("To", invite.headers.get("From") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", "1 BYE"),
        ]
    )
    return Request("BYE", "sip:918068000000@127.0.0.1", headers).to_bytes()


async def test_strangers_get_silence_and_are_counted(
    sipp: StartSipp, caller: Caller, peers: list[Peer]
) -> None:
    stranger, _ = peers
    user_agent = caller.user_agent
    stranger.send(SCANNER, user_agent.address)
    await until(lambda: user_agent.counters["stranger"] == 1, "the scanner, before any trunk is known")
    far_end = await sipp("answers")
    leg = caller.leg(far_end)
    await answered(leg)
    await until(lambda: far_end.received("ACK"), "the ACK")
    # Even one who knows the dialog by heart, and an answer to an INVITE that is none of his.
    for data in (
        SCANNER,
        SCANNER.replace(b"OPTIONS", b"INVITE"),
        bye(far_end, stranger.address),
        far_end.sent("SIP/2.0 200")[0].to_bytes(),
        b"\r\n\r\n",
        b"\x00\xff garbage",
    ):
        stranger.send(data, user_agent.address)
    await until(lambda: user_agent.counters["stranger"] == 7, "the six datagrams of the stranger")
    assert not leg.ended.done()
    leg.hang_up()
    await far_end.passed()
    assert stranger.listen() == []


@pytest.mark.parametrize("packet", sorted(SCANNERS.glob("*.dat")), ids=lambda packet: packet.stem)
async def test_sipvicious_finds_nothing(caller: Caller, peers: list[Peer], packet: Path) -> None:
    """What its tools send first: they look for a server, for extensions in two ways, and for a password."""
    stranger, trunk = peers
    user_agent = caller.user_agent
    asking = asyncio.create_task(
        user_agent.check(Trunk(name="far", host=trunk.address[0], port=trunk.address[1]))
    )
    await until(trunk.listen, "our OPTIONS, which makes the trunk's address known")
    stranger.send(packet.read_bytes(), user_agent.address)
    await until(lambda: user_agent.counters["stranger"] == 1, "the scanner is counted")
    assert user_agent.counters["unparseable"] == 0
    (options,) = trunk.heard_requests("OPTIONS")
    trunk.answer(options, user_agent.address)
    assert (await asyncio.wait_for(asking, BOUND_S)).status == 200
    assert stranger.listen() == []


@pytest.mark.parametrize("addresses", ["127.0.0.3", "127.0.0.0/29"])
async def test_a_configured_address_of_the_trunk_is_answered(
    sipp: StartSipp, caller: Caller, peers: list[Peer], addresses: str
) -> None:
    _, proxy = peers
    far_end = await sipp("answers_only")
    leg = caller.leg(far_end, addresses=(addresses,))
    await answered(leg)
    await far_end.passed()
    proxy.send(bye(far_end, proxy.address), caller.user_agent.address)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await until(proxy.listen, "our 200 to the BYE")
    assert proxy.heard[0].startswith(b"SIP/2.0 200 OK\r\n")


async def test_whom_the_trunk_sends_us_to_may_answer(sipp: StartSipp, peers: list[Peer]) -> None:
    """The trunk's 200 names another address in Contact: ACK and BYE go there, and its answer counts."""
    _, gateway = peers
    async with Caller(timer_values=TimerValues(t1=0.3)) as caller:
        contact = f"<sip:far@{gateway.address[0]}:{gateway.address[1]}>"
        far_end = await sipp("answers_and_leaves", keywords={"contact": contact})
        leg = caller.leg(far_end)
        await answered(leg)
        await far_end.passed()
        await until(lambda: gateway.heard_requests("ACK"), "the ACK at the gateway")
        leg.hang_up()
        await until(lambda: gateway.heard_requests("BYE"), "the BYE at the gateway")
        gateway.answer(gateway.heard_requests("BYE")[-1], caller.user_agent.address)
        await until(lambda: caller.user_agent.endpoint.dialogs == 0, "the end of the dialog")
        assert caller.user_agent.counters["stranger"] == 0


async def test_whom_the_trunk_sends_us_to_may_hang_up(
    sipp: StartSipp, caller: Caller, peers: list[Peer]
) -> None:
    _, gateway = peers
    contact = f"<sip:far@{gateway.address[0]}:{gateway.address[1]}>"
    far_end = await sipp("answers_and_leaves", keywords={"contact": contact})
    leg = caller.leg(far_end)
    await answered(leg)
    await far_end.passed()
    caller.user_agent.distrust_all()  # the trunks are read again while the call runs
    gateway.send(bye(far_end, gateway.address), caller.user_agent.address)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    caller.user_agent.distrust_all()
    gateway.send(SCANNER, caller.user_agent.address)
    await until(lambda: caller.user_agent.counters["stranger"], "a stranger again, without call or trunk")
