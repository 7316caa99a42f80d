"""Client transactions against a far end that is a list of answers, in virtual time (RFC 3261 §17.1)."""

import pytest

from outdial.sip.client_transaction import ClientTransaction, InviteState, RequestState
from outdial.sip.message import Request
from outdial.sip.parser import parse_message
from outdial.sip.transport import Wire

PEER = ("192.0.2.2", 5060)


class User:
    def __init__(self):
        self.seen = []

    def on_message(self, **_):
        pass

    def on_response(self, transaction, response, now):
        self.seen.append(response.status)

    def on_no_response(self, transaction, now, *, transport_failed):
        self.seen.append("transport failed" if transport_failed else "timeout")


def make(method):
    request = parse_message(
        f"{method} sip:bob@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
        "Route: <sip:proxy.example.com;lr>\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:alice@example.com>;tag=1\r\n"
        "To: <sip:bob@example.com>\r\n"
        "Call-ID: abc\r\n"
        f"CSeq: 7 {method}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(request, Request)
    wire, user, ended = Wire(), User(), []
    transaction = ClientTransaction(request, PEER, user, wire, ended.append)
    return transaction, wire, user, ended


def answer(status, method, to_tag="2"):
    return parse_message(
        f"SIP/2.0 {status} Whatever\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
        "From: <sip:alice@example.com>;tag=1\r\n"
        f"To: <sip:bob@example.com>;tag={to_tag}\r\n"
        "Call-ID: abc\r\n"
        f"CSeq: 7 {method}\r\n\r\n".encode()
    )


def run(wire, until):
    """Run all timers up to a time; returns when something was sent."""
    sent = []
    while (at := wire.timers.next_at()) is not None and at <= until:
        wire.timers.run_due(at)
        sent += [(at, data.split(b" ")[0].decode()) for data, _ in wire.datagrams]
        wire.datagrams.clear()
    return sent


def test_an_invite_is_repeated_with_doubling_intervals_until_timer_b():
    transaction, wire, user, ended = make("INVITE")
    transaction.start(0.0)
    wire.datagrams.clear()
    assert [at for at, _ in run(wire, 100)] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert user.seen == ["timeout"]
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_another_request_is_repeated_up_to_t2_until_timer_f():
    transaction, wire, user, ended = make("BYE")
    transaction.start(0.0)
    wire.datagrams.clear()
    times = [at for at, _ in run(wire, 100)]
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert user.seen == ["timeout"]
    assert ended == [transaction]
    assert len(wire.timers) == 0


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_a_process_that_slept_through_the_timeout_does_not_repeat_the_request(method):
    """The far end has forgotten it by then, and would let the phone ring again."""
    transaction, wire, user, ended = make(method)
    transaction.start(0.0)
    wire.datagrams.clear()
    wire.timers.run_due(40.0)
    assert wire.datagrams == []
    assert user.seen == ["timeout"]
    wire.timers.run_due(80.0)
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_an_answer_after_the_timeout_is_passed_up():
    """Where the responses were lost; nobody else would acknowledge it and hang it up."""
    transaction, wire, user, _ = make("INVITE")
    transaction.start(0.0)
    wire.timers.run_due(40.0)
    transaction.receive(answer(200, "INVITE"), 41.0)
    assert user.seen[0] == "timeout"
    assert len(user.seen) == 2


def test_a_provisional_response_ends_the_repetition_of_an_invite_but_not_of_another_request():
    for method, later in (("INVITE", []), ("BYE", [0.5, 4.5, 8.5])):
        transaction, wire, user, _ = make(method)
        transaction.start(0.0)
        wire.datagrams.clear()
        transaction.receive(answer(100, method), 0.1)
        assert [at for at, _ in run(wire, 9.0)] == later
        assert user.seen == [100]


def test_a_proceeding_invite_waits_for_ever():
    transaction, wire, user, ended = make("INVITE")
    transaction.start(0.0)
    transaction.receive(answer(180, "INVITE"), 0.1)
    run(wire, 10_000)
    assert user.seen == [180]
    assert ended == []
    assert transaction.state is InviteState.PROCEEDING


def test_a_failure_is_acknowledged_each_time_and_passed_up_once():
    transaction, wire, user, ended = make("INVITE")
    transaction.start(0.0)
    wire.datagrams.clear()
    for now in (0.1, 0.6, 1.6):
        transaction.receive(answer(486, "INVITE"), now)
    acks = [parse_message(data) for data, _ in wire.datagrams]
    assert [ack.method for ack in acks] == ["ACK"] * 3
    assert user.seen == [486]
    ack = acks[0]
    assert (ack.top_via.branch, ack.cseq.number, ack.cseq.method) == ("z9hG4bKabc", 7, "ACK")
    assert ack.to.tag == "2"
    assert ack.headers.get_all("Route") == ["<sip:proxy.example.com;lr>"]
    assert ended == []
    run(wire, 33.0)
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_every_2xx_is_passed_up_while_the_transaction_lives():
    transaction, wire, user, ended = make("INVITE")
    transaction.start(0.0)
    wire.datagrams.clear()
    transaction.receive(answer(200, "INVITE", "a"), 1.0)
    transaction.receive(answer(200, "INVITE", "b"), 2.0)
    transaction.receive(answer(486, "INVITE", "c"), 2.5)
    transaction.receive(answer(200, "INVITE", "a"), 3.0)
    assert user.seen == [200, 200, 200]
    assert wire.datagrams == [], "the ACK of a 2xx is the dialog's"
    assert run(wire, 40.0) == []
    assert ended == [transaction]


def test_a_2xx_after_a_failure_is_somebody_who_picked_up():
    transaction, wire, user, ended = make("INVITE")
    transaction.start(0.0)
    transaction.receive(answer(486, "INVITE", "a"), 1.0)
    transaction.receive(answer(200, "INVITE", "b"), 2.0)
    assert user.seen == [486, 200]
    run(wire, 100.0)
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_the_final_response_of_another_request_is_passed_up_once():
    transaction, wire, user, ended = make("BYE")
    transaction.start(0.0)
    wire.datagrams.clear()
    for now in (0.1, 0.2):
        transaction.receive(answer(200, "BYE"), now)
    transaction.receive(answer(100, "BYE"), 0.3)
    assert user.seen == [200]
    assert transaction.state is RequestState.COMPLETED
    assert run(wire, 5.2) == []
    assert ended == [transaction]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_transport_error_is_reported_at_once(method):
    transaction, wire, user, ended = make(method)
    transaction.start(0.0)
    transaction.on_transport_error(0.01)
    assert user.seen == ["transport failed"]
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_a_transport_error_while_it_rings_changes_nothing():
    transaction, _, user, ended = make("INVITE")
    transaction.start(0.0)
    transaction.receive(answer(180, "INVITE"), 0.1)
    transaction.on_transport_error(0.2)
    assert user.seen == [180]
    assert ended == []
