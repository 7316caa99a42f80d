"""Client transactions: the request side of RFC 3261 §17.1, with RFC 6026's Accepted state.

Two machines, each one table: INVITE (§17.1.1, figure 5, as amended by RFC 6026 §7.2) and every other
method (§17.1.2, figure 6). A transaction retransmits, acknowledges failures and passes responses up; what
a response means is its user's concern.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from outdial.sip.acknowledge import ack_for_failure
from outdial.sip.message import Request, Response
from outdial.sip.state_table import StateTable
from outdial.sip.timers import Timer
from outdial.sip.transport import Address, MessageObserver, Wire


class InviteState(Enum):
    """States of an INVITE client transaction (RFC 6026 §7.2)."""

    CALLING = "Calling"
    PROCEEDING = "Proceeding"
    EXPIRED = "Expired"
    """Timer B fired (a state of ours): whoever rings or picks up after all is still heard."""
    COMPLETED = "Completed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"


class InviteInput(Enum):
    """What can happen to an INVITE client transaction."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    TIMER_A = "Timer A"
    TIMER_B = "Timer B"
    TIMER_D = "Timer D"
    TIMER_M = "Timer M"
    ABANDON = "abandoned"
    TRANSPORT_ERROR = "transport error"


class RequestState(Enum):
    """States of a non-INVITE client transaction (§17.1.2.2)."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


class RequestInput(Enum):
    """What can happen to a non-INVITE client transaction."""

    PROVISIONAL = "1xx"
    FINAL = "200-699"
    TIMER_E = "Timer E"
    TIMER_F = "Timer F"
    TIMER_K = "Timer K"
    TRANSPORT_ERROR = "transport error"


class Action(Enum):
    """What a client transaction does on a transition."""

    RETRANSMIT = "send the request again"
    ACKNOWLEDGE = "send ACK"
    PASS_UP = "pass the response up"  # noqa: S105 — no password
    REPORT_TIMEOUT = "report timeout"
    REPORT_TRANSPORT_ERROR = "report transport error"
    LINGER_FOR_FAILURES = "start Timer D"
    LINGER_FOR_SUCCESSES = "start Timer M"
    LINGER = "start Timer K"


_S, _I, _A = InviteState, InviteInput, Action

INVITE_CLIENT: StateTable[InviteState, InviteInput, Action] = StateTable(
    name="INVITE client transaction",
    states=InviteState,
    inputs=InviteInput,
    transitions={
        (_S.CALLING, _I.TIMER_A): (_S.CALLING, (_A.RETRANSMIT,)),
        # §17.1.1.2 would forget it now. It lingers as after a failure: where the responses were lost, a late
        # 1xx is a phone that rings for nobody, and a late 2xx somebody who picked up.
        (_S.CALLING, _I.TIMER_B): (_S.EXPIRED, (_A.LINGER_FOR_FAILURES, _A.REPORT_TIMEOUT)),
        (_S.CALLING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.PASS_UP,)),
        (_S.CALLING, _I.SUCCESS): (_S.ACCEPTED, (_A.LINGER_FOR_SUCCESSES, _A.PASS_UP)),
        (_S.CALLING, _I.FAILURE): (_S.COMPLETED, (_A.ACKNOWLEDGE, _A.LINGER_FOR_FAILURES, _A.PASS_UP)),
        (_S.CALLING, _I.ABANDON): (_S.COMPLETED, (_A.LINGER_FOR_FAILURES,)),
        (_S.CALLING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (_A.REPORT_TRANSPORT_ERROR,)),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.PASS_UP,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.ACCEPTED, (_A.LINGER_FOR_SUCCESSES, _A.PASS_UP)),
        (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (_A.ACKNOWLEDGE, _A.LINGER_FOR_FAILURES, _A.PASS_UP)),
        # §9.1: without a final response 64*T1 after the CANCEL the transaction has to go, and no timer of its
        # own would ever end it here. It lingers as after a failure: a late 2xx is somebody who picked up.
        (_S.PROCEEDING, _I.ABANDON): (_S.COMPLETED, (_A.LINGER_FOR_FAILURES,)),
        (_S.EXPIRED, _I.PROVISIONAL): (_S.EXPIRED, (_A.PASS_UP,)),
        (_S.EXPIRED, _I.SUCCESS): (_S.ACCEPTED, (_A.LINGER_FOR_SUCCESSES, _A.PASS_UP)),
        (_S.EXPIRED, _I.FAILURE): (_S.COMPLETED, (_A.ACKNOWLEDGE,)),
        (_S.EXPIRED, _I.TIMER_D): (_S.TERMINATED, ()),
        (_S.EXPIRED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
        (_S.COMPLETED, _I.FAILURE): (_S.COMPLETED, (_A.ACKNOWLEDGE,)),
        # A forking proxy forwards a 2xx even after a failure (§16.7 step 5): somebody picked up.
        (_S.COMPLETED, _I.SUCCESS): (_S.ACCEPTED, (_A.LINGER_FOR_SUCCESSES, _A.PASS_UP)),
        (_S.COMPLETED, _I.TIMER_D): (_S.TERMINATED, ()),
        (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
        (_S.ACCEPTED, _I.SUCCESS): (_S.ACCEPTED, (_A.PASS_UP,)),
        (_S.ACCEPTED, _I.TIMER_M): (_S.TERMINATED, ()),
    },
    ignored=frozenset(
        {
            (_S.CALLING, _I.TIMER_D),
            (_S.CALLING, _I.TIMER_M),
            (_S.PROCEEDING, _I.TIMER_A),
            (_S.PROCEEDING, _I.TIMER_B),
            (_S.PROCEEDING, _I.TIMER_D),
            (_S.PROCEEDING, _I.TIMER_M),
            (_S.PROCEEDING, _I.TRANSPORT_ERROR),  # nothing of ours is under way; the ring timeout bounds it
            (_S.EXPIRED, _I.TIMER_A),
            (_S.EXPIRED, _I.TIMER_B),
            (_S.EXPIRED, _I.TIMER_M),
            (_S.EXPIRED, _I.ABANDON),
            (_S.COMPLETED, _I.PROVISIONAL),
            (_S.COMPLETED, _I.TIMER_A),
            (_S.COMPLETED, _I.TIMER_B),
            (_S.COMPLETED, _I.TIMER_M),
            (_S.COMPLETED, _I.ABANDON),
            (_S.ACCEPTED, _I.PROVISIONAL),
            (_S.ACCEPTED, _I.FAILURE),
            (_S.ACCEPTED, _I.TIMER_A),
            (_S.ACCEPTED, _I.TIMER_B),
            (_S.ACCEPTED, _I.TIMER_D),  # from a failure that a success overtook
            (_S.ACCEPTED, _I.ABANDON),
            (_S.ACCEPTED, _I.TRANSPORT_ERROR),
        }
    ),
    final=_S.TERMINATED,
)

_R, _Q = RequestState, RequestInput

REQUEST_CLIENT: StateTable[RequestState, RequestInput, Action] = StateTable(
    name="non-INVITE client transaction",
    states=RequestState,
    inputs=RequestInput,
    transitions={
        (_R.TRYING, _Q.TIMER_E): (_R.TRYING, (_A.RETRANSMIT,)),
        (_R.TRYING, _Q.TIMER_F): (_R.TERMINATED, (_A.REPORT_TIMEOUT,)),
        (_R.TRYING, _Q.PROVISIONAL): (_R.PROCEEDING, (_A.PASS_UP,)),
        (_R.TRYING, _Q.FINAL): (_R.COMPLETED, (_A.LINGER, _A.PASS_UP)),
        (_R.TRYING, _Q.TRANSPORT_ERROR): (_R.TERMINATED, (_A.REPORT_TRANSPORT_ERROR,)),
        (_R.PROCEEDING, _Q.TIMER_E): (_R.PROCEEDING, (_A.RETRANSMIT,)),
        (_R.PROCEEDING, _Q.TIMER_F): (_R.TERMINATED, (_A.REPORT_TIMEOUT,)),
        (_R.PROCEEDING, _Q.PROVISIONAL): (_R.PROCEEDING, (_A.PASS_UP,)),
        (_R.PROCEEDING, _Q.FINAL): (_R.COMPLETED, (_A.LINGER, _A.PASS_UP)),
        (_R.PROCEEDING, _Q.TRANSPORT_ERROR): (_R.TERMINATED, (_A.REPORT_TRANSPORT_ERROR,)),
        (_R.COMPLETED, _Q.TIMER_K): (_R.TERMINATED, ()),
    },
    ignored=frozenset(
        {
            (_R.TRYING, _Q.TIMER_K),
            (_R.PROCEEDING, _Q.TIMER_K),
            (_R.COMPLETED, _Q.PROVISIONAL),
            (_R.COMPLETED, _Q.FINAL),
            (_R.COMPLETED, _Q.TIMER_E),
            (_R.COMPLETED, _Q.TIMER_F),
            (_R.COMPLETED, _Q.TRANSPORT_ERROR),
        }
    ),
    final=_R.TERMINATED,
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A table and which of its inputs the running transaction feeds into it."""

    table: StateTable[Any, Any, Action]
    initial: Enum
    retransmit: Enum
    timeout: Enum
    transport_error: Enum
    linger: Mapping[Action, Enum]
    """The timer that each lingering action arms."""

    def classify(self, status: int) -> Enum:
        """Turn a status code into an input."""
        if status < 200:
            return InviteInput.PROVISIONAL if self is INVITE else RequestInput.PROVISIONAL
        if self is not INVITE:
            return RequestInput.FINAL
        return InviteInput.SUCCESS if status < 300 else InviteInput.FAILURE


INVITE = Machine(
    table=INVITE_CLIENT,
    initial=InviteState.CALLING,
    retransmit=InviteInput.TIMER_A,
    timeout=InviteInput.TIMER_B,
    transport_error=InviteInput.TRANSPORT_ERROR,
    linger={
        Action.LINGER_FOR_FAILURES: InviteInput.TIMER_D,
        Action.LINGER_FOR_SUCCESSES: InviteInput.TIMER_M,
    },
)
NON_INVITE = Machine(
    table=REQUEST_CLIENT,
    initial=RequestState.TRYING,
    retransmit=RequestInput.TIMER_E,
    timeout=RequestInput.TIMER_F,
    transport_error=RequestInput.TRANSPORT_ERROR,
    linger={Action.LINGER: RequestInput.TIMER_K},
)


class ClientTransactionUser(MessageObserver, Protocol):
    """Who sent the request (the "TU" of §17)."""

    def on_response(self, transaction: "ClientTransaction", response: Response, now: float) -> None:
        """Take a response: provisionals and finals in order; a 2xx of INVITE each time that it arrives."""
        ...

    def on_no_response(self, transaction: "ClientTransaction", now: float, *, transport_failed: bool) -> None:
        """Take the news that no final response will come: Timer B or F, or the network refused to send."""
        ...


class ClientTransaction:
    """One request on its way, from the first datagram until the last retransmission is certainly over."""

    __slots__ = (
        "_datagram",
        "_interval",
        "_machine",
        "_on_terminated",
        "_retransmit_timer",
        "_timeout_at",
        "_timers",
        "_wire",
        "branch",
        "destination",
        "request",
        "state",
        "user",
    )

    def __init__(
        self,
        request: Request,
        destination: Address,
        user: ClientTransactionUser,
        wire: Wire,
        on_terminated: "Callable[[ClientTransaction], None]",
    ) -> None:
        self.request = request
        self.branch = request.top_via.branch or ""
        self.destination = destination
        self.user = user
        self._wire = wire
        self._on_terminated = on_terminated
        self._machine = INVITE if request.method == "INVITE" else NON_INVITE
        self.state: Enum = self._machine.initial
        self._datagram = request.to_bytes()
        self._interval = wire.timer_values.t1
        self._retransmit_timer: Timer | None = None
        self._timeout_at = 0.0
        self._timers: list[Timer] = []

    @property
    def key(self) -> tuple[str, str]:
        """What a response must match (§17.1.3): the branch and the CSeq method."""
        return self.branch, self.request.method

    @property
    def terminated(self) -> bool:
        """Whether it is over."""
        return self.state is self._machine.table.final

    def start(self, now: float) -> None:
        """Send the request and arm Timers A and B, or E and F. A failing transport is reported at once."""
        self._timeout_at = now + self._wire.timer_values.transaction_timeout
        self._arm(self._machine.timeout, self._timeout_at)
        self._retransmit_timer = self._wire.timers.start(now + self._interval, self, self._machine.retransmit)
        self._wire.send(self._datagram, self.destination, self.user, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched."""
        self._feed(self._machine.classify(response.status), now, response)

    def on_timer(self, kind: object, now: float) -> None:
        """Take one of the timers A, B, D, E, F, K, M."""
        assert isinstance(kind, Enum)
        if kind is self._machine.retransmit and now >= self._timeout_at:
            # The process was stopped for a while, and Timer B or F is due as well. The far end has forgotten
            # the request by now: it would take a copy for a new one and let the phone ring again.
            return
        self._feed(kind, now)

    def expire(self, now: float) -> None:
        """Wait no longer for the first response to an INVITE: Timer B, before its time."""
        self._feed(InviteInput.TIMER_B, now)

    def abandon(self, now: float) -> None:
        """Wait no longer for the final response to an INVITE: it was cancelled (§9.1), or all is over."""
        self._feed(InviteInput.ABANDON, now)

    def sent(self, beginning: bytes) -> bool:
        """Whether its request begins like this, and the branch is in what is compared."""
        return self._datagram.startswith(beginning) and self.branch.encode() in beginning

    def on_transport_error(self, now: float) -> None:
        """Take an error of the network (ICMP unreachable, no route)."""
        self._feed(self._machine.transport_error, now)

    def _feed(self, symbol: Enum, now: float, response: Response | None = None) -> None:
        self.state, actions = self._machine.table.step(self.state, symbol)
        for action in actions:
            self._act(action, now, response)
        if self.terminated:
            self._end()

    def _act(self, action: Action, now: float, response: Response | None) -> None:
        match action:
            case Action.RETRANSMIT:
                self._retransmit(now)
            case Action.ACKNOWLEDGE:
                assert response is not None
                ack = ack_for_failure(self.request, response).to_bytes()
                self._wire.send(ack, self.destination, self.user, now)
            case Action.PASS_UP:
                assert response is not None
                self.user.on_response(self, response, now)
            case Action.REPORT_TIMEOUT:
                self.user.on_no_response(self, now, transport_failed=False)
            case Action.REPORT_TRANSPORT_ERROR:
                self.user.on_no_response(self, now, transport_failed=True)
            case Action.LINGER_FOR_FAILURES | Action.LINGER_FOR_SUCCESSES | Action.LINGER:
                self._linger(action, now)

    def _retransmit(self, now: float) -> None:
        """Send again; INVITE doubles its interval for ever (§17.1.1.2), the others up to T2 (§17.1.2.2)."""
        self._interval *= 2
        if self._machine is NON_INVITE:
            t2 = self._wire.timer_values.t2
            self._interval = t2 if self.state is RequestState.PROCEEDING else min(self._interval, t2)
        self._retransmit_timer = self._wire.timers.start(now + self._interval, self, self._machine.retransmit)
        self._wire.send(self._datagram, self.destination, self.user, now)

    def _linger(self, action: Action, now: float) -> None:
        """Stop retransmitting, and stay for as long as the far end may still repeat its response."""
        self._cancel_timers()
        values = self._wire.timer_values
        delay = {
            Action.LINGER_FOR_FAILURES: values.wait_for_response_retransmits,
            Action.LINGER_FOR_SUCCESSES: values.transaction_timeout,
        }.get(action, values.t4)
        self._arm(self._machine.linger[action], now + delay)

    def _arm(self, kind: Enum, at: float) -> None:
        self._timers.append(self._wire.timers.start(at, self, kind))

    def _cancel_timers(self) -> None:
        self._wire.timers.cancel(self._retransmit_timer)
        for timer in self._timers:
            self._wire.timers.cancel(timer)
        self._timers.clear()

    def _end(self) -> None:
        self._cancel_timers()
        self._on_terminated(self)
