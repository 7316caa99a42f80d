"""What the operator permits beside the public internet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from outdial.egress.networks import Address

_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks and names that may be asked although they are not public; with a port, on that port only.

    A name is permitted whatever it resolves to: whoever lists it trusts its DNS zone.
    """

    networks: tuple[tuple[IPv4Network | IPv6Network, int | None], ...] = ()
    names: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read entries such as `10.20.0.0/16`, `192.168.1.5:8080`, `[fd00::5]:443` and `media.internal`.

        Raises ValueError with a sentence that names the entry.
        """
        networks: list[tuple[IPv4Network | IPv6Network, int | None]] = []
        names: list[tuple[str, int | None]] = []
        for entry in entries:
            host, port = _split(entry.strip().lower())
            if _HOST_NAME.fullmatch(host):
                names.append((host, port))
                continue
            try:
                networks.append((ip_network(host), port))
            except ValueError as error:
                raise ValueError(
                    f"{entry!r} is neither a network such as 10.20.0.0/16 nor a host name ({error})"
                ) from None
        return cls(tuple(networks), tuple(names))

    def permits_address(self, address: Address, port: int) -> bool:
        """Tell whether a network of the list holds this address."""
        return any(address in network and only in (None, port) for network, only in self.networks)

    def permits_name(self, name: str, port: int) -> bool:
        """Tell whether the list names this host, in lower case and without a trailing dot."""
        return any(name == listed and only in (None, port) for listed, only in self.names)


def _split(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        return entry, None
    if not port:
        return host, None
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{entry!r}: {port!r} is not a port number")
    return host, int(port)
