"""What an endpoint says to requests outside of dialogs, to strays and to nonsense."""

import pytest
from tests.helpers.sip_link import CALLEE, CALLER, Network, Pair, answers_at_once, tokens

from outdial.sip.endpoint import Endpoint
from outdial.sip.parser import parse_message
from outdial.sip.session.events import Answered

STRANGER = ("198.51.100.99", 5060)


@pytest.fixture
def endpoint():
    return Endpoint(CALLER, tokens("endpoint"))


def request(method, *, branch="z9hG4bKabc", to_tag="", via="192.0.2.9:5060", rport=";rport", extra=""):
    tag = f";tag={to_tag}" if to_tag else ""
    return (
        f"{method} sip:out@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch={branch}{rport}\r\n{extra}"
        f"From: <sip:x@y>;tag=9\r\nTo: <sip:out@192.0.2.1>{tag}\r\nCall-ID: z\r\n"
        f"CSeq: 3 {method}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def answers(endpoint):
    return [(parse_message(data), to) for data, to in endpoint.take_datagrams()]


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("INVITE", 403),
        ("BYE", 481),
        ("UPDATE", 481),
        ("INFO", 481),
        ("NOTIFY", 405),
        ("MESSAGE", 405),
        ("REGISTER", 405),
        ("SUBSCRIBE", 405),
        ("DANCE", 501),
    ],
)
def test_requests_outside_a_dialog(endpoint, method, status):
    endpoint.receive(request(method), STRANGER, 0.0)
    ((response, to),) = answers(endpoint)
    assert (response.status, to) == (status, STRANGER)
    assert response.to.tag


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "REFER"])
def test_requests_into_an_unknown_dialog(endpoint, method):
    endpoint.receive(request(method, to_tag="gone"), STRANGER, 0.0)
    assert [response.status for response, _ in answers(endpoint)] == [481]


def test_a_repeated_request_gets_the_same_answer(endpoint):
    for now in (0.0, 0.5):
        endpoint.receive(request("OPTIONS"), STRANGER, now)
    first, second = endpoint.take_datagrams()
    assert first == second
    assert len(endpoint.layer) == 1


def test_an_ack_is_never_answered(endpoint):
    endpoint.receive(request("ACK", to_tag="gone"), STRANGER, 0.0)
    endpoint.receive(request("ACK"), STRANGER, 0.0)
    assert answers(endpoint) == []


def test_a_cancel_without_its_invite(endpoint):
    endpoint.receive(request("CANCEL"), STRANGER, 0.0)
    assert [response.status for response, _ in answers(endpoint)] == [481]


def test_the_answer_says_where_the_request_came_from(endpoint):
    endpoint.receive(request("OPTIONS"), STRANGER, 0.0)
    ((response, _),) = answers(endpoint)
    assert (response.top_via.received, response.top_via.rport) == ("198.51.100.99", 5060)


def test_without_rport_the_answer_goes_to_the_port_of_the_via(endpoint):
    for via, port in (("192.0.2.9:5099", 5099), ("192.0.2.9", 5060)):
        endpoint.receive(request("OPTIONS", via=via, rport="", branch=f"z9hG4bK{port}"), STRANGER, 0.0)
        ((response, to),) = answers(endpoint)
        assert to == ("198.51.100.99", port)
        assert response.top_via.received == "198.51.100.99"


def test_further_vias_are_kept_in_order(endpoint):
    extra = "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKupstream\r\n"
    endpoint.receive(request("OPTIONS", extra=extra), STRANGER, 0.0)
    ((response, _),) = answers(endpoint)
    assert len(response.headers.get_all("Via")) == 2
    assert "upstream" in response.headers.get_all("Via")[1]


def test_a_peer_of_rfc_2543_is_matched_without_the_magic_cookie(endpoint):
    for _ in range(2):
        endpoint.receive(request("OPTIONS", branch="1"), STRANGER, 0.0)
    assert len(endpoint.layer) == 1
    assert len(endpoint.take_datagrams()) == 2


@pytest.mark.parametrize(
    ("data", "counter"),
    [
        (b"\r\n\r\n", "keep_alive"),
        (b"nonsense", "unparseable"),
        (b"OPTIONS sip:x SIP/2.0\r\n\r\n", "unparseable"),
        (
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKno\r\nCSeq: 1 INVITE\r\nTo: <sip:x>\r\n\r\n",
            "stray_response",
        ),
    ],
)
def test_what_cannot_be_used_is_counted_and_never_answered(endpoint, data, counter):
    endpoint.receive(data, STRANGER, 0.0)
    assert answers(endpoint) == []
    assert endpoint.layer.counters == {counter: 1}
    assert endpoint.idle


def test_options_ping():
    network = Network()
    caller, callee = Endpoint(CALLER, tokens("a")), Endpoint(CALLEE, tokens("b"))
    network.attach(CALLER, caller)
    network.attach(CALLEE, callee)
    seen = []
    caller.ping(
        "sip:192.0.2.2", "<sip:o@192.0.2.1>", CALLEE, lambda response, now: seen.append(response), 0.0
    )
    network.run()
    assert seen[0].status == 200
    assert "INVITE" in seen[0].headers.get("Allow")
    network.drop = lambda *_: True
    caller.ping(
        "sip:192.0.2.2", "<sip:o@192.0.2.1>", CALLEE, lambda response, now: seen.append(response), network.now
    )
    network.run()
    assert seen[1] is None
    assert caller.idle


def test_requests_into_an_early_dialog_are_refused():
    def rings(pair, transaction, now):
        pair.take(transaction, now).progress(180, now)

    pair = Pair(Network(), rings)
    pair.start()
    pair.network.run(until=0.5)
    local_tag = pair.session._local_tag
    for method, status in (("UPDATE", 491), ("INFO", 481)):
        data = request(method, to_tag=local_tag, branch=f"z9hG4bK{method}").replace(
            b"Call-ID: z", b"Call-ID: call-1@192.0.2.1"
        )
        pair.caller.receive(data, CALLEE, 0.5)
        (sent,) = pair.caller.take_datagrams()
        assert parse_message(sent[0]).status == status
    pair.caller.receive(
        request("ACK", to_tag=local_tag).replace(b"Call-ID: z", b"Call-ID: call-1@192.0.2.1"), CALLEE, 0.5
    )
    assert pair.caller.take_datagrams() == []


class TestIncomingCalls:
    def test_a_call_that_is_declined_while_it_rings(self):
        def on_invite(pair, transaction, now):
            session = pair.take(transaction, now)
            session.progress(180, now)
            session.hang_up(now)

        pair = Pair(Network(), on_invite)
        pair.start()
        pair.network.run()
        assert pair.events[-1].status == 480
        assert pair.callee.idle

    def test_an_offer_that_cannot_be_used_is_refused(self):
        def on_invite(pair, transaction, now):
            transaction.request.body = b"unusable"
            answers_at_once(pair, transaction, now)

        pair = Pair(Network(), on_invite)
        pair.start()
        pair.network.run()
        assert pair.events[-1].status == 488
        assert pair.callee.idle

    def test_an_invite_without_an_offer_brings_the_answer_in_its_ack(self):
        def on_invite(pair, transaction, now):
            transaction.request.body = b""
            session = pair.take(transaction, now)
            session.progress(183, now, early_media=True)
            session.accept(now)

        pair = Pair(Network(), on_invite)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.callee_media.log == ["offer"], "our ACK carries no body, so nothing was agreed"
        assert pair.callee_events == [Answered()]

    def test_a_request_before_the_answer_is_unknown(self):
        def rings(pair, transaction, now):
            pair.take(transaction, now).progress(180, now)

        pair = Pair(Network(), rings)
        pair.start()
        pair.network.run(until=0.5)
        session = pair.answering[0]
        data = request("INFO", to_tag=session.local_tag).replace(b"Call-ID: z", b"Call-ID: call-1@192.0.2.1")
        pair.callee.receive(data, CALLER, 0.5)
        assert [parse_message(data).status for data, _ in pair.callee.take_datagrams()] == [481]
