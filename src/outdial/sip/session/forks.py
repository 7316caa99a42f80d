"""Forked 2xx responses (RFC 3261 §13.2.2.4): every one is acknowledged, the extra ones are hung up.

A fork that nobody ends is a person who picked up and a carrier that bills.
"""

from dataclasses import dataclass, field

from outdial.sip.dialog import Dialog
from outdial.sip.message import Request, Response
from outdial.sip.session.bye import send_bye
from outdial.sip.session.challenge import Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.transport import Address


@dataclass(slots=True)
class Acknowledgements:
    """The ACK of each 2xx by its To-tag, so that a retransmitted 2xx gets the same ACK again."""

    context: SessionContext
    _sent: dict[str | None, tuple[bytes, Address]] = field(default_factory=dict)

    def knows(self, to_tag: str | None) -> bool:
        """Whether this 2xx has been acknowledged before."""
        return to_tag in self._sent

    def send(self, dialog: Dialog, invite: Request, now: float) -> None:
        """Acknowledge a 2xx: a request of the dialog with the INVITE's CSeq number and credentials."""
        ack = dialog.request("ACK", sequence=invite.cseq.number)
        ack.headers.add_first("Via", self.context.new_via())
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.get_all(name):
                ack.headers.add(name, value)
        datagram, destination = ack.to_bytes(), dialog.destination()
        self._sent[dialog.remote_tag] = datagram, destination
        self.context.layer.wire.send(datagram, destination, self.context, now)

    def repeat(self, to_tag: str | None, now: float) -> None:
        """Send the same ACK again for a retransmitted 2xx."""
        datagram, destination = self._sent[to_tag]
        self.context.layer.wire.send(datagram, destination, self.context, now)


def end_fork(
    context: SessionContext,
    acknowledgements: Acknowledgements,
    authenticator: Authenticator,
    invite: Request,
    response: Response,
    peer: Address,
    now: float,
) -> None:
    """Acknowledge and hang up a 2xx that we have no use for."""
    dialog = Dialog.from_response(invite, response, peer, keep_to_peer=context.keep_to_peer)
    acknowledgements.send(dialog, invite, now)
    send_bye(context, dialog, authenticator, lambda _response, _now: None, now)
