"""Who is asking: Bearer tokens, or `?access_token=` for callers that cannot set headers."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import Request

from outdial.api.errors import ApiError
from outdial.api.known_names import check_query
from outdial.api.links import use_base
from outdial.api.local_time import UTC, use_zone
from outdial.api.permissions import needed_scope
from outdial.domain.scope import Scope, allows
from outdial.storage import accounts, tokens
from outdial.storage.database import Database
from outdial.storage.tokens import Token

_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that a token speaks for."""

    account_id: int
    token_id: int
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """From which the token may be used; empty for any."""
    scopes: frozenset[str] = frozenset()
    zone: ZoneInfo = UTC
    """Of the account."""

    def may(self, scope: Scope) -> bool:
        """Tell whether the token has this scope, or one that contains it."""
        return allows(self.scopes, scope)

    def may_come_from(self, address: str) -> bool:
        """Tell whether the token may be used from this address."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:  # what a proxy wrote into X-Forwarded-For need not be one
            return False
        return any(found in network for network in self.networks)


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
        found = await self._database.read(_find, token, now=now)
        if found is None:
            self._known.pop(digest, None)
            return None
        self._database.post(tokens.note_use, found[0].id, now=now)
        principal = _principal(*found)
        self._known[digest] = (now + self._keep_ms, principal)
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return principal


def _find(conn: sa.Connection, secret: str, *, now: int) -> tuple[Token, str] | None:
    """A valid token, and the time zone of its account."""
    token = tokens.find(conn, secret, now=now)
    account = None if token is None else accounts.get(conn, token.account_id)
    return None if token is None or account is None else (token, account.time_zone)


def _principal(token: Token, time_zone: str) -> Principal:
    return Principal(
        account_id=token.account_id,
        token_id=token.id,
        networks=tuple(ip_network(each) for each in token.addresses),
        scopes=frozenset(token.scopes),
        zone=ZoneInfo(time_zone),
    )


async def authenticate(request: Request) -> Principal:
    """The principal of a request, which has the scope that permissions.py says the endpoint needs.

    Times of the answer are in the account's time zone from here on. Raises ApiError 401 without a valid
    token, 403 from a wrong address or without the scope, 429 for too many requests or wrong tokens, 422 for a
    query with names that the endpoint does not know.
    """
    token = _token_of(request)
    if not token:
        raise _unauthorized("Send a token: Authorization: Bearer <token>, or ?access_token=<token>.")
    context = request.app.state.context
    cache: TokenCache = context.tokens
    principal = await cache.look_up(token)
    if principal is None:
        context.rate.note_wrong_token(request, context.now_ms())
        raise _unauthorized("This token is not valid: it is unknown, revoked or expired.")
    if request.client is not None and not principal.may_come_from(request.client.host):
        raise ApiError(403, "This token may not be used from this address.")
    request.scope["outdial.account"] = principal.account_id
    context.rate.note_request(request, principal.token_id, context.now_ms())
    scope = needed_scope(request.method, request.url.path)
    if scope is not None and not principal.may(scope):
        raise ApiError(403, f"This token lacks the scope {scope}, which this endpoint needs.")
    use_zone(principal.zone)
    use_base(context.options.public_url)
    check_query(request)
    return principal


def _token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.query_params.get("access_token", "")


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, headers={"WWW-Authenticate": 'Bearer realm="outdial"'})
