"""One registration: REGISTER, its digest rounds, refreshes and retries, and its removal (RFC 3261 §10.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.digest import Credentials
from outdial.sip.headers.retry_after import retry_after_of
from outdial.sip.message import Headers, Request, Response
from outdial.sip.registration.granted import granted_s, min_expires_s
from outdial.sip.registration.pauses import SHORTEST_GRANT_S, refresh_after_s, retry_after_s
from outdial.sip.registration.status import RegistrationProblem as Problem
from outdial.sip.registration.status import RegistrationStatus
from outdial.sip.registration.table import REGISTRATION
from outdial.sip.registration.table import RegistrationAction as Action
from outdial.sip.registration.table import RegistrationInput as Input
from outdial.sip.registration.table import RegistrationState as State
from outdial.sip.responses import ALLOW
from outdial.sip.session.challenge import CHALLENGE_STATUSES, Authenticator
from outdial.sip.timers import Timer, TimerQueue
from outdial.sip.transaction_layer import TransactionLayer
from outdial.sip.transport import Address
from outdial.sip.uri import SipUri

_BOUND = (State.REGISTERED, State.REFRESHING, State.RETRYING)
_MAX_LENGTHENINGS = 3
"""A registrar that wants more with each 423 would be asked for ever."""
_UNAVAILABLE = (408, 500, 502, 503, 504)
"""Statuses of a registrar that cannot answer just now; all other failures are an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is registered, and where."""

    registrar: SipUri
    """The Request-URI: the domain of the account, without a user (§10.2)."""
    user: str
    """The user part of the address of record, and of our Contact."""
    expires_s: int
    """What we ask for."""
    credentials: Credentials | None = None
    user_agent: str = "Outdial"

    @property
    def address_of_record(self) -> str:
        """To and From of every REGISTER."""
        return f"<{SipUri.for_user(self.user, self.registrar.host, self.registrar.port)}>"


@dataclass(frozen=True, slots=True)
class Located:
    """Where the registrar is now, and where it finds us."""

    destinations: tuple[Address, ...]
    """In the order in which they are tried (RFC 3263 §4.3); one at least."""
    sent_by: Address
    """Our address towards them, for Via and Contact."""


class RegistrationUser(Protocol):
    """Who keeps a registration. All but `locate` must only take note."""

    def locate(self) -> None:
        """Look for the registrar's addresses; then call `located` or `unlocated`, not before this returns."""
        ...

    def on_status(self, status: RegistrationStatus) -> None:
        """Take news."""
        ...

    def on_address(self, address: Address, *, answers: bool) -> None:
        """Take note of whether an address of the registrar answers."""
        ...


class Registration:
    """One binding of our address to an account. `random` returns numbers from 0 to 1."""

    def __init__(
        self,
        layer: TransactionLayer,
        new_token: Callable[[], str],
        account: Account,
        user: RegistrationUser,
        random: Callable[[], float],
    ) -> None:
        self.state = State.UNREGISTERED
        self._layer = layer
        self._account = account
        self._user = user
        self._random = random
        self._authenticator = Authenticator(account.credentials, new_token)
        self._authentication = self._authenticator.begin()
        self._call_id = new_token()
        self._tag = new_token()
        self._sequence = 0
        self._asked_s = account.expires_s
        self._lengthenings = 0
        self._located = Located((), ("", 0))
        self._place = 0
        self._carried_login = False
        self._failures = 0
        self._granted_s = 0
        self._retry_after_s: int | None = None
        self._again: Timer | None = None
        self._lapse: Timer | None = None
        self._status = RegistrationStatus()
        self._problem: tuple[Problem | None, int | None, str] = (None, None, "")

    @property
    def sent_by(self) -> Address:
        """Our address as it is registered, or being registered."""
        return self._located.sent_by

    @property
    def destination(self) -> Address | None:
        """Where the last REGISTER went, None before the first."""
        return self._located.destinations[self._place] if self._located.destinations else None

    def start(self, now: float) -> None:
        """Register, or refresh at once: our address, or something else that matters, has changed."""
        self._feed(Input.START, now)

    def located(self, located: Located, now: float) -> None:
        """Take the addresses that `locate` asked for."""
        self._authentication = self._authenticator.begin()
        # What is removed is the address that was registered, and from where it was.
        if self.state is not State.LEAVING or not self._located.destinations:
            self._located, self._place = located, 0
        self._feed(Input.LOCATED, now)

    def unlocated(self, problem: str, now: float) -> None:
        """Take the news that there is no address, or no way to one."""
        self._problem, self._retry_after_s = (Problem.UNLOCATED, None, problem), None
        self._feed(Input.UNLOCATED, now)

    def stop(self, now: float) -> None:
        """Remove our address from the registrar (§10.2.2); the status says when it has `ended`."""
        if self.state in (State.REGISTERED, State.RETRYING):
            self._authentication = self._authenticator.begin()
        self._feed(Input.STOP, now)

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """It is in the trace of no call."""

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response."""
        if response.status < 200:
            return
        self._user.on_address(transaction.destination, answers=response.status != 503)
        self._feed(self._classify(response), now)

    def on_no_response(self, transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        """Take the silence of an address, or a network that refused."""
        self._user.on_address(transaction.destination, answers=False)
        problem = Problem.UNREACHABLE if transport_failed else Problem.NO_ANSWER
        self._problem, self._retry_after_s = (problem, None, ""), None
        self._feed(Input.NEXT_ADDRESS if self._another_is_left else Input.UNAVAILABLE, now)

    def on_timer(self, kind: object, now: float) -> None:
        """Take the timer of a refresh, a retry or the expiry."""
        assert isinstance(kind, Input)
        self._feed(kind, now)

    @property
    def _another_is_left(self) -> bool:
        return self._place + 1 < len(self._located.destinations)

    def _classify(self, response: Response) -> Input:
        status = response.status
        if status < 300:
            return self._take_grant(response)
        self._retry_after_s = retry_after_of(response.headers)
        if status in CHALLENGE_STATUSES and self._authentication.take(response):
            return Input.CHALLENGE
        if status == 423 and self._lengthen(response):
            return Input.TOO_BRIEF
        self._problem = (self._problem_of(status), status, response.reason)
        if status == 503 and self._another_is_left:
            return Input.NEXT_ADDRESS
        return Input.UNAVAILABLE if status in _UNAVAILABLE else Input.REFUSED

    def _take_grant(self, response: Response) -> Input:
        if self.state is State.REMOVING:
            return Input.GRANTED
        self._granted_s = granted_s(response, self._contact, self._asked_s)
        if self._granted_s > 0:
            self._problem = (None, None, "")
            return Input.GRANTED
        self._retry_after_s = None
        self._problem = (Problem.NOT_KEPT, response.status, response.reason)
        return Input.REFUSED

    def _lengthen(self, response: Response) -> bool:
        """Take a 423 (§10.2.8); True if a longer time should be asked for, now and from now on."""
        wanted = min_expires_s(response)
        if wanted is None or wanted <= self._asked_s or self._lengthenings >= _MAX_LENGTHENINGS:
            return False
        self._lengthenings += 1
        self._asked_s = wanted
        return True

    def _problem_of(self, status: int) -> Problem:
        if self._carried_login and status in (403, *CHALLENGE_STATUSES):
            return Problem.LOGIN_REFUSED
        return Problem.LOGIN_WANTED if status in CHALLENGE_STATUSES else Problem.REFUSED

    def _feed(self, symbol: Input, now: float) -> None:
        self.state, actions = REGISTRATION.step(self.state, symbol)
        for action in actions:
            self._act(action, now)

    def _act(self, action: Action, now: float) -> None:
        match action:
            case Action.LOCATE:
                self._timers.cancel(self._again)
                self._lengthenings = 0
                self._user.locate()
            case Action.SEND:
                self._send(self._asked_s, now)
            case Action.TRY_NEXT:
                self._place += 1
                self._authentication = self._authenticator.begin()
                self._send(self._asked_s, now)
            case Action.KEEP:
                self._keep(now)
            case Action.LOSE:
                self._timers.cancel(self._lapse)
                self._lapse = None
            case Action.BACK_OFF:
                self._back_off(now)
            case Action.REMOVE:
                self._stop_timers()
                self._send(0, now)
            case Action.END:
                self._stop_timers()
            case Action.REPORT:
                self._report()
            case _:
                assert_never(action)

    def _keep(self, now: float) -> None:
        self._failures = 0
        kept_s = max(self._granted_s, SHORTEST_GRANT_S)
        refresh_at = now + refresh_after_s(kept_s, self._random())
        self._stop_timers()
        self._again = self._timers.start(refresh_at, self, Input.REFRESH_DUE)
        self._lapse = self._timers.start(now + kept_s, self, Input.LAPSED)

    def _back_off(self, now: float) -> None:
        self._failures += 1
        _, status, _ = self._problem
        refused = status is not None and status not in _UNAVAILABLE
        pause = retry_after_s(
            self._failures, refused=refused, wanted_s=self._retry_after_s, random=self._random()
        )
        self._again = self._timers.start(now + pause, self, Input.RETRY_DUE)

    def _stop_timers(self) -> None:
        self._timers.cancel(self._again)
        self._timers.cancel(self._lapse)
        self._again = self._lapse = None

    def _report(self) -> None:
        problem, status, reason = self._problem
        self._user.on_status(
            RegistrationStatus(
                registered=self.state in _BOUND,
                ended=self.state is State.ENDED,
                contact=str(self._contact) if self._located.destinations else "",
                until=self._lapse.at if self._lapse is not None else None,
                retry_at=self._again.at if self._again is not None and problem is not None else None,
                problem=problem,
                status=status,
                reason=reason,
            )
        )

    def _send(self, expires_s: int, now: float) -> None:
        """Send a REGISTER: the same Call-ID with a growing CSeq (§10.2), the time in both places."""
        self._sequence += 1
        account = self._account
        headers = Headers([("Max-Forwards", "70")])
        headers.add("From", f"{account.address_of_record};tag={self._tag}")
        headers.add("To", account.address_of_record)
        headers.add("Call-ID", self._call_id)
        headers.add("CSeq", f"{self._sequence} REGISTER")
        headers.add("Contact", f"<{self._contact}>;expires={expires_s}")
        headers.add("Expires", str(expires_s))
        headers.add("Allow", ALLOW)
        headers.add("User-Agent", account.user_agent)
        request = Request("REGISTER", str(account.registrar), headers)
        self._authenticator.authorize(request)
        self._carried_login = "Authorization" in headers or "Proxy-Authorization" in headers
        destination = self.destination
        assert destination is not None
        self._layer.send_request(request, destination, self, now, via=self._layer.new_via(self.sent_by))

    @property
    def _contact(self) -> SipUri:
        return SipUri.for_user(self._account.user, *self.sent_by)

    @property
    def _timers(self) -> TimerQueue:
        return self._layer.wire.timers
