"""How many requests a second: of each token, and of wrong tokens from each address.

Counted in windows of one second in this process, in bounded memory: the counts that were longest unused are
dropped first, and no window outlives its second.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import Request

from outdial.api.errors import ApiError

WRONG_TOKENS_PER_SECOND = 10
_MOST_COUNTED = 10_000
_SCOPE_KEY = "outdial.rate"


class Counts:
    """Events by key in the current second."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[object, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, key: object, now_ms: int) -> int:
        """Count one event; returns how many there were in this second."""
        second = now_ms // 1000
        before, count = self._by_key.pop(key, (second, 0))
        count = count + 1 if before == second else 1
        self._by_key[key] = (second, count)
        if len(self._by_key) > _MOST_COUNTED:
            self._by_key.popitem(last=False)
        return count


class RequestRate:
    """The limits of one application; `per_second` is what a token may ask, 0 for as much as it can."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._requests = Counts()
        self._wrong = Counts()

    def note_wrong_token(self, request: Request, now_ms: int) -> None:
        """Count a wrong token. Raises ApiError 429 for the eleventh in a second from one address."""
        address = "" if request.client is None else _network_of(request.client.host)
        if self._wrong.add(address, now_ms) > WRONG_TOKENS_PER_SECOND:
            raise ApiError(
                429, "Too many wrong tokens from this address; wait a second.", headers={"Retry-After": "1"}
            )

    def note_request(self, request: Request, token_id: int, now_ms: int) -> None:
        """Count a request. Raises ApiError 429 for what is beyond the limit of its token."""
        if not self._per_second:
            return
        count = self._requests.add(token_id, now_ms)
        left = max(0, self._per_second - count)
        request.scope[_SCOPE_KEY] = (self._per_second, left)
        if count > self._per_second:
            raise ApiError(
                429,
                f"A token may send {self._per_second} requests a second; wait a second.",
                headers={"Retry-After": "1"},
            )


def rate_headers(scope: object) -> list[tuple[bytes, bytes]]:
    """The headers that tell how much of the limit is left (draft-ietf-httpapi-ratelimit-headers-09)."""
    found = scope.get(_SCOPE_KEY) if isinstance(scope, dict) else None
    if found is None:
        return []
    limit, left = found
    return [
        (b"ratelimit-policy", b'"token";q=%d;w=1' % limit),
        (b"ratelimit", b'"token";r=%d;t=1' % left),
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % left),
    ]


def _network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has one address of that has all of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address
