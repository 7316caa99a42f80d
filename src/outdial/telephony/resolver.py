"""Names of trunks to IPv4 addresses, remembered for a while, and which of them took no calls of late.

RFC 3263 in part: all A records of a name are tried, one after the other (§4.3). There is no SRV: a trunk
always has a port, and with a port none is looked up (§4.2).
"""

import asyncio
import errno
import ipaddress
import socket

TIME_TO_LIVE_S = 60.0
RETRY_S = 10.0
"""While the name server is away it is asked this often, not by each call: it takes seconds to say nothing."""
AVOIDED_S = 60.0
"""How long an address that took no call comes after the others. Then one call tries it first, not all."""


class Resolver:
    """A records by the system's resolver; a dotted address is itself."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._failed: dict[str, tuple[float, int | None, str]] = {}
        """Names that were not found, until when, and what the system said."""
        self._asking: dict[str, asyncio.Lock] = {}
        self._avoided: dict[str, float] = {}

    async def resolve(self, host: str) -> tuple[str, ...]:
        """Return the IPv4 addresses of `host` as they are to be tried. Raises OSError that names the host.

        While the name server is away, the last known addresses go on being used.
        """
        try:
            return (str(ipaddress.IPv4Address(host)),)
        except ValueError:
            return self._preferred(await self._look_up(host), asyncio.get_running_loop().time())

    def avoid(self, address: str, seconds: float = AVOIDED_S) -> None:
        """Try this address after the others of its name for a while: it took no call."""
        self._avoided[address] = asyncio.get_running_loop().time() + min(seconds, AVOIDED_S)

    def heard(self, address: str) -> None:
        """Note that this address answers."""
        self._avoided.pop(address, None)

    def _preferred(self, addresses: tuple[str, ...], now: float) -> tuple[str, ...]:
        """Put what is avoided at the end; what was avoided for long enough first, for this one caller."""
        if len(addresses) == 1 or not self._avoided.keys() & set(addresses):
            return addresses
        tried = next((each for each in addresses if self._avoided.get(each, now + 1) <= now), None)
        if tried is not None:
            self._avoided[tried] = now + AVOIDED_S
        return tuple(sorted(addresses, key=lambda each: each != tried and self._avoided.get(each, 0.0)))

    async def _look_up(self, host: str) -> tuple[str, ...]:
        if (known := self._known.get(host)) is not None and known[0] > asyncio.get_running_loop().time():
            return known[1]
        # One asks for all: a lookup has one of a few threads, for seconds while the name server is away.
        async with self._asking.setdefault(host, asyncio.Lock()):
            return await self._ask(host)

    async def _ask(self, host: str) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        known = self._known.get(host)
        if known is not None and known[0] > loop.time():
            return known[1]
        until, number, problem = self._failed.get(host, (0.0, None, ""))
        if until > loop.time():
            raise OSError(number, problem)
        try:
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        except OSError as error:
            if known is not None:
                self._known[host] = loop.time() + RETRY_S, known[1]
                return known[1]
            problem = f"the name {host!r} cannot be resolved: {error.strerror}"
            self._failed[host] = loop.time() + RETRY_S, error.errno, problem
            raise OSError(error.errno, problem) from error
        except UnicodeError as error:
            # An empty or overlong label is refused by Python's IDNA codec, before any name server is asked.
            raise OSError(errno.EINVAL, f"the name {host!r} cannot be resolved: {error}") from error
        addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
        self._known[host] = loop.time() + TIME_TO_LIVE_S, addresses
        return addresses
