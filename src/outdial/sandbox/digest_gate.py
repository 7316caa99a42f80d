"""Digest as a phone asks for it, on the INVITE and on everything inside the dialog (RFC 3261 section 22)."""

from collections.abc import Callable

from outdial.errors import SipParseError
from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.sandbox.phone import Phone
from outdial.sip.digest import check, make_challenge
from outdial.sip.headers.credentials import DigestCredentials
from outdial.sip.message import Request

REALM = "sandbox"


class DigestGate:
    """The digest memory of one call to a phone.

    It is strict, because carriers are: the nonce must be the one it gave out, for the same Request-URI, and
    the nonce count must grow.
    """

    def __init__(self, phone: Phone, new_token: Callable[[], str]) -> None:
        self._phone = phone
        self._new_token = new_token
        self._proxy = phone.challenge == 407
        self._nonce = new_token()
        self._last_count = 0
        self._stale_since_answer = False

    def admits(self, request: Request) -> bool:
        """Whether the request proves the password, with a nonce that still holds."""
        if self._phone.challenge is None:
            return True
        name = "Proxy-Authorization" if self._proxy else "Authorization"
        for value in request.headers.get_all(name):
            try:
                answer = DigestCredentials.parse(value)
            except SipParseError:
                continue
            if self._is_right(answer, request):
                self._last_count = answer.nonce_count or 0
                return True
        return False

    def challenge(self) -> tuple[int, tuple[str, str]]:
        """The status and header that ask for credentials."""
        challenge = make_challenge(
            REALM,
            self._nonce,
            algorithm=self._phone.algorithm,
            stale=self._stale_since_answer,
            proxy=self._proxy,
        )
        name = "Proxy-Authenticate" if self._proxy else "WWW-Authenticate"
        return 407 if self._proxy else 401, (name, str(challenge))

    def dialog_begins(self) -> None:
        """The call is up: a phone with ``stale`` has forgotten the nonce of the INVITE."""
        if self._phone.stale:
            self._nonce = self._new_token()
            self._last_count = 0
            self._stale_since_answer = True

    def _is_right(self, answer: DigestCredentials, request: Request) -> bool:
        return (
            not self._phone.refuses_credentials
            and answer.username == USERNAME
            and answer.realm == REALM
            and answer.nonce == self._nonce
            and answer.uri == request.uri
            and answer.algorithm.upper() == self._phone.algorithm
            and (answer.nonce_count or 0) > self._last_count
            and check(answer, request.method, PASSWORD, request.body)
        )
