"""Rare turns of a session, each of which a carrier takes some day."""

import dataclasses

from tests.helpers.sip_link import CALLEE, CALLER, Network, Pair, answers_at_once
from tests.unit.sip.test_established import answers_to, send_from_callee, up

from outdial.sip.dialog import Dialog
from outdial.sip.message import Headers, Request, Response
from outdial.sip.parser import parse_message
from outdial.sip.responses import build_response
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import Answered, EndCause, Ended


def test_an_outbound_proxy_is_the_first_route_and_its_cancel_goes_the_same_way():
    def rings(pair, transaction, now):
        pair.take(transaction, now).progress(180, now)

    pair = Pair(Network(), rings)
    pair.session._call = dataclasses.replace(pair.session._call, route="<sip:192.0.2.2;lr>")
    pair.start()
    pair.at(1.0, pair.session.hang_up)
    pair.network.run()
    for method in ("INVITE", "CANCEL", "ACK"):
        message = parse_message(pair.requests_at_callee(method)[0])
        assert message.headers.get_all("Route") == ["<sip:192.0.2.2;lr>"], method


def test_a_cancel_that_nobody_answers_is_given_up():
    def rings(pair, transaction, now):
        pair.take(transaction, now).progress(180, now)

    network = Network(drop=lambda data, to, now: data.startswith(b"CANCEL"))
    pair = Pair(network, rings)
    pair.start()
    pair.at(1.0, pair.session.hang_up)
    network.run(until=40.0)
    assert len(network.sent("CANCEL")) > 5
    assert pair.caller.dialogs == 0


def test_a_bye_is_kept_through_a_provisional_answer():
    pair = up()
    callee = pair.answering[0].established
    original = callee.on_request

    def slow(transaction, now):
        callee.respond(transaction, 100, now)
        pair.network.schedule(now + 2.0, lambda at: original(transaction, at))

    callee.on_request = slow
    pair.at(2.0, pair.session.hang_up)
    pair.network.run()
    assert pair.events[-1] == Ended(EndCause.HUNG_UP)
    assert pair.caller.idle


def test_our_reinvite_that_is_answered_with_media_that_we_cannot_use_changes_nothing():
    pair = up()
    callee = pair.answering[0]

    def answer(transaction, now):
        response = build_response(
            transaction.request, CALLER, 200, headers=[("Contact", "<sip:x@192.0.2.2>")], body=b"unusable"
        )
        transaction.respond(response, now)

    callee.established.on_request = answer
    pair.at(2.0, pair.session.established.reinvite)
    pair.network.run(until=3.0)
    assert pair.events == [Answered()]
    assert pair.session.established.outgoing_reinvite is None


def test_an_ack_with_a_foreign_sequence_number_is_nobodys():
    pair = up()
    branch = send_from_callee(pair, "INVITE", body=b"v=0")
    send_from_callee(pair, "ACK", sequence=999)
    pair.network.run(until=3.0)
    assert len(answers_to(pair, branch)) > 1, "the 200 is still repeated"
    send_from_callee(pair, "ACK", sequence=pair.answering[0].established.dialog.local_seq)
    assert pair.session.established.incoming_reinvite is None
    send_from_callee(pair, "ACK", sequence=998)


def test_hanging_up_while_a_reinvite_of_the_far_end_is_open_leaves_nothing():
    pair = up()
    send_from_callee(pair, "INVITE", body=b"v=0")
    pair.session.hang_up(pair.network.now)
    pair.network.run()
    assert pair.caller.idle


def test_an_update_offer_that_meets_our_reinvite_is_glare():
    network = Network()
    pair = up(network)
    network.drop = lambda data, to, now: data.startswith(b"INVITE") and to == CALLEE and now < 3.0
    pair.at(2.0, pair.session.established.reinvite)
    (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", body=b"v=0"))
    assert response.status == 491


def test_a_refresh_is_not_begun_while_we_hang_up():
    network = Network()
    pair = up(network, caller_timer=SessionTimerPolicy(interval_s=100))
    established = pair.session.established
    network.drop = lambda data, to, now: data.startswith(b"BYE")
    pair.at(10.0, pair.session.hang_up)
    established._refresh(11.0)
    established.reinvite(11.0)
    network.flush()
    assert network.sent("UPDATE") == []
    assert len(network.sent("INVITE")) == 1


def test_an_inconsistent_422_to_a_refresh_is_not_tried_again():
    pair = up(caller_timer=SessionTimerPolicy(interval_s=100))
    response = Response(422, "Session Interval Too Small", Headers([("Min-SE", "30")]))
    assert pair.session.established.timer.lengthen(response) is False


def test_a_contact_that_cannot_be_read_leaves_the_target():
    dialog = Dialog("id", "l", "r", "2", (), "sip:a@192.0.2.2", CALLEE, 1)
    dialog.refresh_target(Request("UPDATE", "sip:x", Headers([("Contact", "<<<>")])))
    assert dialog.remote_target == "sip:a@192.0.2.2"


def test_a_direct_request_without_rport_is_answered_without_received():
    data = (
        b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
        b"Record-Route: <sip:p;lr>\r\n\r\n"
    )
    request = parse_message(data)
    assert isinstance(request, Request)
    assert build_response(request, CALLEE, 200).top_via.received is None
    assert build_response(request, CALLEE, 200).headers.get("Record-Route") == "<sip:p;lr>"
    assert build_response(request, CALLEE, 100).headers.get("Record-Route") is None


def test_a_2xx_to_an_invite_that_was_replaced_is_a_fork_like_any_other():
    def on_invite(pair, transaction, now):
        session = pair.take(transaction, now)
        if transaction.request.headers.get("Session-Expires") == "100":
            session.reject(422, now, headers=[("Min-SE", "200")])
            late = build_response(
                transaction.request, CALLER, 200, to_tag="late", headers=[("Contact", "<sip:late@192.0.2.2>")]
            )
            late.body = b"v=0 late"
            pair.network.schedule(
                now + 5.0, lambda _: pair.callee.wire.datagrams.append((late.to_bytes(), CALLER))
            )
        else:
            session.accept(now)

    pair = Pair(Network(), on_invite, caller_timer=SessionTimerPolicy(interval_s=100))
    pair.start()
    pair.network.run(until=6.0)
    assert pair.events == [Answered()]
    (bye,) = map(parse_message, pair.requests_at_callee("BYE"))
    acks = [parse_message(data) for data in pair.requests_at_callee("ACK")]
    of_the_late = [ack.cseq.number for ack in acks if ack.to_tag == "late"]
    assert (bye.to_tag, bye.cseq.number, of_the_late) == ("late", 2, [1]), "an ACK has its INVITE's number"


def test_a_cancel_of_a_call_that_nobody_took_is_only_answered():
    pair = Pair(
        Network(),
        lambda pair, transaction, now: transaction.respond(
            build_response(transaction.request, CALLER, 180, to_tag="x"), now
        ),
    )
    pair.start()
    pair.at(1.0, pair.session.hang_up)
    pair.network.run(until=2.0)
    assert len(pair.network.sent("SIP/2.0 200", CALLEE)) == 1


def test_the_bye_may_come_before_the_ack():
    network = Network(drop=lambda data, to, now: data.startswith(b"ACK"))
    pair = Pair(network, answers_at_once)
    pair.start()
    pair.at(0.2, pair.session.hang_up)
    network.run()
    assert pair.callee_events == [Ended(EndCause.FAR_END_HUNG_UP)]
    assert pair.callee.idle
