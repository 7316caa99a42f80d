"""A request that we send inside a dialog, with its digest retry (RFC 3261 §12.2.1, §22.2)."""

from collections.abc import Callable

from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.dialog import Dialog
from outdial.sip.message import Request, Response
from outdial.sip.session.challenge import CHALLENGE_STATUSES, Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.transport import Address

Completion = Callable[[Response | None, float], None]
"""Called with the final response, or None when none came; for a re-INVITE again with each repeated 2xx."""


class OutgoingRequest:
    """BYE, UPDATE or re-INVITE on its way; `describe` adds what the method needs to each new try.

    A challenge on the way is answered, not reported, as long as the request `is_wanted`.
    """

    def __init__(
        self,
        context: SessionContext,
        dialog: Dialog,
        authenticator: Authenticator,
        method: str,
        on_done: Completion,
        describe: Callable[[Request], None] = lambda _request: None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._context = context
        self._dialog = dialog
        self._authenticator = authenticator
        self._authentication = authenticator.begin()
        self._method = method
        self._on_done = on_done
        self._describe = describe
        self._is_wanted = is_wanted
        self.request: Request | None = None
        """What was sent last."""
        self._transaction: ClientTransaction | None = None

    def send(self, now: float) -> None:
        """Send it, with the next CSeq, to where the dialog leads."""
        self.request = self._dialog.request(self._method)
        self._describe(self.request)
        self._authenticator.authorize(self.request)
        self._transaction = self._context.send(self.request, self._dialog.destination(), self, now)

    def abandon(self, now: float) -> None:
        """Wait no more for the answer to an INVITE; a 2xx that comes after all is still taken."""
        if self._transaction is not None and not self._transaction.terminated:
            self._transaction.abandon(now)

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """Pass the messages on to the session's trace."""
        self._context.on_message(sent=sent, data=data, peer=peer, now=now)

    def on_response(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response."""
        if response.status < 200:
            return
        challenged = response.status in CHALLENGE_STATUSES and self._is_wanted()
        if challenged and self._authentication.take(response):
            self.send(now)
        else:
            self._on_done(response, now)

    def on_no_response(self, _transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        """Take the news that nothing will come."""
        self._on_done(None, now)
