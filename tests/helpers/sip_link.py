"""Two real endpoints over a UDP link in memory: loss, delay, duplication and reordering, in virtual time."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from outdial.errors import SdpError
from outdial.sip.digest import Credentials
from outdial.sip.endpoint import Endpoint
from outdial.sip.parser import parse_message
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.answering import AnsweringSession
from outdial.sip.session.calling import CallingSession, OutgoingCall
from outdial.sip.session.context import SessionContext, SessionTimerPolicy
from outdial.sip.session.events import Event

CALLER = ("192.0.2.1", 5060)
CALLEE = ("192.0.2.2", 5060)

Drop = Callable[[bytes, tuple[str, int], float], bool]


def tokens(seed: str) -> Callable[[], str]:
    """Tokens that are hexadecimal, never the same and the same in each run."""
    generator = random.Random(seed)
    return lambda: f"{generator.getrandbits(64):016x}"


@dataclass
class Network:
    """Carries datagrams between endpoints; `loss` and the rest are probabilities from 0 to 1."""

    seed: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    delay: float = 0.02
    jitter: float = 0.0
    drop: Drop | None = None
    now: float = 0.0
    endpoints: dict[tuple[str, int], Endpoint] = field(default_factory=dict)
    wire: list[tuple[float, tuple[str, int], tuple[str, int], bytes]] = field(default_factory=list)
    """Everything that was sent: time, source, destination, bytes; lost datagrams too."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._queue: list[tuple[float, int, tuple[str, int], tuple[str, int], bytes]] = []
        self._serial = 0
        self._plan: list[tuple[float, int, Callable[[float], object]]] = []

    def schedule(self, at: float, action: Callable[[float], object]) -> None:
        """Do something at a virtual time."""
        self._serial += 1
        heapq.heappush(self._plan, (at, self._serial, action))

    def attach(self, address: tuple[str, int], endpoint: Any) -> None:
        """`endpoint` is an Endpoint, or what has its methods."""
        self.endpoints[address] = endpoint

    def flush(self) -> None:
        for source, endpoint in self.endpoints.items():
            for data, destination in endpoint.take_datagrams():
                self.wire.append((self.now, source, destination, data))
                if self.drop is not None and self.drop(data, destination, self.now):
                    continue
                copies = 2 if self._random.random() < self.duplication else 1
                for _ in range(copies):
                    if self._random.random() >= self.loss:
                        self._deliver(source, destination, data)

    def _deliver(self, source: tuple[str, int], destination: tuple[str, int], data: bytes) -> None:
        self._serial += 1
        at = self.now + self.delay + self._random.random() * self.jitter
        heapq.heappush(self._queue, (at, self._serial, source, destination, data))

    def run(self, until: float | None = None, *, limit: float = 4000.0) -> None:
        """Run until nothing is left to happen, or until the virtual time `until`."""
        end = until if until is not None else self.now + limit
        self.flush()
        while True:
            times = [at for e in self.endpoints.values() if (at := e.next_timer_at()) is not None]
            if self._queue:
                times.append(self._queue[0][0])
            if self._plan:
                times.append(self._plan[0][0])
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            while self._queue and self._queue[0][0] <= self.now:
                _, _, source, destination, data = heapq.heappop(self._queue)
                if destination in self.endpoints:
                    self.endpoints[destination].receive(data, source, self.now)
                    self.flush()
            for endpoint in self.endpoints.values():
                endpoint.run_timers(self.now)
                self.flush()
            while self._plan and self._plan[0][0] <= self.now:
                heapq.heappop(self._plan)[2](self.now)
                self.flush()
        if until is not None:
            self.now = until

    def sent(self, start: str, source: tuple[str, int] | None = None) -> list[float]:
        """The times at which a message starting with these characters was sent."""
        return [
            at
            for at, sender, _, data in self.wire
            if data.startswith(start.encode()) and source in (None, sender)
        ]

    def ladder(self) -> list[str]:
        """The conversation as first lines, for assertion messages."""
        return [
            f"{at:8.3f} {'->' if source == CALLER else '<-'} {first_line(data)}"
            for at, source, _, data in self.wire
        ]


@dataclass
class FakeMedia:
    """A media negotiator that says what it was asked; an offer of `b"unusable"` is refused."""

    log: list[str] = field(default_factory=list)
    offers: bytes = b"v=0 offer"

    def offer(self) -> bytes:
        self.log.append("offer")
        return self.offers

    def accept_answer(self, body: bytes) -> None:
        if body in (b"", b"unusable"):
            raise SdpError("no usable answer")
        self.log.append(f"accept {body.decode()}")

    def answer(self, offer: bytes) -> bytes:
        if offer == b"unusable":
            raise SdpError("no usable offer")
        self.log.append(f"answer {offer.decode()}")
        return b"v=0 answer"


Answerer = Callable[["Pair", ServerTransaction, float], None]


class Pair:
    """A caller and a callee on one network."""

    def __init__(
        self,
        network: Network,
        on_invite: Answerer,
        *,
        credentials: Credentials | None = None,
        caller_timer: SessionTimerPolicy | None = None,
        callee_timer: SessionTimerPolicy | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        ring_timeout_s: float = 60.0,
        destinations: tuple[tuple[str, int], ...] = (CALLEE,),
    ) -> None:
        self.network = network
        self.caller = Endpoint(CALLER, tokens("caller"))
        self.callee = Endpoint(
            CALLEE, tokens("callee"), on_invite=lambda transaction, now: on_invite(self, transaction, now)
        )
        network.attach(CALLER, self.caller)
        network.attach(CALLEE, self.callee)
        self.events: list[Event] = []
        self.callee_events: list[Event] = []
        self.media, self.callee_media = FakeMedia(), FakeMedia()
        self.callee_timer = callee_timer or SessionTimerPolicy(interval_s=0)
        self.answering: list[AnsweringSession] = []
        self.trace: list[tuple[bool, str]] = []
        context = SessionContext(
            layer=self.caller.layer,
            new_token=self.caller.new_token,
            negotiator=self.media,
            on_event=self.events.append,
            contact="<sip:out@192.0.2.1:5060>",
            credentials=credentials,
            session_timer=caller_timer or SessionTimerPolicy(interval_s=0),
            observer=lambda sent, data, _peer, _now: self.trace.append(
                (sent, data.split(b"\r\n", 1)[0].decode())
            ),
        )
        call = OutgoingCall(
            uri="sip:12025550100@192.0.2.2",
            from_='"Shop" <sip:918068@192.0.2.1>',
            to="<sip:12025550100@192.0.2.2>",
            destinations=destinations,
            call_id="call-1@192.0.2.1",
            headers=headers,
            ring_timeout_s=ring_timeout_s,
        )
        self.session: CallingSession = self.caller.call(context, call)

    def add_callee(self, address: tuple[str, int], on_invite: Answerer) -> Endpoint:
        """Let another address of the callee's network answer, too."""
        endpoint = Endpoint(
            address,
            tokens(address[0]),
            on_invite=lambda transaction, now: on_invite(self, transaction, now),
        )
        self.network.attach(address, endpoint)
        return endpoint

    def take(
        self, transaction: ServerTransaction, now: float, *, at: tuple[str, int] = CALLEE
    ) -> AnsweringSession:
        """Let the callee's endpoint take the call; what it does then is the test's."""
        endpoint = self.network.endpoints[at]
        context = SessionContext(
            layer=endpoint.layer,
            new_token=endpoint.new_token,
            negotiator=self.callee_media,
            on_event=self.callee_events.append,
            contact=f"<sip:in@{at[0]}:{at[1]}>",
            session_timer=self.callee_timer,
        )
        session = endpoint.answer(context, transaction)
        session.start(now)
        self.answering.append(session)
        return session

    def start(self) -> None:
        self.session.start(self.network.now)
        self.network.flush()

    def at(self, time: float, action: Callable[[float], object]) -> None:
        """Run the network until `time`, then do something there."""
        self.network.run(until=time)
        action(self.network.now)
        self.network.flush()

    def requests_at_callee(self, method: str) -> list[bytes]:
        return [
            data
            for _, source, _, data in self.network.wire
            if source == CALLER and data.startswith(method.encode() + b" ")
        ]


def header(data: bytes, name: str) -> str | None:
    return parse_message(data).headers.get(name)


def answers_at_once(pair: Pair, transaction: ServerTransaction, now: float) -> None:
    pair.take(transaction, now).accept(now)


def rings_then_answers(pair: Pair, transaction: ServerTransaction, now: float) -> None:
    session = pair.take(transaction, now)
    session.progress(180, now)
    session.accept(now)


def first_line(data: bytes) -> str:
    return data.split(b"\r\n", 1)[0].decode()
