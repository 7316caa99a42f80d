"""Who is asking: Bearer tokens, or `?access_token=` for callers that cannot set headers."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from fastapi import Request

from outdial.api.errors import ApiError
from outdial.storage import tokens
from outdial.storage.database import Database

_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that a token speaks for."""

    account_id: int
    token_id: int
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """From which the token may be used; empty for any."""

    def may_come_from(self, address: str) -> bool:
        """Tell whether the token may be used from this address."""
        return not self.networks or any(ip_address(address) in network for network in self.networks)


class TokenCache:
    """Looks tokens up, and remembers valid ones for `keep_ms`: so long does a revoked token still work."""

    def __init__(self, database: Database, now_ms: Callable[[], int], *, keep_ms: int = 3_000) -> None:
        self._database = database
        self._now_ms = now_ms
        self._keep_ms = keep_ms
        self._known: OrderedDict[bytes, tuple[int, Principal]] = OrderedDict()

    async def look_up(self, token: str) -> Principal | None:
        """The principal of a valid token, None for any other."""
        digest = hashlib.sha256(token.encode()).digest()
        now = self._now_ms()
        known = self._known.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        found = await self._database.read(tokens.find, token, now=now)
        if found is None:
            self._known.pop(digest, None)
            return None
        self._database.post(tokens.note_use, found.id, now=now)
        principal = Principal(found.account_id, found.id, tuple(ip_network(each) for each in found.addresses))
        self._known[digest] = (now + self._keep_ms, principal)
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return principal


async def authenticate(request: Request) -> Principal:
    """The principal of a request. Raises ApiError 401 without a valid token, 403 from a wrong address."""
    token = _token_of(request)
    if not token:
        raise _unauthorized("Send a token: Authorization: Bearer <token>, or ?access_token=<token>.")
    cache: TokenCache = request.app.state.context.tokens
    principal = await cache.look_up(token)
    if principal is None:
        raise _unauthorized("This token is not valid: it is unknown, revoked or expired.")
    if request.client is not None and not principal.may_come_from(request.client.host):
        raise ApiError(403, "This token may not be used from this address.")
    request.scope["outdial.account"] = principal.account_id
    return principal


def _token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.query_params.get("access_token", "")


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, headers={"WWW-Authenticate": 'Bearer realm="outdial"'})
