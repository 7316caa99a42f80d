"""Answering digest challenges, whatever request they met (RFC 3261 §22.2 and §22.3, RFC 8760)."""

from collections.abc import Callable

from outdial.sip.digest import Credentials, authorize, choose, is_answerable
from outdial.sip.headers.challenge import Challenge
from outdial.sip.message import Request, Response

CHALLENGE_STATUSES = (401, 407)
"""By the far end itself, and by a proxy on the way."""

_Realm = tuple[bool, str]


class Authenticator:
    """The digest memory of one session: the last challenge of each realm, and how often its nonce was used.

    Every request after the first challenge carries credentials at once (nonce reuse with a growing `nc`), so
    that BYE and re-INVITE need no second round unless the nonce went stale.
    """

    def __init__(self, credentials: Credentials | None, new_token: Callable[[], str]) -> None:
        self._credentials = credentials
        self._new_token = new_token
        self._challenges: dict[_Realm, Challenge] = {}
        self._nonce_counts: dict[str, int] = {}

    def begin(self) -> "Authentication":
        """Start counting the challenges that one request meets."""
        return Authentication(self)

    def authorize(self, request: Request) -> None:
        """Add credentials for every realm that has asked so far."""
        if self._credentials is None:
            return
        for challenge in self._challenges.values():
            count = self._nonce_counts.get(challenge.nonce, 0) + 1
            self._nonce_counts[challenge.nonce] = count
            name, value = authorize(
                [challenge],
                self._credentials,
                method=request.method,
                uri=request.uri,
                nonce_count=count,
                cnonce=self._new_token(),
                body=request.body,
            )
            request.headers.add(name, value)

    def remember(self, response: Response) -> list[Challenge]:
        """Keep the strongest challenge of each realm of a 401 or 407 that we can answer, and return them.

        A forking proxy hands on the challenges of several realms at once (§16.7 step 7).
        """
        if self._credentials is None:
            return []
        proxy = response.status == 407
        header = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        by_realm: dict[str, list[Challenge]] = {}
        for challenge in Challenge.parse_all(response.headers.get_all(header), proxy=proxy):
            if is_answerable(challenge):
                by_realm.setdefault(challenge.realm, []).append(challenge)
        chosen = [choose(challenges) for challenges in by_realm.values()]
        for challenge in chosen:
            self._challenges[proxy, challenge.realm] = challenge
        # A registration meets a new nonce with every refresh, for years.
        valid = {challenge.nonce for challenge in self._challenges.values()}
        self._nonce_counts = {each: n for each, n in self._nonce_counts.items() if each in valid}
        return chosen


class Authentication:
    """The challenges that one request met on its way.

    A realm may ask once, and again only if it says that the nonce was stale; otherwise it refused the
    credentials, and asking for ever would lock the account.
    """

    MAX_ROUNDS = 5

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._asked: set[_Realm] = set()
        self._rounds = 0

    def take(self, response: Response) -> bool:
        """Note a challenge; True if the request should be sent again with credentials."""
        self._rounds += 1
        challenges = self._authenticator.remember(response)
        if not challenges or self._rounds > self.MAX_ROUNDS:
            return False
        refused = any((c.proxy, c.realm) in self._asked and not c.stale for c in challenges)
        self._asked.update((c.proxy, c.realm) for c in challenges)
        return not refused
