"""A registrar for trunks that are tried out (RFC 3261 section 10.3): it keeps addresses, and calls none."""

from collections.abc import Callable

from outdial.errors import SipParseError
from outdial.sandbox.digest_gate import REALM
from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.sip.digest import check, make_challenge
from outdial.sip.headers.credentials import DigestCredentials
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.message import Request
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction

SHORTEST_S, LONGEST_S = 60, 3600
_MOST_CONTACTS = 100
_Answer = tuple[int, list[tuple[str, str]]]


class Registrar:
    """The addresses of one account, which needs the password."""

    def __init__(self, new_token: Callable[[], str]) -> None:
        self._new_token = new_token
        self._nonce = new_token()
        self.bindings: dict[str, float] = {}
        """URI of each address, and when it lapses."""

    def on_register(self, transaction: ServerTransaction, now: float) -> None:
        """Answer a REGISTER."""
        status, headers = self._answer(transaction.request, now)
        response = build_response(
            transaction.request, transaction.source, status, to_tag=self._new_token(), headers=headers
        )
        transaction.respond(response, now)

    def _answer(self, request: Request, now: float) -> _Answer:
        login = _login(request)
        if login is None or login.nonce != self._nonce:
            challenge = make_challenge(REALM, self._nonce, stale=login is not None)
            return 401, [("WWW-Authenticate", str(challenge))]
        if login.username != USERNAME or not check(login, request.method, PASSWORD):
            return 403, []
        try:
            asked = {str(each.uri): _expires(request, each) for each in _contacts(request)}
        except SipParseError:
            return 400, []
        if any(0 < seconds < SHORTEST_S for seconds in asked.values()):
            return 423, [("Min-Expires", str(SHORTEST_S))]
        self._keep(asked, now)
        kept = [f"<{uri}>;expires={round(until - now)}" for uri, until in self.bindings.items()]
        return 200, [("Contact", each) for each in kept]

    def _keep(self, asked: dict[str, int], now: float) -> None:
        for uri, seconds in asked.items():
            self.bindings[uri] = now + min(seconds, LONGEST_S)
        valid = [(uri, until) for uri, until in self.bindings.items() if until > now]
        self.bindings = dict(valid[-_MOST_CONTACTS:])


def _login(request: Request) -> DigestCredentials | None:
    for value in request.headers.get_all("Authorization"):
        try:
            return DigestCredentials.parse(value)
        except SipParseError:
            continue
    return None


def _contacts(request: Request) -> list[NameAddr]:
    return [NameAddr.parse(value) for value in request.headers.get_all("Contact")]


def _expires(request: Request, contact: NameAddr) -> int:
    text = contact.parameters.get("expires") or request.headers.get("Expires") or str(LONGEST_S)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else LONGEST_S
