"""The user agent: one UDP socket, one endpoint and the legs on it: asyncio around the pure code in `sip`."""

import asyncio
import contextlib
import ipaddress
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from outdial.sip.endpoint import Endpoint
from outdial.sip.message import Response
from outdial.sip.timers import TimerValues
from outdial.sip.transport import Address
from outdial.telemetry import metrics
from outdial.telephony.resolver import AVOIDED_S, Resolver
from outdial.telephony.sip_socket import SipSocket, address_towards
from outdial.telephony.trunk import Trunk

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgentOptions:
    """How the user agent presents itself."""

    bind_address: str = "0.0.0.0"  # noqa: S104 — a SIP endpoint has to be reachable; strangers get silence
    port: int = 5060
    """0 lets the system choose."""
    public_address: str | None = None
    """What Via and Contact name when we stand behind NAT."""
    media_address: str | None = None
    """What SDP names; None for the same as Via."""
    user_agent: str = "Outdial"
    timer_values: TimerValues = field(default_factory=TimerValues)


@dataclass(frozen=True, slots=True)
class Reachability:
    """What a trunk said to OPTIONS."""

    status: int | None
    """Any status means that it is there; None that nothing came back."""
    reason: str
    round_trip_ms: float


class UserAgent:
    """Signalling for all trunks. `start` and `stop` are idempotent.

    `counters` counts what was dropped: `stranger` is traffic from addresses that no trunk has or led us to.
    """

    def __init__(
        self, options: UserAgentOptions, *, new_token: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self.options = options
        self.counters: Counter[str] = Counter()
        self._new_token = new_token
        self._socket: SipSocket | None = None
        self._endpoint: Endpoint | None = None
        self._resolver = Resolver()
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at = 0.0
        self._quiet: asyncio.Event | None = None
        self._known_hosts: set[str] = set()
        self._led_to: set[str] = set()
        """Hosts that dialogs of trunks led us to."""
        self._known_networks: list[ipaddress.IPv4Network] = []
        self._local_hosts: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def endpoint(self) -> Endpoint:
        """The protocol side; it exists between `start` and `stop`."""
        assert self._endpoint is not None, "the user agent is not started"
        return self._endpoint

    @property
    def address(self) -> Address:
        """Where the socket is bound."""
        assert self._socket is not None, "the user agent is not started"
        return self._socket.address

    def note_figures(self) -> None:
        """Bring the metrics of what was dropped up to date."""
        counted = self.counters if self._endpoint is None else self.counters + self._endpoint.layer.counters
        for why, count in counted.items():
            metrics.SIP_DROPPED.take(count, why)

    async def start(self) -> None:
        """Bind the socket. Raises OSError with the address when that fails."""
        if self._socket is not None:
            return
        options = self.options
        self._loop = asyncio.get_running_loop()
        self._socket = SipSocket((options.bind_address, options.port), self._receive, self._unreachable)
        host, port = self._socket.address
        self._endpoint = Endpoint(
            (options.public_address or host, port),
            self._new_token,
            user_agent=options.user_agent,
            timer_values=options.timer_values,
        )

    async def stop(self, *, wait_s: float = 2.0) -> None:
        """Let the last BYEs be answered, then close. Legs must have been hung up before."""
        if self._socket is None:
            return
        self._quiet = asyncio.Event()
        self.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._quiet.wait()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._socket.close()
        self._socket = None

    def trust(self, trunk: Trunk, located: Iterable[Address] = ()) -> None:
        """Answer this trunk's addresses from now on; `located` are those of its host."""
        self._known_hosts.update(host for host, _ in located)
        for text in trunk.addresses:
            try:
                network = ipaddress.IPv4Network(text, strict=False)
            except ValueError:
                # Of IPv6, or of no use at all: nothing can come from there, and the other trunks go on.
                log.warning("trunk_network_ignored", trunk=trunk.name, network=text)
                continue
            if network not in self._known_networks:
                self._known_networks.append(network)

    def distrust_all(self) -> None:
        """Forget every trunk, before the list is read again; running calls keep the hosts they talk to."""
        self._known_hosts.clear()
        self._known_networks.clear()
        if self._endpoint is None or not self._endpoint.dialogs:
            self._led_to.clear()

    async def locate(self, trunk: Trunk) -> tuple[Address, ...]:
        """Return where the trunk's signalling goes, as it is to be tried; all of it counts as known now.

        Raises OSError when its name cannot be resolved.
        """
        located = tuple((host, trunk.port) for host in await self._resolver.resolve(trunk.host))
        self.trust(trunk, located)
        return located

    def avoid(self, address: Address, seconds: float | None = None) -> None:
        """Try this address of a trunk after its others for a while (a minute at most): it took no call."""
        self._resolver.avoid(address[0], AVOIDED_S if seconds is None else seconds)

    def heard(self, address: Address) -> None:
        """Note that this address of a trunk answers."""
        self._resolver.heard(address[0])

    def with_local_hosts(self, peers: Iterable[Address]) -> dict[Address, str]:
        """Return the address that each peer should see us at, without those to which there is no route.

        Raises OSError where that leaves none.
        """
        found: dict[Address, str] = {}
        problem: OSError | None = None
        for peer in peers:
            try:
                found[peer] = self._local_host(peer)
            except OSError as error:
                problem = error
        if problem is not None and not found:
            raise problem
        return found

    def _local_host(self, peer: Address) -> str:
        if self.options.public_address is not None:
            return self.options.public_address
        if self.options.bind_address != "0.0.0.0":  # noqa: S104 — a comparison
            return self.options.bind_address
        if peer[0] not in self._local_hosts:
            self._local_hosts[peer[0]] = address_towards(peer)
        return self._local_hosts[peer[0]]

    def look_again(self, peer: Address) -> str:
        """Return our address towards a peer as it is now; if it changed, calls from now on have the new one.

        Raises OSError without a route.
        """
        known = self._local_hosts.pop(peer[0], None)
        found = self._local_host(peer)
        if known not in (None, found):
            self._local_hosts.clear()
        return found

    async def check(self, trunk: Trunk) -> Reachability:
        """Send OPTIONS to all addresses of a trunk at once and wait for the first answer (up to 32 s).

        Calls try the addresses that said nothing after the others. Raises OSError without a route.
        """
        asked = self.with_local_hosts(await self.locate(trunk))
        started = self._loop.time()
        answered: asyncio.Future[Response | None] = self._loop.create_future()
        waiting = set(asked)

        def on_done(address: Address, response: Response | None, _now: float) -> None:
            waiting.discard(address)
            if response is None:
                self.avoid(address)
            else:
                self.heard(address)
            if not answered.done() and (response is not None or not waiting):
                answered.set_result(response)

        uri = f"sip:{trunk.host}:{trunk.port}"
        for address, host in asked.items():
            from_ = f"<sip:{trunk.from_user or 'outdial'}@{trunk.from_domain or host}>"
            done, sent_by = partial(on_done, address), (host, self.address[1])
            self.endpoint.ping(uri, from_, address, done, self.now, sent_by=sent_by)
        self.flush()
        response = await answered
        elapsed = (self._loop.time() - started) * 1000
        if response is None:
            return Reachability(None, "no answer", elapsed)
        return Reachability(response.status, response.reason, elapsed)

    @property
    def now(self) -> float:
        """The loop's clock in seconds, which all timers of the endpoint use."""
        return self._loop.time()

    def flush(self) -> None:
        """Send what the endpoint has to send and arm its next timer. Call after every call into it."""
        if self._socket is None:
            return
        for data, destination in self.endpoint.take_datagrams():
            # A trunk's Contact or Record-Route may lead to another of its machines: it may answer, too, and
            # hang up. Nothing is ever sent to strangers, so none becomes known here.
            self._led_to.add(destination[0])
            self._socket.send(data, destination)
        if self._quiet is not None and not self.endpoint.dialogs:
            self._quiet.set()
        next_at = self.endpoint.next_timer_at()
        if next_at is None:
            return
        if self._wake is None or next_at < self._wake_at:
            if self._wake is not None:
                self._wake.cancel()
            # Kept beside the handle: what uvloop returns for a time that has passed has no `when`.
            self._wake, self._wake_at = self._loop.call_at(next_at, self._run_timers), next_at

    def _run_timers(self) -> None:
        self._wake = None
        self.endpoint.run_timers(self.now)
        self.flush()

    def _receive(self, data: bytes, source: Address) -> None:
        if not self._knows(source[0]):
            self.counters["stranger"] += 1
            return
        self.endpoint.receive(data, source, self.now)
        self.flush()

    def _knows(self, host: str) -> bool:
        if host in self._known_hosts or host in self._led_to:
            return True
        if not self._known_networks:
            return False
        address = ipaddress.IPv4Address(host)
        return any(address in network for network in self._known_networks)

    def _unreachable(self, destination: Address, datagram: bytes) -> None:
        if self._socket is None:
            return
        self.counters["unreachable"] += 1
        self.endpoint.transport_error(destination, datagram, self.now)
        self.flush()
