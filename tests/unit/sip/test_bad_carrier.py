"""What no carrier should send and some carrier does: each would leave a call up that nobody hangs up."""

import pytest
from tests.helpers.sip_link import CALLEE, CALLER, Network, Pair, header
from tests.unit.sip.test_established import up

from outdial.sip.dialog import Dialog
from outdial.sip.message import Headers, Request, Response
from outdial.sip.parser import parse_message
from outdial.sip.responses import build_response
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import Answered, EndCause, Ended, Failed, FailureCause


def garbled(pair, transaction, status, replacements, *, body=b"v=0 answer"):
    """Answer with a response some of whose header lines are replaced as text; None drops a line."""
    response = build_response(
        transaction.request,
        CALLER,
        status,
        to_tag="far",
        headers=[("Contact", "<sip:in@192.0.2.2:5060>"), ("Content-Type", "application/sdp")],
        body=body,
    )
    head, _, rest = response.to_bytes().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    for name, line in replacements.items():
        at = next(i for i, held in enumerate(lines) if held.startswith(f"{name}:"))
        lines[at : at + 1] = [] if line is None else [line]
    pair.callee.wire.datagrams.append(("\r\n".join(lines).encode() + b"\r\n\r\n" + rest, CALLER))


def via_of(transaction):
    return transaction.request.headers.get("Via")


UNREADABLE = {
    "To without its bracket": lambda t: {"To": "To: <sip:12025550100@192.0.2.2;tag=far"},
    "To with a port that does not exist": lambda t: {"To": "To: <sip:1@192.0.2.2:99999>;tag=far"},
    "To that is no address": lambda t: {"To": "To: <<>>;tag=far"},
    "no To": lambda t: {"To": None},
    "CSeq without its space": lambda t: {"CSeq": "CSeq: 1INVITE"},
    "CSeq in small letters": lambda t: {"CSeq": "CSeq: 1 invite"},
    "no CSeq": lambda t: {"CSeq": None},
    "Via with a port that does not exist": lambda t: {
        "Via": f"Via: {via_of(t).replace('192.0.2.1:5060', '192.0.2.1:99999')}"
    },
    "Contact with a space": lambda t: {"Contact": "Contact: <sip:in door@192.0.2.2:5060>"},
    "Contact with a tab in a parameter": lambda t: {"Contact": "Contact: <sip:in@192.0.2.2:5060;x=a\tb>"},
    "Contact with a star": lambda t: {"Contact": "Contact: *"},
    "Contact at no address": lambda t: {"Contact": "Contact: <sip:in@0.0.0.0:5060>"},
    "Contact at everybody's address": lambda t: {"Contact": "Contact: <sip:in@255.255.255.255>"},
    "Contact at many addresses": lambda t: {"Contact": "Contact: <sip:in@224.0.0.1>"},
    "Contact at our own address": lambda t: {"Contact": "Contact: <sip:in@127.0.0.1>"},
    "a strict route with a space": lambda t: {
        "Contact": "Record-Route: <sip:a b@192.0.2.2>\r\nContact: <sip:in@192.0.2.2>"
    },
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_200_that_cannot_be_read_in_full_is_acknowledged_and_hung_up(what):
    pair = Pair(Network(), lambda pair, t, now: garbled(pair, t, 200, UNREADABLE[what](t)))
    pair.start()
    pair.at(1.0, pair.session.hang_up)
    pair.network.run(until=2.0)
    assert pair.events == [Answered(), Ended(EndCause.HUNG_UP)], pair.network.ladder()
    for method in ("ACK", "BYE"):
        (message, *_) = pair.requests_at_callee(method)
        assert header(message, "Call-ID") == "call-1@192.0.2.1"
        assert what == "no To" or "tag=far" in header(message, "To")
        assert header(message, "To")
        assert parse_message(message).uri.startswith("sip:")
    assert {to for _, source, to, _ in pair.network.wire if source == CALLER} == {CALLEE}
    pair.network.run()
    assert pair.caller.idle


@pytest.mark.parametrize("what", [name for name in UNREADABLE if "To" in name or "CSeq" in name])
def test_a_200_that_crosses_a_cancel_and_cannot_be_read_in_full_is_hung_up(what):
    def answers_late(pair, transaction, now):
        garbled(pair, transaction, 183, UNREADABLE[what](transaction))
        pair.network.schedule(3.0, lambda at: garbled(pair, transaction, 200, UNREADABLE[what](transaction)))

    network = Network(drop=lambda data, to, now: data.startswith(b"CANCEL"))
    pair = Pair(network, answers_late)
    pair.start()
    pair.at(2.0, pair.session.hang_up)
    pair.network.run(until=4.0)
    assert pair.events[-1] == Failed(FailureCause.CANCELLED, 200, picked_up=True), network.ladder()
    assert len(network.sent("ACK")) == 1
    assert network.sent("BYE")


@pytest.mark.parametrize(
    ("to", "from_"),
    [
        ("<sip:1@192.0.2.2;tag=far", "<sip:1@192.0.2.2;tag=far"),
        ("<sip:1@192.0.2.2:99999>;tag=far", "<sip:1@192.0.2.2:99999>;tag=far"),
        ("<<>>;tag=far", "<<>>;tag=far"),
        ("<sip:1@192.0.2.2>", "<sip:1@192.0.2.2>;tag=far"),
        ("<sip:1@192.0.2.2>", "<sip:1@192.0.2.2>"),
    ],
    ids=["no bracket", "no such port", "no address", "no tag at first", "no tag ever"],
)
def test_a_far_end_whose_name_cannot_be_read_may_hang_up(to, from_):
    """It writes its name in its BYE as it did in its 200."""
    pair = Pair(Network(), lambda pair, t, now: garbled(pair, t, 200, {"To": f"To: {to}"}))
    pair.start()
    pair.network.run(until=1.0)
    ours = header(pair.requests_at_callee("INVITE")[0], "From")
    bye = (
        "BYE sip:out@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKbye\r\n"
        f"From: {from_}\r\nTo: {ours}\r\nCall-ID: call-1@192.0.2.1\r\nCSeq: 1 BYE\r\n\r\n"
    )
    pair.caller.receive(bye.encode(), CALLEE, 1.0)
    pair.network.run(until=2.0)
    assert pair.events == [Answered(), Ended(EndCause.FAR_END_HUNG_UP)]
    (answer,) = [data for _, source, _, data in pair.network.wire if source == CALLER and b"1 BYE" in data]
    assert (parse_message(answer).status, header(answer, "From")) == (200, from_)


def test_early_media_of_many_forks_is_not_all_remembered():
    def forks(pair, transaction, now):
        for fork in range(300):
            replacement = {"To": f"To: <sip:1@192.0.2.2>;tag={fork}"}
            garbled(pair, transaction, 183, replacement, body=b"v=0 early" * 100)

    pair = Pair(Network(), forks)
    pair.start()
    pair.network.run(until=1.0)
    assert len(pair.session._early_media) <= 16


def test_a_422_that_always_wants_more_is_not_followed_for_ever():
    def wants_more(pair, transaction, now):
        least = int(transaction.request.headers.get("Min-SE")) + 1
        pair.take(transaction, now).reject(422, now, headers=[("Min-SE", str(least))])

    pair = Pair(Network(), wants_more, caller_timer=SessionTimerPolicy(interval_s=1800))
    pair.start()
    pair.network.run()
    assert len(pair.network.sent("INVITE")) <= 5
    assert pair.events == [Failed(FailureCause.REJECTED, 422, "Session Interval Too Small")]
    assert pair.caller.idle


def test_a_422_to_a_refresh_that_always_wants_more_is_not_followed_for_ever():
    timer = up(caller_timer=SessionTimerPolicy(interval_s=1800)).session.established.timer
    answers = [
        Response(422, "Session Interval Too Small", Headers([("Min-SE", str(1801 + more))]))
        for more in range(50)
    ]
    assert sum(timer.lengthen(answer) for answer in answers) <= 5


@pytest.mark.parametrize("expires", ["0", "0;refresher=uac", "1;refresher=uac", "1;refresher=uas"])
def test_a_session_timer_of_no_time_neither_ends_the_call_nor_floods_it(expires):
    pair = Pair(
        Network(),
        lambda pair, t, now: garbled(pair, t, 200, {"Contact": _contact_and(expires)}),
        caller_timer=SessionTimerPolicy(interval_s=1800),
    )
    pair.start()
    pair.network.run(until=9.0)
    assert pair.events == [Answered()], pair.network.ladder()
    assert pair.network.sent("UPDATE") == []


def _contact_and(expires):
    return f"Contact: <sip:in@192.0.2.2:5060>\r\nAllow: INVITE, UPDATE\r\nSession-Expires: {expires}"


def test_a_dialog_that_starts_with_a_value_that_cannot_be_sent_leaves_nothing():
    pair = Pair(Network(), lambda pair, t, now: None, headers=(("X-Note", "a\r\nb"),))
    with pytest.raises(Exception, match="line break"):
        pair.start()
    assert pair.caller.idle


def test_a_private_peer_may_lead_to_another_private_address():
    invite = Request(
        "INVITE",
        "sip:1@10.0.0.2",
        Headers([("From", "<sip:a@10.0.0.1>;tag=a"), ("Call-ID", "x"), ("CSeq", "1 INVITE")]),
    )
    response = Response(
        200, "OK", Headers([("To", "<sip:1@10.0.0.2>;tag=b"), ("Contact", "<sip:1@10.0.0.9>")])
    )
    dialog = Dialog.from_response(invite, response, ("10.0.0.2", 5060), keep_to_peer=False)
    assert dialog.destination() == ("10.0.0.9", 5060)
