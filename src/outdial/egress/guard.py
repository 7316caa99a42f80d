"""Who may be asked: the decision, and the resolver and socket factory that enforce it.

A name is judged by what it resolves to, at the moment when it is resolved for the connection, so a name
that changes its address in between (DNS rebinding) gains nothing: there is no second look-up. The socket
factory looks once more at the very address that the socket will connect to.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import structlog
from aiohttp.abc import AbstractResolver, ResolveResult

from outdial.egress.allow_list import AllowList
from outdial.egress.networks import Address, why_not_public
from outdial.egress.urls import Target
from outdial.errors import EgressRefused

_LOOKUPS_AT_ONCE = 16

_log = structlog.get_logger(__name__)


class AddressRefused(PermissionError):  # noqa: N818 - named as the errors of the tree
    """No permitted address to connect to.

    An OSError, so that aiohttp treats it as a failed connection and releases what it holds.
    """


class Guard:
    """Public addresses, and what the operator allows beside them."""

    def __init__(self, allow: AllowList) -> None:
        self._allow = allow

    def check(self, target: Target) -> None:
        """Refuse a URL whose host is an address that may not be asked. Raises EgressRefused."""
        if target.address is not None:
            words = self.why_not(target.address, target.port)
            if words is not None:
                raise EgressRefused(
                    f"{target.host} is refused: it {words}, and only public addresses are asked."
                )

    def trusts(self, target: Target) -> bool:
        """Tell whether the operator named this host, whatever it resolves to."""
        return self._allow.permits_name(target.host, target.port)

    def why_not(self, address: Address, port: int) -> str | None:
        """Return why an address may not be asked on a port ("is a private address"), None if it may."""
        if self._allow.permits_address(address, port):
            return None
        return why_not_public(address)

    def socket_for(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """Make the socket for one address, in getaddrinfo's form. Raises AddressRefused.

        The last look: nothing can change the address between here and `connect`.
        """
        family, kind, protocol, _, (host, port, *_rest) = info
        try:
            words = self.why_not(ip_address(host), port)
        except ValueError:
            words = "has no address in its usual spelling"
        if words is not None:
            raise AddressRefused(f"it {words}")
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Gives the permitted ones of a name's addresses; AddressRefused if there are others only."""

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name. Raises OSError."""
        found = await self._inner.resolve(host, port, family)
        reasons = {each["host"]: self._guard.why_not(ip_address(each["host"]), port) for each in found}
        permitted = [each for each in found if reasons[each["host"]] is None]
        refused = {address: words for address, words in reasons.items() if words is not None}
        if refused:
            _log.warning("egress_address_refused", host=host, addresses=sorted(refused))
        if not permitted and refused:
            # Which address it was is for the log only: the customer may not own the name server.
            raise AddressRefused(f"its name leads to an address that {next(iter(refused.values()))}")
        return permitted

    async def close(self) -> None:
        """Close the resolver behind this one."""
        await self._inner.close()


class SystemResolver(AbstractResolver):
    """The system's resolver in threads of its own: slow name servers must not hold up other work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="outdial-egress-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name. Raises OSError."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM),
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let the threads end with their last look-up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
