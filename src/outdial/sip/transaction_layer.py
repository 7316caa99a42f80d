"""Matching messages to transactions (RFC 3261 §17.1.3, §17.2.3) and handing new ones up."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from outdial.errors import SipParseError
from outdial.sip.client_transaction import ClientTransaction, ClientTransactionUser
from outdial.sip.headers.via import Via
from outdial.sip.message import Request, Response
from outdial.sip.parser import KeepAlive, parse_message
from outdial.sip.responses import build_response, reply_address
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.transport import Address, MessageObserver, Wire

MAGIC_COOKIE = "z9hG4bK"

_BRANCH = re.compile(r'branch\s*=\s*"?([^\s;,"]+)', re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")


class TransactionLayerUser(Protocol):
    """Who takes requests that start something."""

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a new request other than ACK and CANCEL."""
        ...

    def on_ack(self, ack: Request, source: Address, data: bytes, now: float) -> None:
        """Take the ACK of a 2xx, which is a transaction of its own."""
        ...

    def on_cancel(self, invite: ServerTransaction, now: float) -> None:
        """Take a CANCEL of this INVITE; the CANCEL itself has been answered."""
        ...


class TransactionLayer:
    """All transactions of one endpoint.

    `counters` counts what was dropped and why: `unparseable`, `stray_response`, `keep_alive`.
    """

    def __init__(
        self, sent_by: Address, wire: Wire, user: TransactionLayerUser, new_token: Callable[[], str]
    ) -> None:
        self.sent_by = sent_by
        self.wire = wire
        self.counters: Counter[str] = Counter()
        self._user = user
        self._new_token = new_token
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, ...], ServerTransaction] = {}

    def __len__(self) -> int:
        """Count the transactions that are not over."""
        return len(self._clients) + len(self._servers)

    def new_via(self, sent_by: Address | None = None) -> str:
        """Return a Via of ours with a fresh branch and `rport` (RFC 3581 §3).

        `sent_by` replaces the endpoint's own where another of our addresses leads to the peer.
        """
        host, port = sent_by or self.sent_by
        return f"SIP/2.0/UDP {host}:{port};branch={MAGIC_COOKIE}{self._new_token()};rport"

    def send_request(
        self,
        request: Request,
        destination: Address,
        user: ClientTransactionUser,
        now: float,
        *,
        via: str | None = None,
    ) -> ClientTransaction:
        """Start a client transaction. `via` repeats a Via (CANCEL, §9.1); otherwise a new one goes on top."""
        request.headers.add_first("Via", via or self.new_via())
        transaction = ClientTransaction(request, destination, user, self.wire, self._forget_client)
        self._clients[transaction.key] = transaction
        transaction.start(now)
        return transaction

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take one datagram. What cannot be read is counted and dropped: an error never leaves here."""
        try:
            message = parse_message(data)
            if isinstance(message, Response):
                self._receive_response(message, data, source, now)
            else:
                self._receive_request(message, data, source, now)
        except KeepAlive:
            self.counters["keep_alive"] += 1
        except SipParseError:
            self.counters["unparseable"] += 1

    def transport_error(self, destination: Address, datagram: bytes, now: float) -> None:
        """Take the news that `datagram`, or what begins like it, did not reach `destination`.

        Its transaction fails at once, and with it all that were sent there before: whoever is not there has
        forgotten them. What was sent afterwards may have met a far end that is back, and ring a phone by now.
        A response or an ACK that was lost fails nothing, and neither does news about what we never sent.
        """
        sent_there = [t for t in self._clients.values() if t.destination == destination]
        lost = next((at for at, t in enumerate(sent_there) if t.sent(datagram)), -1)
        for transaction in sent_there[: lost + 1]:
            transaction.on_transport_error(now)

    def _receive_response(self, response: Response, data: bytes, source: Address, now: float) -> None:
        transaction = self._clients.get(_client_key(response))
        if transaction is None:
            self.counters["stray_response"] += 1
            return
        transaction.user.on_message(sent=False, data=data, peer=source, now=now)
        transaction.receive(response, now)

    def _receive_request(self, request: Request, data: bytes, source: Address, now: float) -> None:
        via = request.top_via
        _require_identity(request)
        key = _server_key(request, via)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known is not None and not known.succeeded:
                _show(known.owner, data, source, now)
                known.receive_ack(now)
            else:
                self._user.on_ack(request, source, data, now)
        elif known is not None:
            _show(known.owner, data, source, now)
            known.receive_again(now)
        else:
            reply_to = reply_address(via, source)
            transaction = ServerTransaction(
                key, request, data, source, reply_to, self.wire, self._forget_server
            )
            self._servers[key] = transaction
            if request.method == "CANCEL":
                self._receive_cancel(transaction, now)
            else:
                self._user.on_request(transaction, now)

    def _receive_cancel(self, transaction: ServerTransaction, now: float) -> None:
        """Answer a CANCEL (§9.2): 200 if its INVITE is known, else 481."""
        request = transaction.request
        invite = self._servers.get((*transaction.key[:-1], "INVITE"))
        status = 200 if invite is not None else 481
        if invite is not None:
            transaction.owner = invite.owner
            _show(invite.owner, transaction.data, transaction.source, now)
        transaction.respond(
            build_response(request, transaction.source, status, to_tag=self._new_token()), now
        )
        if invite is not None:
            self._user.on_cancel(invite, now)

    def _forget_client(self, transaction: ClientTransaction) -> None:
        self._clients.pop(transaction.key, None)

    def _forget_server(self, transaction: ServerTransaction) -> None:
        self._servers.pop(transaction.key, None)


def _require_identity(request: Request) -> None:
    """Raise SipParseError unless what any answer needs can be read: in a dialog the tags alone say whose."""
    _ = request.call_id, request.cseq
    if request.to_tag is None:
        _ = request.from_, request.to


def _client_key(response: Response) -> tuple[str, str]:
    """Return what identifies a response's transaction (§17.1.3): the branch and the method of CSeq.

    Both are looked for in headers that cannot be read, too, and INVITE is the method where none is named: a
    2xx that were dropped for its punctuation would be a call that nobody hangs up. Of the Via no more is
    looked at than the branch of its first element: it is ours, and comes back with every response.
    """
    branch = _BRANCH.search((response.headers.get("via") or "").partition(",")[0])
    try:
        method = response.cseq.method
    except SipParseError:
        found = _WORD.search(response.headers.get("cseq") or "")
        method = found[0] if found else "INVITE"
    return branch[1] if branch else "", method.upper()


def _server_key(request: Request, via: Via) -> tuple[str, ...]:
    """Return what identifies a request's transaction (§17.2.3); the last item is the method, ACK as INVITE.

    A branch without the magic cookie comes from an RFC 2543 peer: then Call-ID, tags and CSeq identify it.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch or ""
    sent_by = f"{via.host.lower()}:{via.port or 5060}"
    if branch.startswith(MAGIC_COOKIE):
        return branch, sent_by, method
    return request.call_id, request.from_tag or "", str(request.cseq.number), sent_by, method


def _show(owner: MessageObserver | None, data: bytes, source: Address, now: float) -> None:
    if owner is not None:
        owner.on_message(sent=False, data=data, peer=source, now=now)
