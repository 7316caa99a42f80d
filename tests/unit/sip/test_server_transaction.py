"""Server transactions in virtual time (RFC 3261 §17.2, RFC 6026)."""

from outdial.sip.message import Request
from outdial.sip.parser import parse_message
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import InviteState, ServerTransaction
from outdial.sip.transport import Wire

PEER = ("192.0.2.1", 5060)


def make(method):
    data = (
        f"{method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
        "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: abc\r\n"
        f"CSeq: 7 {method}\r\n\r\n"
    ).encode()
    wire, ended = Wire(), []
    request = parse_message(data)
    assert isinstance(request, Request)
    transaction = ServerTransaction(("key",), request, data, PEER, PEER, wire, ended.append)
    return transaction, wire, ended


def send(transaction, status, now):
    transaction.respond(build_response(transaction.request, PEER, status, to_tag="2"), now)


def sent(wire):
    taken = [int(data.split(b" ")[1]) for data, _ in wire.datagrams]
    wire.datagrams.clear()
    return taken


def run(wire, until):
    times = []
    while (at := wire.timers.next_at()) is not None and at <= until:
        wire.timers.run_due(at)
        times += [at] * len(sent(wire))
    return times


def test_an_invite_that_is_repeated_gets_the_last_response_again():
    transaction, wire, _ = make("INVITE")
    transaction.receive_again(0.0)
    assert sent(wire) == []
    send(transaction, 100, 0.0)
    send(transaction, 180, 0.0)
    transaction.receive_again(0.5)
    assert sent(wire) == [100, 180, 180]


def test_a_failure_is_repeated_until_its_ack_comes():
    transaction, wire, ended = make("INVITE")
    send(transaction, 486, 0.0)
    assert sent(wire) == [486]
    assert run(wire, 10.0) == [0.5, 1.5, 3.5, 7.5]
    transaction.receive_again(10.0)
    assert sent(wire) == [486]
    transaction.receive_ack(10.5)
    transaction.receive_ack(10.6)
    transaction.receive_again(10.7)
    assert run(wire, 100) == []
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_a_failure_without_ack_ends_by_timer_h():
    transaction, wire, ended = make("INVITE")
    send(transaction, 486, 0.0)
    sent(wire)
    assert run(wire, 100)[-1] <= 32.0
    assert ended == [transaction]
    assert len(wire.timers) == 0


def test_after_a_2xx_repeated_invites_are_absorbed():
    transaction, wire, ended = make("INVITE")
    assert not transaction.answered
    send(transaction, 200, 0.0)
    assert transaction.answered
    assert transaction.succeeded
    assert sent(wire) == [200]
    transaction.receive_again(0.5)
    assert sent(wire) == []
    send(transaction, 200, 0.5)
    assert sent(wire) == [200], "the session repeats it"
    send(transaction, 486, 0.6)
    assert sent(wire) == []
    run(wire, 32.0)
    assert ended == [transaction]


def test_only_the_first_final_response_counts():
    transaction, wire, _ = make("INVITE")
    send(transaction, 487, 0.0)
    send(transaction, 200, 0.1)
    send(transaction, 180, 0.1)
    assert sent(wire) == [487]
    assert transaction.state is InviteState.COMPLETED


def test_another_request_is_answered_again_for_64_t1():
    transaction, wire, ended = make("BYE")
    transaction.receive_again(0.0)
    assert sent(wire) == []
    send(transaction, 100, 0.0)
    transaction.receive_again(0.5)
    send(transaction, 200, 1.0)
    transaction.receive_again(1.5)
    send(transaction, 500, 1.6)
    assert sent(wire) == [100, 100, 200, 200]
    assert run(wire, 33.1) == []
    assert ended == [transaction]
    assert len(wire.timers) == 0
