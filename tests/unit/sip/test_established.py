"""Inside a call that is up: what the far end may send, re-INVITE, UPDATE, glare and session timers."""

import itertools

import pytest
from tests.helpers.sip_link import CALLEE, CALLER, Network, Pair, answers_at_once, first_line, header

from outdial.sip.dialog import Dialog
from outdial.sip.digest import Credentials, make_challenge
from outdial.sip.message import Headers, Request
from outdial.sip.parser import parse_message
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import Answered, EndCause, Ended, InfoReceived, MediaChanged


def up(network=None, **options):
    pair = Pair(network or Network(), answers_at_once, **options)
    pair.start()
    pair.network.run(until=1.0)
    assert pair.events == [Answered()]
    return pair


def send_from_callee(pair, method, *, body=b"", headers=(), sequence=None):
    """Send a request inside the dialog, written by hand; returns its Via branch."""
    dialog: Dialog = pair.answering[0].established.dialog
    request = dialog.request(method, sequence=sequence)
    branch = f"z9hG4bK{method.lower()}{len(pair.network.wire)}"
    via = f"SIP/2.0/UDP 192.0.2.2:5060;branch={branch};rport"
    request.headers = Headers([("Via", via), *request.headers.items(), *headers])
    request.body = body
    pair.callee.wire.datagrams.append((request.to_bytes(), CALLER))
    pair.network.run(until=pair.network.now + 0.1)
    return branch


def answers_to(pair, branch):
    return [
        parse_message(data)
        for _, source, _, data in pair.network.wire
        if source == CALLER and data.startswith(b"SIP/2.0") and branch.encode() in data
    ]


class TestRequestsOfTheFarEnd:
    @pytest.mark.parametrize(
        ("method", "status"),
        [
            ("OPTIONS", 200),
            ("INFO", 200),
            ("NOTIFY", 200),
            ("MESSAGE", 200),
            ("PRACK", 405),
            ("REFER", 405),
            ("SUBSCRIBE", 405),
            ("DANCE", 501),
        ],
    )
    def test_each_method_gets_its_answer_and_the_call_goes_on(self, method, status):
        pair = up()
        (response,) = answers_to(pair, send_from_callee(pair, method))
        assert response.status == status
        if status in (405, 501) or method == "OPTIONS":
            assert "INVITE" in response.headers.get("Allow")
        assert pair.session.established.state.name == "CONFIRMED"

    def test_an_info_is_handed_on(self):
        pair = up()
        headers = [("Content-Type", "Application/DTMF-Relay; charset=x")]
        send_from_callee(pair, "INFO", body=b"Signal=5\r\nDuration=160\r\n", headers=headers)
        assert pair.events[-1] == InfoReceived("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")

    def test_an_old_sequence_number_is_refused(self):
        pair = up()
        send_from_callee(pair, "OPTIONS", sequence=5)
        (response,) = answers_to(pair, send_from_callee(pair, "OPTIONS", sequence=4))
        assert response.status == 500

    def test_a_bye_with_a_cause(self):
        pair = up()
        headers = [("Reason", 'SIP;cause=200, Q.850;cause=16;text="Normal call clearing"')]
        (response,) = answers_to(pair, send_from_callee(pair, "BYE", headers=headers))
        assert response.status == 200
        assert pair.events[-1] == Ended(EndCause.FAR_END_HUNG_UP, 16)
        assert pair.caller.dialogs == 0

    def test_after_the_end_nothing_is_known_any_more(self):
        pair = up()
        send_from_callee(pair, "BYE")
        (response,) = answers_to(pair, send_from_callee(pair, "OPTIONS"))
        assert response.status == 481

    def test_while_our_bye_is_under_way_other_requests_are_refused(self):
        pair = up(Network(drop=lambda data, to, now: data.startswith(b"BYE") and to == CALLEE))
        pair.at(2.0, pair.session.hang_up)
        (response,) = answers_to(pair, send_from_callee(pair, "INFO"))
        assert response.status == 481
        (response,) = answers_to(pair, send_from_callee(pair, "BYE"))
        assert response.status == 200


class TestReinviteOfTheFarEnd:
    def reinvite(self, pair, body=b"v=0 hold", contact="<sip:new@192.0.2.2>"):
        headers = [("Contact", contact), ("Content-Type", "application/sdp")]
        return send_from_callee(pair, "INVITE", body=body, headers=headers)

    def ack(self, pair, body=b""):
        dialog = pair.answering[0].established.dialog
        headers = [("Content-Type", "application/sdp")] if body else []
        send_from_callee(pair, "ACK", sequence=dialog.local_seq, body=body, headers=headers)

    def test_it_is_answered_and_the_target_moves(self):
        pair = up()
        (response,) = answers_to(pair, self.reinvite(pair))
        assert (response.status, response.body) == (200, b"v=0 answer")
        assert response.contact is not None
        assert pair.events[-1] == MediaChanged()
        self.ack(pair)
        pair.session.hang_up(pair.network.now)
        pair.network.flush()
        assert first_line(pair.requests_at_callee("BYE")[0]) == "BYE sip:new@192.0.2.2 SIP/2.0"

    def test_its_200_is_repeated_until_the_ack(self):
        pair = up()
        branch = self.reinvite(pair)
        pair.network.run(until=6.0)
        assert len(answers_to(pair, branch)) == 4
        self.ack(pair)
        pair.network.run(until=20.0)
        assert len(answers_to(pair, branch)) == 4

    def test_without_an_ack_the_call_is_ended(self):
        pair = up()
        self.reinvite(pair)
        pair.network.run()
        assert pair.events[-1] == Ended(EndCause.NOT_ACKNOWLEDGED)
        assert pair.caller.idle

    def test_a_delayed_offer_gets_our_offer_and_brings_the_answer_in_the_ack(self):
        pair = up()
        (response,) = answers_to(pair, self.reinvite(pair, body=b""))
        assert (response.status, response.body) == (200, b"v=0 offer")
        assert pair.events == [Answered()], "nothing has changed yet"
        self.ack(pair, b"v=0 their answer")
        assert pair.media.log[-1] == "accept v=0 their answer"
        assert pair.events[-1] == MediaChanged()

    def test_a_delayed_offer_without_an_answer_changes_nothing(self):
        pair = up()
        self.reinvite(pair, body=b"")
        self.ack(pair)
        assert pair.events == [Answered()]
        assert pair.session.established.incoming_reinvite is None

    def test_media_that_cannot_be_is_refused_and_the_call_goes_on(self):
        pair = up()
        (response,) = answers_to(pair, self.reinvite(pair, body=b"unusable"))
        assert response.status == 488
        assert "no usable offer" in response.headers.get("Warning")
        (response,) = answers_to(pair, self.reinvite(pair))
        assert response.status == 200

    def test_a_second_one_before_the_ack_is_refused(self):
        pair = up()
        self.reinvite(pair)
        (response,) = answers_to(pair, self.reinvite(pair))
        assert response.status == 500
        assert response.headers.get("Retry-After")

    def test_an_interval_below_our_minimum_is_refused(self):
        pair = up()
        for method in ("INVITE", "UPDATE"):
            (response,) = answers_to(
                pair, send_from_callee(pair, method, headers=[("Session-Expires", "60")])
            )
            assert (response.status, response.headers.get("Min-SE")) == (422, "90")


class TestUpdateOfTheFarEnd:
    def test_without_an_offer_it_refreshes_the_target(self):
        pair = up()
        (response,) = answers_to(
            pair, send_from_callee(pair, "UPDATE", headers=[("Contact", "<sip:n@192.0.2.2>")])
        )
        assert (response.status, response.body) == (200, b"")
        assert pair.events == [Answered()]
        assert pair.session.established.dialog.remote_target == "sip:n@192.0.2.2"

    def test_with_an_offer_it_is_answered(self):
        pair = up()
        (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", body=b"v=0 hold"))
        assert (response.status, response.body) == (200, b"v=0 answer")
        assert pair.events[-1] == MediaChanged()

    def test_media_that_cannot_be_is_refused(self):
        pair = up()
        (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", body=b"unusable"))
        assert response.status == 488

    def test_it_waits_behind_an_open_reinvite(self):
        pair = up()
        send_from_callee(pair, "INVITE", body=b"v=0 hold")
        (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", body=b"v=0"))
        assert response.status == 500


class TestOurReinvite:
    def test_it_changes_the_media_of_both(self):
        pair = up()
        pair.at(2.0, pair.session.established.reinvite)
        pair.network.run(until=3.0)
        assert pair.events[-1] == MediaChanged()
        assert pair.callee_events[-1] == MediaChanged()
        assert pair.session.established.outgoing_reinvite is None
        assert pair.answering[0].established.incoming_reinvite is None

    def test_a_repeated_200_is_acknowledged_again(self):
        network = Network()
        pair = up(network)
        network.drop = lambda data, to, now: data.startswith(b"ACK") and now < 6.0
        pair.at(2.0, pair.session.established.reinvite)
        network.run(until=20.0)
        acks = [data for data in pair.requests_at_callee("ACK") if b"CSeq: 2 ACK" in data]
        assert len(acks) == 5, "four were lost"
        assert len(set(acks)) == 1
        assert pair.events.count(MediaChanged()) == 1
        assert pair.answering[0].established.incoming_reinvite is None

    def test_a_refusal_leaves_the_call_as_it_was(self):
        pair = up()
        pair.media.offers = b"unusable"
        pair.at(2.0, pair.session.established.reinvite)
        pair.network.run(until=3.0)
        assert pair.events == [Answered()]
        assert pair.session.established.outgoing_reinvite is None

    def test_glare_is_solved_by_waiting(self):
        pair = up()
        callee = pair.answering[0].established
        pair.at(2.0, lambda now: (pair.session.established.reinvite(now), callee.reinvite(now)))
        pair.network.run(until=12.0)
        refused = [at for at, _, _, data in pair.network.wire if data.startswith(b"SIP/2.0 491")]
        assert len(refused) == 2
        again = [at for at in pair.network.sent("INVITE", CALLER) if at > 2.1]
        assert again
        assert 2.1 <= again[0] - refused[0] <= 4.1, "the owner of the Call-ID waits 2.1 to 4 s"
        theirs = [at for at in pair.network.sent("INVITE", CALLEE) if at > 2.1]
        assert theirs[0] - refused[0] <= 2.1, "the other side up to 2 s"
        assert pair.events.count(MediaChanged()) == 2
        assert pair.callee_events.count(MediaChanged()) == 2

    def test_hanging_up_while_it_waits_leaves_nothing(self):
        pair = up()
        callee = pair.answering[0].established
        pair.at(2.0, lambda now: (pair.session.established.reinvite(now), callee.reinvite(now)))
        pair.at(2.1, pair.session.hang_up)
        pair.network.run()
        assert pair.caller.idle
        assert pair.callee.idle

    def test_it_waits_while_the_far_ends_is_open(self):
        network = Network()
        pair = up(network)
        network.drop = lambda data, to, now: data.startswith(b"ACK") and now < 2.3
        pair.at(2.0, pair.answering[0].established.reinvite)
        pair.at(2.1, pair.session.established.reinvite)
        assert pair.network.sent("INVITE", CALLER) == [0.0]
        network.run(until=10.0)
        assert len(pair.network.sent("INVITE", CALLER)) == 2
        assert pair.events.count(MediaChanged()) == 2

    @pytest.mark.parametrize("lost", [True, False])
    def test_a_far_end_that_lost_the_call_ends_it(self, lost):
        network = Network()
        pair = up(network)
        if lost:
            network.drop = lambda data, to, now: to == CALLEE
        else:
            pair.callee._dialogs.clear()
        pair.at(2.0, pair.session.established.reinvite)
        network.run()
        assert pair.events[-1] == Ended(EndCause.DIALOG_GONE)
        assert pair.caller.idle

    def test_a_challenge_is_answered(self):
        pair = up(credentials=Credentials("shop", "secret"))
        session = pair.answering[0]
        original = session.established.on_request
        seen = []

        def challenge_first(transaction, now):
            given = transaction.request.headers.get("Authorization")
            seen.append((transaction.request.method, given is not None))
            if given is None:
                header_value = str(make_challenge("end", "nonce"))
                session.established.respond(
                    transaction, 401, now, headers=[("WWW-Authenticate", header_value)]
                )
            else:
                original(transaction, now)

        session.established.on_request = challenge_first
        pair.at(2.0, pair.session.established.reinvite)
        pair.at(3.0, pair.session.hang_up)
        pair.network.run()
        assert seen == [("INVITE", False), ("INVITE", True), ("BYE", True)]
        assert pair.events[1] == MediaChanged()
        assert pair.callee_events[-1] == Ended(EndCause.FAR_END_HUNG_UP)


class TestSessionTimers:
    POLICY = SessionTimerPolicy(interval_s=100)

    def test_we_refresh_with_update_at_half_the_interval(self):
        pair = up(caller_timer=self.POLICY, callee_timer=SessionTimerPolicy(interval_s=100))
        pair.network.run(until=500.0)
        updates = pair.network.sent("UPDATE", CALLER)
        assert len(updates) == 9
        assert all(49 < later - earlier < 51 for earlier, later in itertools.pairwise(updates))
        assert pair.events == [Answered()]
        assert pair.callee_events == [Answered()]

    def test_we_refresh_with_reinvite_where_update_is_unknown(self):
        pair = Pair(Network(), answers_at_once, caller_timer=self.POLICY)
        pair.start()
        pair.network.run(until=1.0)
        pair.session.established._far_end_updates = False
        pair.network.run(until=120.0)
        assert len(pair.network.sent("INVITE", CALLER)) == 3
        assert pair.network.sent("UPDATE") == []
        assert header(pair.requests_at_callee("INVITE")[1], "Session-Expires") == "100;refresher=uac"

    def test_a_far_end_that_refuses_update_gets_a_reinvite(self):
        pair = up(caller_timer=self.POLICY)
        callee = pair.answering[0].established
        original = callee.on_request

        def no_update(transaction, now):
            if transaction.request.method == "UPDATE":
                callee.respond(transaction, 405, now)
            else:
                original(transaction, now)

        callee.on_request = no_update
        pair.network.run(until=60.0)
        assert len(pair.network.sent("UPDATE", CALLER)) == 1
        assert len(pair.network.sent("INVITE", CALLER)) == 2

    def test_without_a_refresh_from_the_far_end_we_hang_up(self):
        pair = up()
        headers = [("Session-Expires", "120;refresher=uac")]
        (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", headers=headers))
        assert response.headers.get("Session-Expires") == "120;refresher=uac"
        assert response.headers.get("Require") == "timer"
        started = pair.network.now
        pair.network.run()
        assert pair.events[-1] == Ended(EndCause.EXPIRED)
        (bye,) = pair.network.sent("BYE", CALLER)
        assert abs(bye - started - (120 - 32)) < 0.2, "32 s before the end (RFC 4028 §10)"

    def test_we_refresh_when_the_far_end_asks_us_to(self):
        pair = up()
        send_from_callee(pair, "UPDATE", headers=[("Session-Expires", "120;refresher=uas")])
        pair.network.run(until=100.0)
        assert pair.network.sent("UPDATE", CALLER)
        assert pair.events == [Answered()]

    def test_we_refresh_for_a_far_end_that_knows_no_timers(self):
        """Its proxy has asked (RFC 4028 §8.1, §9); it would never refresh, and the call would be hung up."""
        pair = up()
        (response,) = answers_to(
            pair,
            send_from_callee(pair, "UPDATE", headers=[("Session-Expires", "120"), ("Supported", "path")]),
        )
        assert response.headers.get("Session-Expires") == "120;refresher=uas"
        assert response.headers.get("Require") is None
        pair.network.run(until=100.0)
        assert pair.network.sent("UPDATE", CALLER)
        assert pair.events == [Answered()]

    def test_a_far_end_that_asks_and_knows_timers_refreshes_itself(self):
        pair = up()
        headers = [("Session-Expires", "120"), ("k", "path, Timer")]
        (response,) = answers_to(pair, send_from_callee(pair, "UPDATE", headers=headers))
        assert response.headers.get("Session-Expires") == "120;refresher=uac"
        assert response.headers.get("Require") == "timer"

    @pytest.mark.parametrize("by_update", [True, False])
    def test_a_refresh_into_silence_ends_the_call(self, by_update):
        """When its transaction is over (§10 of RFC 4028), and not only when the interval is."""
        network = Network()
        pair = up(network, caller_timer=SessionTimerPolicy(interval_s=1800))
        pair.session.established._far_end_updates = by_update
        network.drop = lambda data, to, now: now > 10.0
        network.run(until=900.0 + 33.0)
        assert pair.events[-1] == Ended(EndCause.DIALOG_GONE)
        network.run()
        assert pair.caller.idle

    @pytest.mark.parametrize("by_update", [True, False])
    def test_a_422_to_a_refresh_lengthens_it(self, by_update):
        pair = up(caller_timer=self.POLICY)
        pair.session.established._far_end_updates = by_update
        callee = pair.answering[0].established
        callee.timer.min_se_s = 300
        pair.network.run(until=60.0)
        assert pair.session.established.timer.interval_s == 300
        assert pair.events[-1] == (Answered() if by_update else MediaChanged())

    def refusing(self, **refusals):
        """A call whose callee refuses the first so many of each method with 503."""
        pair = up(caller_timer=self.POLICY)
        callee = pair.answering[0].established
        original = callee.on_request

        def on_request(transaction, now):
            method = transaction.request.method
            if refusals.get(method, 0):
                refusals[method] -= 1
                callee.respond(transaction, 503, now)
            else:
                original(transaction, now)

        callee.on_request = on_request
        callee.timer.stop()
        return pair

    def test_a_far_end_that_refuses_an_update_for_any_reason_gets_a_reinvite(self):
        pair = self.refusing(UPDATE=1)
        pair.network.run(until=60.0)
        assert pair.events == [Answered(), MediaChanged()]
        assert len(pair.network.sent("INVITE", CALLER)) == 2

    def test_a_refresh_that_was_refused_is_tried_again_before_the_session_expires(self):
        """A far end that has no time for it at one moment must not cost the call."""
        pair = self.refusing(UPDATE=1, INVITE=1)
        pair.network.run(until=68.0)
        assert pair.events == [Answered(), MediaChanged()]
        invites = pair.network.sent("INVITE", CALLER)
        assert len(invites) == 3
        assert 8 <= invites[2] - invites[1] <= 11

    def test_a_refresh_that_is_always_refused_lets_the_session_expire(self):
        pair = self.refusing(UPDATE=99, INVITE=99)
        pair.network.run()
        assert pair.events[-1] == Ended(EndCause.EXPIRED)
        assert len(pair.network.sent("INVITE", CALLER)) <= 4
        assert pair.caller.idle

    def test_a_reinvite_that_is_only_ever_worked_on_leaves_nothing_behind(self):
        """Timer B ends with the 100 Trying, and nothing else would end the transaction."""
        pair = up(caller_timer=SessionTimerPolicy(interval_s=0))
        callee = pair.answering[0].established
        callee.on_request = lambda transaction, now: callee.respond(transaction, 100, now)
        pair.at(2.0, pair.session.established.reinvite)
        pair.at(100.0, pair.session.hang_up)
        pair.network.run(until=300.0)
        assert pair.events == [Answered(), Ended(EndCause.HUNG_UP)]
        assert pair.caller.idle

    def test_an_unreadable_interval_is_none(self):
        pair = up()
        (response,) = answers_to(
            pair, send_from_callee(pair, "UPDATE", headers=[("Session-Expires", "for ever")])
        )
        assert response.status == 200
        assert response.headers.get("Session-Expires") is None


class TestDestinations:
    def dialog(self, target="sip:a@192.0.2.2", routes=(), peer=("11.22.33.44", 5060), keep=False):
        return Dialog(
            "id", "<sip:x@y>;tag=1", "<sip:y@x>;tag=2", "2", routes, target, peer, 1, keep_to_peer=keep
        )

    def test_the_contact_is_followed(self):
        assert self.dialog("sip:a@55.66.77.88:5080").destination() == ("55.66.77.88", 5080)

    def test_a_route_comes_first(self):
        routes = ("<sip:55.66.77.89;lr>",)
        assert self.dialog("sip:a@55.66.77.88", routes).destination() == ("55.66.77.89", 5060)

    @pytest.mark.parametrize(
        "target",
        ["sip:a@sbc.example.com", "sip:a@10.0.0.7", "sip:a@100.64.0.7", "nonsense", "sip:a@[::1]"],
    )
    def test_what_cannot_be_reached_means_the_peer(self, target):
        assert self.dialog(target).destination() == ("11.22.33.44", 5060)

    @pytest.mark.parametrize("host", ["10.0.0.7", "100.64.0.7"])
    def test_a_private_route_of_a_public_peer_means_the_peer(self, host):
        """A proxy in a cloud that records the address that it is bound to; a BYE would never arrive there."""
        dialog = self.dialog("sip:a@55.66.77.88", (f"<sip:{host};lr>",))
        assert dialog.destination() == ("11.22.33.44", 5060)
        assert dialog.request("BYE").headers.get_all("Route") == [f"<sip:{host};lr>"]

    def test_a_private_contact_of_a_private_peer_is_followed(self):
        assert self.dialog("sip:a@10.0.0.7", peer=("10.0.0.1", 5060)).destination() == ("10.0.0.7", 5060)

    def test_a_trunk_may_keep_us_to_the_peer(self):
        routes = ("<sip:55.66.77.89;lr>",)
        dialog = self.dialog("sip:a@55.66.77.88", routes, keep=True)
        assert dialog.destination() == ("11.22.33.44", 5060)

    def test_an_unreadable_route_counts_as_loose(self):
        request = self.dialog(routes=("<<<",)).request("BYE")
        assert isinstance(request, Request)
        assert request.uri == "sip:a@192.0.2.2"
