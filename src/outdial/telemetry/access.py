"""Who may read the metrics: they name trunks and accounts, and say how much business somebody does."""

import hmac
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip")


class MetricsAccess:
    """Addresses that may, and a token with which anybody may."""

    def __init__(self, networks: Sequence[str], token: str | None = None) -> None:
        self._networks = [ip_network(each, strict=False) for each in networks]
        self._token = token

    def allows(self, client: str | None, headers: Mapping[str, str]) -> bool:
        """Tell whether a request may be answered; `headers` have lower-case names.

        What a proxy passes on comes from the proxy's address and not from the asker's, so it needs the token.
        """
        if self._token is not None:
            scheme, _, sent = headers.get("authorization", "").partition(" ")
            if scheme.lower() == "bearer" and hmac.compare_digest(
                sent.strip().encode(), self._token.encode()
            ):
                return True
        if client is None or any(name in headers for name in _OF_PROXIES):
            return False
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
