"""Server transactions: the response side of RFC 3261 §17.2, with RFC 6026's Accepted state.

Two machines, each one table: INVITE (§17.2.1, figure 7, as amended by RFC 6026 §7.1) and every other
method (§17.2.2, figure 8). A request that is repeated gets the last response again; the user sees it once.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from outdial.sip.message import Request, Response
from outdial.sip.state_table import StateTable
from outdial.sip.timers import Timer
from outdial.sip.transport import Address, MessageObserver, Wire


class InviteState(Enum):
    """States of an INVITE server transaction (RFC 6026 §7.1)."""

    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"


class InviteInput(Enum):
    """What can happen to an INVITE server transaction."""

    REPEATED = "INVITE again"
    ACK = "ACK"
    SEND_PROVISIONAL = "send 1xx"
    SEND_SUCCESS = "send 2xx"
    SEND_FAILURE = "send 300-699"
    TIMER_G = "Timer G"
    TIMER_H = "Timer H"
    TIMER_I = "Timer I"
    TIMER_L = "Timer L"


class RequestState(Enum):
    """States of a non-INVITE server transaction (§17.2.2)."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


class RequestInput(Enum):
    """What can happen to a non-INVITE server transaction."""

    REPEATED = "request again"
    SEND_PROVISIONAL = "send 1xx"
    SEND_FINAL = "send 200-699"
    TIMER_J = "Timer J"


class Action(Enum):
    """What a server transaction does on a transition."""

    SEND = "send the response"
    REPEAT = "send the last response again"
    START_RETRANSMISSION = "start Timers G and H"
    RETRANSMIT = "send the last response again, restart Timer G"
    ABSORB_ACKS = "start Timer I"
    ABSORB_INVITES = "start Timer L"
    ABSORB_REQUESTS = "start Timer J"


_S, _I, _A = InviteState, InviteInput, Action

INVITE_SERVER: StateTable[InviteState, InviteInput, Action] = StateTable(
    name="INVITE server transaction",
    states=InviteState,
    inputs=InviteInput,
    transitions={
        (_S.PROCEEDING, _I.REPEATED): (_S.PROCEEDING, (_A.REPEAT,)),
        (_S.PROCEEDING, _I.SEND_PROVISIONAL): (_S.PROCEEDING, (_A.SEND,)),
        (_S.PROCEEDING, _I.SEND_SUCCESS): (_S.ACCEPTED, (_A.SEND, _A.ABSORB_INVITES)),
        (_S.PROCEEDING, _I.SEND_FAILURE): (_S.COMPLETED, (_A.SEND, _A.START_RETRANSMISSION)),
        (_S.COMPLETED, _I.REPEATED): (_S.COMPLETED, (_A.REPEAT,)),
        (_S.COMPLETED, _I.TIMER_G): (_S.COMPLETED, (_A.RETRANSMIT,)),
        (_S.COMPLETED, _I.TIMER_H): (_S.TERMINATED, ()),
        (_S.COMPLETED, _I.ACK): (_S.CONFIRMED, (_A.ABSORB_ACKS,)),
        (_S.CONFIRMED, _I.TIMER_I): (_S.TERMINATED, ()),
        # The session repeats its 2xx until the ACK of the dialog arrives (§13.3.1.4).
        (_S.ACCEPTED, _I.SEND_SUCCESS): (_S.ACCEPTED, (_A.SEND,)),
        (_S.ACCEPTED, _I.TIMER_L): (_S.TERMINATED, ()),
    },
    ignored=frozenset(
        {
            (_S.PROCEEDING, _I.ACK),
            (_S.PROCEEDING, _I.TIMER_G),
            (_S.PROCEEDING, _I.TIMER_H),
            (_S.PROCEEDING, _I.TIMER_I),
            (_S.PROCEEDING, _I.TIMER_L),
            (_S.COMPLETED, _I.SEND_PROVISIONAL),
            (_S.COMPLETED, _I.SEND_SUCCESS),
            (_S.COMPLETED, _I.SEND_FAILURE),
            (_S.COMPLETED, _I.TIMER_I),
            (_S.COMPLETED, _I.TIMER_L),
            (_S.CONFIRMED, _I.REPEATED),
            (_S.CONFIRMED, _I.ACK),
            (_S.CONFIRMED, _I.SEND_PROVISIONAL),
            (_S.CONFIRMED, _I.SEND_SUCCESS),
            (_S.CONFIRMED, _I.SEND_FAILURE),
            (_S.CONFIRMED, _I.TIMER_G),
            (_S.CONFIRMED, _I.TIMER_H),
            (_S.CONFIRMED, _I.TIMER_L),
            (_S.ACCEPTED, _I.REPEATED),  # absorbed (RFC 6026 §7.1): the 2xx is repeated by the session
            (_S.ACCEPTED, _I.ACK),
            (_S.ACCEPTED, _I.SEND_PROVISIONAL),
            (_S.ACCEPTED, _I.SEND_FAILURE),
            (_S.ACCEPTED, _I.TIMER_G),
            (_S.ACCEPTED, _I.TIMER_H),
            (_S.ACCEPTED, _I.TIMER_I),
        }
    ),
    final=_S.TERMINATED,
)

_R, _Q = RequestState, RequestInput

REQUEST_SERVER: StateTable[RequestState, RequestInput, Action] = StateTable(
    name="non-INVITE server transaction",
    states=RequestState,
    inputs=RequestInput,
    transitions={
        (_R.TRYING, _Q.SEND_PROVISIONAL): (_R.PROCEEDING, (_A.SEND,)),
        (_R.TRYING, _Q.SEND_FINAL): (_R.COMPLETED, (_A.SEND, _A.ABSORB_REQUESTS)),
        (_R.PROCEEDING, _Q.REPEATED): (_R.PROCEEDING, (_A.REPEAT,)),
        (_R.PROCEEDING, _Q.SEND_PROVISIONAL): (_R.PROCEEDING, (_A.SEND,)),
        (_R.PROCEEDING, _Q.SEND_FINAL): (_R.COMPLETED, (_A.SEND, _A.ABSORB_REQUESTS)),
        (_R.COMPLETED, _Q.REPEATED): (_R.COMPLETED, (_A.REPEAT,)),
        (_R.COMPLETED, _Q.TIMER_J): (_R.TERMINATED, ()),
    },
    ignored=frozenset(
        {
            (_R.TRYING, _Q.REPEATED),
            (_R.TRYING, _Q.TIMER_J),
            (_R.PROCEEDING, _Q.TIMER_J),
            (_R.COMPLETED, _Q.SEND_PROVISIONAL),
            (_R.COMPLETED, _Q.SEND_FINAL),
        }
    ),
    final=_R.TERMINATED,
)


class ServerTransaction:
    """One request that arrived, and the responses to it."""

    __slots__ = (
        "_interval",
        "_last_response",
        "_on_terminated",
        "_table",
        "_timers",
        "_wire",
        "data",
        "key",
        "owner",
        "reply_to",
        "request",
        "source",
        "state",
    )

    def __init__(
        self,
        key: tuple[str, ...],
        request: Request,
        data: bytes,
        source: Address,
        reply_to: Address,
        wire: Wire,
        on_terminated: "Callable[[ServerTransaction], None]",
    ) -> None:
        self.key = key
        self.request = request
        self.data = data
        """The request as it arrived, for the trace."""
        self.source = source
        self.reply_to = reply_to
        self.owner: MessageObserver | None = None
        """Who sees the responses in its trace, once the request has found its dialog."""
        self._wire = wire
        self._on_terminated = on_terminated
        invite = request.method == "INVITE"
        self._table: StateTable[Any, Any, Action] = INVITE_SERVER if invite else REQUEST_SERVER
        self.state: Enum = InviteState.PROCEEDING if invite else RequestState.TRYING
        self._last_response: bytes | None = None
        self._interval = wire.timer_values.t1
        self._timers: list[Timer] = []

    @property
    def answered(self) -> bool:
        """Whether a final response has been sent."""
        return self.state not in (InviteState.PROCEEDING, RequestState.TRYING, RequestState.PROCEEDING)

    @property
    def succeeded(self) -> bool:
        """Whether an INVITE was answered with a 2xx; its ACK then belongs to the dialog."""
        return self.state is InviteState.ACCEPTED

    def respond(self, response: Response, now: float) -> None:
        """Send a response. One that the state does not allow (a second final one) is dropped."""
        invite = self._table is INVITE_SERVER
        if response.status < 200:
            symbol: Enum = InviteInput.SEND_PROVISIONAL if invite else RequestInput.SEND_PROVISIONAL
        elif not invite:
            symbol = RequestInput.SEND_FINAL
        else:
            symbol = InviteInput.SEND_SUCCESS if response.status < 300 else InviteInput.SEND_FAILURE
        self._feed(symbol, now, response.to_bytes())

    def receive_again(self, now: float) -> None:
        """Take a retransmission of the request."""
        self._feed(InviteInput.REPEATED if self._table is INVITE_SERVER else RequestInput.REPEATED, now)

    def receive_ack(self, now: float) -> None:
        """Take the ACK of a failure."""
        self._feed(InviteInput.ACK, now)

    def on_timer(self, kind: object, now: float) -> None:
        """Take one of the timers G, H, I, J, L."""
        assert isinstance(kind, Enum)
        self._feed(kind, now)

    def _feed(self, symbol: Enum, now: float, response: bytes | None = None) -> None:
        self.state, actions = self._table.step(self.state, symbol)
        for action in actions:
            self._act(action, now, response)
        if self.state is self._table.final:
            self._cancel_timers()
            self._on_terminated(self)

    def _act(self, action: Action, now: float, response: bytes | None) -> None:
        values = self._wire.timer_values
        match action:
            case Action.SEND:
                self._last_response = response
                self._send(now)
            case Action.REPEAT:
                self._send(now)
            case Action.START_RETRANSMISSION:
                self._arm(InviteInput.TIMER_G, now + self._interval)
                self._arm(InviteInput.TIMER_H, now + values.transaction_timeout)
            case Action.RETRANSMIT:
                self._interval = min(self._interval * 2, values.t2)
                self._arm(InviteInput.TIMER_G, now + self._interval)
                self._send(now)
            case Action.ABSORB_ACKS:
                self._cancel_timers()
                self._arm(InviteInput.TIMER_I, now + values.t4)
            case Action.ABSORB_INVITES:
                self._arm(InviteInput.TIMER_L, now + values.transaction_timeout)
            case Action.ABSORB_REQUESTS:
                self._arm(RequestInput.TIMER_J, now + values.transaction_timeout)

    def _send(self, now: float) -> None:
        if self._last_response is not None:
            self._wire.send(self._last_response, self.reply_to, self.owner, now)

    def _arm(self, kind: Enum, at: float) -> None:
        self._timers.append(self._wire.timers.start(at, self, kind))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            self._wire.timers.cancel(timer)
        self._timers.clear()
