"""The network between caller and phones: it loses what the phones' scripts say, and nothing else."""

from collections import Counter, OrderedDict
from collections.abc import Callable

from outdial.errors import SipParseError
from outdial.sandbox.phone import Phone
from outdial.sip.message import Request
from outdial.sip.parser import parse_message

_REMEMBERED = 10_000
"""Calls whose losses are counted; older ones are forgotten."""


class Losses:
    """Counts, for every call to a phone that loses something, what passed in either direction."""

    def __init__(self, phone_of: Callable[[Request], Phone]) -> None:
        self._phone_of = phone_of
        self._calls: OrderedDict[str, tuple[Phone, Counter[str]]] = OrderedDict()

    def loses_incoming(self, data: bytes) -> bool:
        """Whether this datagram from the caller is lost: an INVITE or an ACK."""
        if not data.startswith((b"INVITE ", b"ACK ")):
            return False
        request = _read(data)
        if request is None:
            return False
        if request.method == "INVITE" and request.call_id not in self._calls:
            self._remember(request)
        return self._count(request, incoming=True)

    def loses_outgoing(self, data: bytes) -> bool:
        """Whether this datagram of a phone is lost: a BYE."""
        if not self._calls or not data.startswith(b"BYE "):
            return False
        request = _read(data)
        return request is not None and self._count(request, incoming=False)

    def _remember(self, invite: Request) -> None:
        phone = self._phone_of(invite)
        if phone.lost_invites or phone.lost_acks or phone.lost_byes:
            self._calls[invite.call_id] = phone, Counter()
            if len(self._calls) > _REMEMBERED:
                self._calls.popitem(last=False)

    def _count(self, request: Request, *, incoming: bool) -> bool:
        phone, passed = self._calls.get(request.call_id, (None, None))
        if phone is None or passed is None:
            return False
        limits = (
            {"INVITE": phone.lost_invites, "ACK": phone.lost_acks} if incoming else {"BYE": phone.lost_byes}
        )
        passed[request.method] += 1
        return passed[request.method] <= limits.get(request.method, 0)


def _read(data: bytes) -> Request | None:
    try:
        message = parse_message(data)
        return message if isinstance(message, Request) and message.call_id else None
    except SipParseError:
        return None
