"""Repeating a 2xx to INVITE until its ACK arrives (RFC 3261 §13.3.1.4)."""

from collections.abc import Callable
from enum import Enum

from outdial.sip.message import Response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.timers import Timer
from outdial.sip.transport import Wire


class _Kind(Enum):
    REPEAT = "repeat"
    GIVE_UP = "give up"


class SuccessRetransmission:
    """One 2xx under way: sent at T1, doubling up to T2, for 64·T1."""

    def __init__(
        self,
        wire: Wire,
        transaction: ServerTransaction,
        response: Response,
        on_missing_ack: Callable[[float], None],
    ) -> None:
        self.sequence = transaction.request.cseq.number
        """The CSeq number that the ACK must have."""
        self._wire = wire
        self._transaction = transaction
        self._response = response
        self._on_missing_ack = on_missing_ack
        self._interval = wire.timer_values.t1
        self._repeat: Timer | None = None
        self._give_up: Timer | None = None

    def start(self, now: float) -> None:
        """Send it for the first time."""
        self._transaction.respond(self._response, now)
        self._repeat = self._wire.timers.start(now + self._interval, self, _Kind.REPEAT)
        timeout = self._wire.timer_values.transaction_timeout
        self._give_up = self._wire.timers.start(now + timeout, self, _Kind.GIVE_UP)

    def stop(self) -> None:
        """The ACK arrived, or the session is over."""
        self._wire.timers.cancel(self._repeat)
        self._wire.timers.cancel(self._give_up)

    def on_timer(self, kind: object, now: float) -> None:
        """Send again, or report that no ACK came."""
        if kind is _Kind.GIVE_UP:
            self.stop()
            self._on_missing_ack(now)
            return
        self._interval = min(self._interval * 2, self._wire.timer_values.t2)
        self._repeat = self._wire.timers.start(now + self._interval, self, _Kind.REPEAT)
        self._transaction.respond(self._response, now)
