"""Names of trunks to IPv4 addresses, remembered for a while.

SRV and fail-over to the next address have their place here.
"""

import asyncio
import errno
import ipaddress
import socket

TIME_TO_LIVE_S = 60.0
RETRY_S = 10.0
"""While the name server is away it is asked this often, not by each call: it takes seconds to say nothing."""


class Resolver:
    """A records by the system's resolver; a dotted address is itself."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}

    async def resolve(self, host: str) -> str:
        """Return one IPv4 address of `host`. Raises OSError that names the host.

        While the name server is away, the last known address goes on being used.
        """
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        known = self._known.get(host)
        if known is not None and known[0] > loop.time():
            return known[1]
        try:
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        except OSError as error:
            if known is not None:
                self._known[host] = loop.time() + RETRY_S, known[1]
                return known[1]
            raise OSError(error.errno, f"the name {host!r} cannot be resolved: {error.strerror}") from error
        except UnicodeError as error:
            # An empty or overlong label is refused by Python's IDNA codec, before any name server is asked.
            raise OSError(errno.EINVAL, f"the name {host!r} cannot be resolved: {error}") from error
        address = str(found[0][4][0])
        self._known[host] = loop.time() + TIME_TO_LIVE_S, address
        return address
