"""Placing a call: ringing, answers, refusals, forks and every race of CANCEL, between two real endpoints."""

import pytest
from tests.helpers.sip_link import (
    CALLEE,
    CALLER,
    Network,
    Pair,
    answers_at_once,
    first_line,
    header,
    rings_then_answers,
)

from outdial.sip.digest import Credentials, make_challenge
from outdial.sip.parser import parse_message
from outdial.sip.responses import build_response
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import Answered, AnsweredLate, EndCause, Ended, Failed, FailureCause, Progress


def rings(pair, transaction, now):
    pair.take(transaction, now).progress(180, now)


def says_nothing(pair, transaction, now):
    pass


def refuses(status, *headers):
    return lambda pair, transaction, now: pair.take(transaction, now).reject(status, now, headers=headers)


def respond(pair, transaction, status, to_tag, *, headers=(), body=b""):
    """Answer by hand, as a carrier may that no session of ours would imitate."""
    response = build_response(
        transaction.request,
        CALLER,
        status,
        to_tag=to_tag,
        headers=[("Contact", f"<sip:{to_tag}@192.0.2.2>"), *headers],
        body=body,
    )
    pair.callee.wire.datagrams.append((response.to_bytes(), CALLER))


def finish(pair):
    pair.network.run()
    assert pair.caller.idle, pair.network.ladder()


def test_a_call_rings_is_answered_and_hung_up():
    pair = Pair(Network(), rings_then_answers)
    pair.start()
    pair.at(5.0, pair.session.hang_up)
    finish(pair)
    assert pair.events == [Progress(180, "Ringing", False), Answered(), Ended(EndCause.HUNG_UP)]
    assert pair.callee_events == [Answered(), Ended(EndCause.FAR_END_HUNG_UP)]
    assert pair.callee.idle
    assert [line for _, line in pair.trace] == [
        "INVITE sip:12025550100@192.0.2.2 SIP/2.0",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 200 OK",
        "ACK sip:in@192.0.2.2:5060 SIP/2.0",
        "BYE sip:in@192.0.2.2:5060 SIP/2.0",
        "SIP/2.0 200 OK",
    ]


def test_the_invite_says_what_a_carrier_needs():
    headers = (("P-Asserted-Identity", "<sip:918068@192.0.2.1>"), ("X-Campaign", "7"))
    pair = Pair(Network(), rings, headers=headers, caller_timer=SessionTimerPolicy(interval_s=1800))
    pair.start()
    invite = parse_message(pair.requests_at_callee("INVITE")[0])
    assert invite.headers.get("Max-Forwards") == "70"
    assert invite.top_via.parameters.has("rport")
    assert invite.top_via.branch.startswith("z9hG4bK")
    assert invite.from_.tag
    assert invite.to.tag is None
    assert str(invite.contact.uri) == "sip:out@192.0.2.1:5060"
    assert invite.headers.get("Session-Expires") == "1800"
    assert invite.headers.get("Supported") == "timer"
    assert "BYE" in invite.headers.get("Allow")
    assert invite.headers.get("X-Campaign") == "7"
    assert invite.headers.get("P-Asserted-Identity") == "<sip:918068@192.0.2.1>"
    assert invite.headers.get("Content-Type") == "application/sdp"
    assert invite.body == b"v=0 offer"


def test_the_callee_hangs_up_with_a_cause():
    pair = Pair(Network(), answers_at_once)
    pair.start()
    pair.network.run(until=3.0)
    pair.answering[0].hang_up(3.0)
    finish(pair)
    assert pair.events[-1] == Ended(EndCause.FAR_END_HUNG_UP)
    assert pair.requests_at_callee("BYE") == []


@pytest.mark.parametrize("status", [404, 480, 486, 488, 500, 503, 600, 603, 607])
def test_a_refusal_is_acknowledged_and_reported(status):
    reason = ("Reason", 'Q.850;cause=17;text="User busy"')
    pair = Pair(Network(), refuses(status, reason, ("Retry-After", "120 (later)")))
    pair.start()
    finish(pair)
    assert len(pair.events) == 1
    failed = pair.events[0]
    assert (failed.cause, failed.status, failed.q850, failed.retry_after_s) == (
        FailureCause.REJECTED,
        status,
        17,
        120,
    )
    assert len(pair.requests_at_callee("ACK")) == 1


def test_a_redirection_is_a_refusal_that_says_where():
    pair = Pair(Network(), refuses(302, ("Contact", "<sip:other@192.0.2.9>"), ("Retry-After", "soon")))
    pair.start()
    finish(pair)
    assert pair.events == [Failed(FailureCause.REJECTED, 302, "Unknown", contacts=("<sip:other@192.0.2.9>",))]


def test_nobody_answers_the_invite_at_all():
    pair = Pair(Network(), says_nothing)
    pair.start()
    finish(pair)
    assert pair.events == [Failed(FailureCause.NO_RESPONSE)]


def test_the_network_refuses():
    pair = Pair(Network(), says_nothing)
    pair.start()
    (invite,) = pair.requests_at_callee("INVITE")
    pair.caller.transport_error(("192.0.2.99", 5060), invite, 0.0)
    assert pair.events == []
    pair.caller.transport_error(CALLEE, invite[:200], 0.0)
    assert pair.events == [Failed(FailureCause.TRANSPORT_FAILED)]
    finish(pair)


class TestCancel:
    def test_the_ring_timeout_cancels(self):
        pair = Pair(Network(), rings, ring_timeout_s=20.0)
        pair.start()
        finish(pair)
        assert pair.events == [
            Progress(180, "Ringing", False),
            Failed(FailureCause.RING_TIMEOUT, 487, "Request Terminated"),
        ]
        assert pair.network.sent("CANCEL") == [20.0]
        assert pair.callee_events == [Failed(FailureCause.CANCELLED, 487)]

    def test_who_cancelled_before_the_ring_timeout_stays_the_one(self):
        """Otherwise the call would count as not answered, and be tried again."""
        network = Network()
        network.drop = lambda data, to, now: data.startswith(b"CANCEL") and now < 21.0
        pair = Pair(network, rings, ring_timeout_s=20.0)
        pair.start()
        pair.at(19.9, pair.session.hang_up)
        finish(pair)
        assert pair.events[-1] == Failed(FailureCause.CANCELLED, 487, "Request Terminated")

    def test_a_cancel_repeats_the_invites_branch_sequence_and_addresses(self):
        pair = Pair(Network(), rings)
        pair.start()
        pair.at(5.0, pair.session.hang_up)
        pair.session.hang_up(5.0)
        finish(pair)
        invite = parse_message(pair.requests_at_callee("INVITE")[0])
        (data,) = pair.requests_at_callee("CANCEL")
        cancel = parse_message(data)
        assert cancel.top_via == invite.top_via
        assert cancel.uri == invite.uri
        assert (cancel.cseq.number, cancel.cseq.method) == (invite.cseq.number, "CANCEL")
        for name in ("From", "To", "Call-ID"):
            assert cancel.headers.get(name) == invite.headers.get(name)
        assert pair.events[-1] == Failed(FailureCause.CANCELLED, 487, "Request Terminated")

    def test_before_a_provisional_response_the_cancel_waits(self):
        network = Network(drop=lambda data, to, now: to == CALLER and now < 3.0)
        pair = Pair(network, rings)
        pair.start()
        pair.at(1.0, pair.session.hang_up)
        pair.network.run(until=2.9)
        assert network.sent("CANCEL") == []
        finish(pair)
        assert len(network.sent("CANCEL")) == 1
        assert network.sent("CANCEL")[0] > 3.0
        assert pair.events[-1].cause is FailureCause.CANCELLED

    def test_without_any_response_there_is_never_a_cancel(self):
        pair = Pair(Network(), says_nothing)
        pair.start()
        pair.at(1.0, pair.session.hang_up)
        finish(pair)
        assert pair.network.sent("CANCEL") == []
        assert pair.events == [Failed(FailureCause.NO_RESPONSE)]

    def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up(self):
        pair = Pair(Network(), rings)
        pair.start()
        pair.at(5.0, lambda now: (pair.session.hang_up(now), pair.answering[0].accept(now)))
        finish(pair)
        assert pair.events[-1] == Failed(FailureCause.CANCELLED, 200, picked_up=True)
        assert len(pair.requests_at_callee("ACK")) == 1
        assert len(pair.requests_at_callee("BYE")) == 1
        assert pair.callee_events[-1] == Ended(EndCause.FAR_END_HUNG_UP)

    def test_an_answer_while_the_cancel_waits_is_acknowledged_and_hung_up(self):
        network = Network(drop=lambda data, to, now: data.startswith(b"SIP/2.0 180"))
        pair = Pair(network, rings)
        pair.start()
        pair.at(0.2, pair.session.hang_up)
        pair.network.run(until=0.3)
        pair.answering[0].accept(0.3)
        finish(pair)
        assert pair.events == [Failed(FailureCause.CANCELLED, 200, picked_up=True)]
        assert network.sent("CANCEL") == []
        assert len(pair.requests_at_callee("BYE")) == 1

    def test_a_refusal_that_crosses_the_cancel_counts_as_cancelled(self):
        pair = Pair(Network(), rings)
        pair.start()
        pair.at(5.0, lambda now: (pair.session.hang_up(now), pair.answering[0].reject(486, now)))
        finish(pair)
        assert pair.events[-1] == Failed(FailureCause.CANCELLED, 486, "Busy Here")

    def test_a_far_end_that_never_ends_the_invite_is_given_up(self):
        network = Network(drop=lambda data, to, now: to == CALLER and now >= 5.0)
        pair = Pair(network, rings)
        pair.start()
        pair.at(5.0, pair.session.hang_up)
        network.run(until=5.0 + 32.1)
        assert pair.events[-1] == Failed(FailureCause.CANCELLED)
        assert pair.caller.dialogs == 0

    def test_an_answer_long_after_the_attempt_was_given_up_is_hung_up(self):
        network = Network()
        network.drop = lambda data, to, now: to == CALLER and 5.0 <= now < 40.0
        pair = Pair(network, rings)
        pair.start()
        pair.at(5.0, pair.session.hang_up)
        pair.network.run(until=41.0)
        invite = pair.answering[0]._transaction
        pair.at(42.0, lambda now: respond(pair, invite, 200, "late", body=b"v=0"))
        pair.network.run(until=43.0)
        assert len(pair.requests_at_callee("BYE")) == 1
        assert b"tag=late" in pair.requests_at_callee("BYE")[0]
        assert pair.events[-2:] == [Failed(FailureCause.CANCELLED), AnsweredLate()]

    def test_an_answer_after_a_refusal_is_hung_up_and_told(self):
        """As a forking proxy does it: one phone is not there, another one is picked up afterwards (§16.7)."""

        def on_invite(pair, transaction, now):
            pair.take(transaction, now).reject(480, now)
            late = build_response(
                transaction.request, CALLER, 200, to_tag="late", headers=[("Contact", "<sip:late@192.0.2.2>")]
            )
            late.body = b"v=0 late"
            pair.network.schedule(
                now + 5.0, lambda _: pair.callee.wire.datagrams.append((late.to_bytes(), CALLER))
            )

        pair = Pair(Network(), on_invite)
        pair.start()
        pair.network.run(until=6.0)
        assert len(pair.requests_at_callee("BYE")) == 1
        assert isinstance(pair.events[0], Failed)
        assert pair.events[1:] == [AnsweredLate()]


class TestProvisionals:
    def test_several_early_dialogs_with_and_without_media(self):
        def progresses(pair, transaction, now):
            respond(pair, transaction, 183, "a", body=b"v=0 early")
            respond(pair, transaction, 180, "b")
            respond(pair, transaction, 180, "a")
            respond(pair, transaction, 200, "b", body=b"v=0 final")

        pair = Pair(Network(), progresses)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [
            Progress(183, "Session Progress", True),
            Progress(180, "Ringing", False),
            Progress(180, "Ringing", False),
            Answered(),
        ]
        assert pair.media.log == ["offer", "accept v=0 final"], "nothing is agreed before the 200"

    def test_a_200_without_media_confirms_the_early_media_of_its_own_dialog(self):
        def progresses(pair, transaction, now):
            respond(pair, transaction, 183, "a", body=b"v=0 of a")
            respond(pair, transaction, 183, "b", body=b"v=0 of b")
            respond(pair, transaction, 200, "a")

        pair = Pair(Network(), progresses)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.media.log[-1] == "accept v=0 of a"
        assert pair.events[-1] == Answered()

    def test_a_trying_is_not_news(self):
        pair = Pair(Network(), lambda pair, transaction, now: respond(pair, transaction, 100, "x"))
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == []
        assert pair.network.sent("INVITE") == [0.0], "but it ends the repetition"


class TestAnswers:
    def test_every_repeated_200_is_acknowledged_with_the_same_ack(self):
        network = Network(drop=lambda data, to, now: data.startswith(b"ACK") and now < 4.0)
        pair = Pair(network, answers_at_once)
        pair.start()
        network.run(until=10.0)
        acks = pair.requests_at_callee("ACK")
        assert len(acks) == 5, "four were lost"
        assert len(set(acks)) == 1
        assert pair.events == [Answered()], "and reported once"
        assert pair.callee_events == [Answered()]

    def test_every_fork_is_acknowledged_and_the_extra_ones_hung_up(self):
        def forks(pair, transaction, now):
            for tag in ("a", "b", "c", "b"):
                respond(pair, transaction, 200, tag, body=b"v=0 " + tag.encode())

        pair = Pair(Network(), forks)
        pair.start()
        pair.network.run(until=0.1)
        acked = [header(data, "To") for data in pair.requests_at_callee("ACK")]
        assert [to[-5:] for to in acked] == ["tag=a", "tag=b", "tag=c", "tag=b"]
        byes = pair.requests_at_callee("BYE")
        assert [header(data, "To")[-5:] for data in byes] == ["tag=b", "tag=c"]
        assert first_line(byes[0]) == "BYE sip:b@192.0.2.2 SIP/2.0"
        assert pair.media.log == ["offer", "accept v=0 a"]
        assert pair.events == [Answered()]

    def test_the_description_is_found_in_a_multipart_body(self):
        body = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0 inside\r\n--x--\r\n"

        def on_invite(pair, transaction, now):
            response = build_response(
                transaction.request,
                CALLER,
                200,
                to_tag="a",
                headers=[("Contact", "<sip:a@192.0.2.2>")],
                body=body,
            )
            response.headers.set("Content-Type", "multipart/mixed;boundary=x")
            pair.callee.wire.datagrams.append((response.to_bytes(), CALLER))

        pair = Pair(Network(), on_invite)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.media.log[-1].strip() == "accept v=0 inside"
        assert pair.events == [Answered()]

    def test_media_that_we_cannot_use_is_acknowledged_and_hung_up(self):
        pair = Pair(
            Network(), lambda pair, transaction, now: respond(pair, transaction, 200, "a", body=b"unusable")
        )
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [
            Failed(FailureCause.INCOMPATIBLE_MEDIA, 200, "no usable answer", picked_up=True)
        ]
        assert len(pair.requests_at_callee("ACK")) == 1
        assert len(pair.requests_at_callee("BYE")) == 1
        pair.network.run(until=1.1)
        assert pair.caller.dialogs == 0

    def test_a_lost_bye_is_sent_again(self):
        network = Network(drop=lambda data, to, now: data.startswith(b"BYE") and now < 7.0)
        pair = Pair(network, answers_at_once)
        pair.start()
        pair.at(5.0, pair.session.hang_up)
        finish(pair)
        assert len(network.sent("BYE")) == 4
        assert pair.callee_events[-1] == Ended(EndCause.FAR_END_HUNG_UP)

    def test_a_far_end_that_is_gone_does_not_keep_our_bye_for_ever(self):
        network = Network(drop=lambda data, to, now: now >= 5.0)
        pair = Pair(network, answers_at_once)
        pair.start()
        pair.at(5.0, pair.session.hang_up)
        finish(pair)
        assert pair.events[-1] == Ended(EndCause.HUNG_UP)

    def test_both_sides_hang_up_at_once(self):
        pair = Pair(Network(), answers_at_once)
        pair.start()
        pair.at(5.0, lambda now: (pair.session.hang_up(now), pair.answering[0].hang_up(now)))
        finish(pair)
        assert pair.callee.idle
        assert pair.events[-1] == Ended(EndCause.HUNG_UP)
        statuses = {line for _, line in pair.trace if line.startswith("SIP/2.0")}
        assert statuses == {"SIP/2.0 200 OK"}, "each BYE is answered 200"

    def test_our_200_that_nobody_acknowledges_ends_with_a_bye(self):
        network = Network(drop=lambda data, to, now: data.startswith(b"ACK"))
        pair = Pair(network, answers_at_once)
        pair.start()
        finish(pair)
        assert pair.callee_events == [Ended(EndCause.NOT_ACKNOWLEDGED)]
        assert pair.events[-1] == Ended(EndCause.FAR_END_HUNG_UP)
        assert pair.callee.idle


class TestRoutes:
    ROUTES = (("Record-Route", "<sip:192.0.2.20;lr>, <sip:192.0.2.10;lr>"),)

    def answered_with(self, headers):
        pair = Pair(
            Network(),
            lambda pair, transaction, now: respond(pair, transaction, 200, "a", headers=headers, body=b"v=0"),
        )
        pair.start()
        pair.network.run(until=0.1)
        return pair, parse_message(pair.requests_at_callee("ACK")[0])

    def test_record_route_is_followed_in_reverse(self):
        pair, ack = self.answered_with(self.ROUTES)
        assert ack.uri == "sip:a@192.0.2.2"
        assert ack.headers.get_all("Route") == ["<sip:192.0.2.10;lr>", "<sip:192.0.2.20;lr>"]
        pair.session.hang_up(pair.network.now)
        _, _, to, data = next(entry for entry in self.flush(pair) if entry[3].startswith(b"BYE"))
        assert to == ("192.0.2.10", 5060)
        assert parse_message(data).headers.get_all("Route") == ["<sip:192.0.2.10;lr>", "<sip:192.0.2.20;lr>"]

    def test_a_strict_router_gets_itself_in_the_request_line(self):
        _, ack = self.answered_with((("Record-Route", "<sip:192.0.2.20;lr>, <sip:192.0.2.10>"),))
        assert ack.uri == "sip:192.0.2.10"
        assert ack.headers.get_all("Route") == ["<sip:192.0.2.20;lr>", "<sip:a@192.0.2.2>"]

    @staticmethod
    def flush(pair):
        pair.network.flush()
        return pair.network.wire


class TestDigest:
    CREDENTIALS = Credentials("shop", "secret")

    @staticmethod
    def challenging(status, check=lambda request: True, stale_after=None):
        """A far end that wants credentials; `check` says whether those that came are right."""

        def on_invite(pair, transaction, now):
            name = "Proxy-Authorization" if status == 407 else "Authorization"
            header = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
            given = transaction.request.headers.get(name)
            if given and check(given):
                pair.take(transaction, now).accept(now)
            else:
                stale = given is not None and stale_after is not None and stale_after in given
                nonce = "n2" if stale else "n1"
                challenge = make_challenge("carrier", nonce, stale=stale)
                pair.take(transaction, now).reject(status, now, headers=[(header, str(challenge))])

        return on_invite

    @pytest.mark.parametrize("status", [401, 407])
    def test_a_challenge_is_answered_after_its_ack(self, status):
        pair = Pair(Network(), self.challenging(status), credentials=self.CREDENTIALS)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [Answered()]
        methods = [
            first_line(data).split()[0] for _, source, _, data in pair.network.wire if source == CALLER
        ]
        assert methods == ["INVITE", "ACK", "INVITE", "ACK"]
        first, second = (parse_message(data) for data in pair.requests_at_callee("INVITE"))
        assert second.cseq.number == first.cseq.number + 1
        assert second.call_id == first.call_id
        assert second.from_.tag == first.from_.tag
        assert second.top_via.branch != first.top_via.branch

    def test_the_ack_of_the_200_and_the_bye_carry_credentials(self):
        pair = Pair(Network(), self.challenging(407), credentials=self.CREDENTIALS)
        pair.start()
        pair.at(1.0, pair.session.hang_up)
        finish(pair)
        ack = pair.requests_at_callee("ACK")[-1]
        assert header(ack, "Proxy-Authorization") == header(
            pair.requests_at_callee("INVITE")[-1], "Proxy-Authorization"
        )
        assert "nc=00000002" in header(pair.requests_at_callee("BYE")[0], "Proxy-Authorization")

    def test_wrong_credentials_are_tried_once(self):
        pair = Pair(Network(), self.challenging(401, check=lambda given: False), credentials=self.CREDENTIALS)
        pair.start()
        finish(pair)
        assert len(pair.requests_at_callee("INVITE")) == 2
        assert pair.events == [Failed(FailureCause.AUTHENTICATION_FAILED, 401, "Unauthorized")]

    def test_without_credentials_a_challenge_is_a_failure(self):
        pair = Pair(Network(), self.challenging(401))
        pair.start()
        finish(pair)
        assert len(pair.requests_at_callee("INVITE")) == 1
        assert pair.events[0].cause is FailureCause.AUTHENTICATION_FAILED

    def test_a_challenge_that_cannot_be_answered_is_a_failure(self):
        pair = Pair(
            Network(),
            refuses(401, ("WWW-Authenticate", 'Digest realm="x", nonce="y", algorithm=ROT13')),
            credentials=self.CREDENTIALS,
        )
        pair.start()
        finish(pair)
        assert pair.events[0].cause is FailureCause.AUTHENTICATION_FAILED

    def test_a_stale_nonce_is_replaced(self):
        on_invite = self.challenging(401, check=lambda given: 'nonce="n2"' in given, stale_after="n1")
        pair = Pair(Network(), on_invite, credentials=self.CREDENTIALS)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [Answered()]
        assert len(pair.requests_at_callee("INVITE")) == 3

    def test_a_nonce_that_is_stale_for_ever_is_given_up(self):
        on_invite = self.challenging(401, check=lambda given: False, stale_after="n")
        pair = Pair(Network(), on_invite, credentials=self.CREDENTIALS)
        pair.start()
        finish(pair)
        assert pair.events[0].cause is FailureCause.AUTHENTICATION_FAILED
        assert len(pair.requests_at_callee("INVITE")) <= 6

    def test_a_proxy_and_the_far_end_may_both_ask(self):
        def on_invite(pair, transaction, now):
            headers = transaction.request.headers
            session = pair.take(transaction, now)
            if not headers.get("Proxy-Authorization"):
                challenge = str(make_challenge("proxy", "np"))
                session.reject(407, now, headers=[("Proxy-Authenticate", challenge)])
            elif not headers.get("Authorization"):
                session.reject(401, now, headers=[("WWW-Authenticate", str(make_challenge("end", "ne")))])
            else:
                session.accept(now)

        pair = Pair(Network(), on_invite, credentials=self.CREDENTIALS)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [Answered()]

    def test_one_response_may_bring_the_challenges_of_several_realms(self):
        def on_invite(pair, transaction, now):
            given = transaction.request.headers.get_all("Proxy-Authorization")
            session = pair.take(transaction, now)
            if len(given) == 2:
                session.accept(now)
            else:
                realms = [("Proxy-Authenticate", str(make_challenge(realm, f"n-{realm}"))) for realm in "ab"]
                session.reject(407, now, headers=realms)

        pair = Pair(Network(), on_invite, credentials=self.CREDENTIALS)
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [Answered()]
        assert len(pair.requests_at_callee("INVITE")) == 2

    def test_a_cancel_ends_the_rounds(self):
        network = Network(delay=1.0)
        pair = Pair(network, self.challenging(401), credentials=self.CREDENTIALS)
        pair.start()
        pair.at(0.5, pair.session.hang_up)
        finish(pair)
        assert {header(data, "CSeq") for data in pair.requests_at_callee("INVITE")} == {"1 INVITE"}
        assert pair.events == [Failed(FailureCause.CANCELLED, 401, "Unauthorized")]


class TestSessionInterval:
    def test_a_422_is_answered_with_a_longer_interval(self):
        def on_invite(pair, transaction, now):
            session = pair.take(transaction, now)
            if int(transaction.request.headers.get("Session-Expires")) < 7200:
                session.reject(422, now, headers=[("Min-SE", "7200")])
            else:
                session.accept(now)

        pair = Pair(Network(), on_invite, caller_timer=SessionTimerPolicy(interval_s=1800))
        pair.start()
        pair.network.run(until=1.0)
        assert pair.events == [Answered()]
        last = parse_message(pair.requests_at_callee("INVITE")[-1])
        assert (last.headers.get("Session-Expires"), last.headers.get("Min-SE")) == ("7200", "7200")

    @pytest.mark.parametrize("headers", [(("Min-SE", "60"),), (), (("Min-SE", "soon"),)])
    def test_a_422_that_asks_for_nothing_longer_is_a_failure(self, headers):
        pair = Pair(Network(), refuses(422, *headers), caller_timer=SessionTimerPolicy(interval_s=1800))
        pair.start()
        finish(pair)
        assert pair.events[0].cause is FailureCause.REJECTED
