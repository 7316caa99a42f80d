"""Several addresses of a trunk (RFC 3263 §4.3): when the next is tried, and when nobody else may be rung."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.sip_link import CALLEE, CALLER, Network, Pair

from outdial.sip.digest import Credentials, make_challenge
from outdial.sip.parser import parse_message
from outdial.sip.responses import build_response
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import (
    Answered,
    AnsweredLate,
    EndCause,
    Ended,
    Failed,
    FailureCause,
    NextAddress,
    Progress,
)

SECOND = ("192.0.2.3", 5060)
BOTH = (CALLEE, SECOND)
TIMER_B = 32.0


def says(status, *headers, ringing=None, trying=False, body=b"v=0 answer"):
    """A far end that answers by hand, perhaps after a provisional response."""

    def on_invite(pair, transaction, now):
        where = next(at for at, e in pair.network.endpoints.items() if e.layer.wire is transaction._wire)
        answers = [100] * trying + ([ringing] if ringing else []) + [status]
        for code in answers:
            response = build_response(
                transaction.request,
                CALLER,
                code,
                to_tag=f"tag{where[0]}" if code > 100 else None,
                headers=[("Contact", "<sip:in@far.example>"), *headers],
                body=body if code == 200 else b"",
            )
            pair.network.endpoints[where].wire.datagrams.append((response.to_bytes(), CALLER))

    return on_invite


def answers(at):
    def on_invite(pair, transaction, now):
        session = pair.take(transaction, now, at=at)
        session.progress(180, now)
        session.accept(now)

    return on_invite


def rings(at):
    return lambda pair, transaction, now: pair.take(transaction, now, at=at).progress(180, now)


def calls(first, second, *, network=None, **options):
    pair = Pair(network or Network(), first, destinations=BOTH, **options)
    pair.add_callee(SECOND, second)
    pair.start()
    return pair


def to(pair, address):
    """The requests that were sent to an address, as methods."""
    return [
        data.split(b" ", 1)[0].decode()
        for _, source, destination, data in pair.network.wire
        if source == CALLER and destination == address and not data.startswith(b"SIP/2.0")
    ]


def invites(pair):
    return [parse_message(data) for _, source, _, data in pair.network.wire if data.startswith(b"INVITE ")]


def lost(*addresses):
    return lambda data, destination, now: destination in addresses


def finish(pair):
    pair.network.run()
    assert pair.caller.idle, pair.network.ladder()


def unavailable(**more):
    return Failed(FailureCause.REJECTED, 503, "Service Unavailable", **more)


@pytest.mark.parametrize("trying", [False, True])
def test_503_leads_to_the_next_address_with_a_new_branch_and_nothing_else_new(trying):
    pair = calls(says(503, trying=trying), answers(SECOND))
    pair.at(5.0, pair.session.hang_up)
    finish(pair)
    assert pair.events == [
        NextAddress(CALLEE, unavailable(), SECOND),
        Progress(180, "Ringing", False),
        Answered(),
        Ended(EndCause.HUNG_UP),
    ]
    first, second = invites(pair)
    assert first.top_via.branch != second.top_via.branch
    first.headers.set("Via", "")
    second.headers.set("Via", "")
    assert first.to_bytes() == second.to_bytes()
    assert to(pair, CALLEE) == ["INVITE", "ACK"]
    assert to(pair, SECOND) == ["INVITE", "ACK", "BYE"], "what follows stays with the address that answered"
    assert pair.session.destination == SECOND


def test_silence_leads_to_the_next_address_when_the_transaction_is_over():
    pair = calls(says(200), answers(SECOND), network=Network(drop=lost(CALLEE)))
    pair.network.run(until=TIMER_B + 1)
    assert pair.events[0] == NextAddress(CALLEE, Failed(FailureCause.NO_RESPONSE), SECOND)
    assert pair.events[-1] == Answered()
    pair.session.hang_up(pair.network.now)
    finish(pair)


def test_an_address_that_says_nothing_is_passed_over_when_the_time_to_ring_is_over():
    """Agents are rung for 20 s, and Timer B takes 32: a dead first address would cost all calls of theirs."""
    pair = calls(says(200), answers(SECOND), network=Network(drop=lost(CALLEE)), ring_timeout_s=20.0)
    pair.network.run(until=21)
    assert pair.events[0] == NextAddress(CALLEE, Failed(FailureCause.NO_RESPONSE), SECOND)
    assert pair.events[-1] == Answered()
    pair.session.hang_up(pair.network.now)
    finish(pair)


def test_silence_at_all_addresses_is_no_ringing_that_nobody_answered():
    pair = calls(says(200), answers(SECOND), network=Network(drop=lost(CALLEE, SECOND)), ring_timeout_s=20.0)
    finish(pair)
    assert pair.events[-1] == Failed(FailureCause.NO_RESPONSE)
    assert len(pair.events) == 2


def test_a_phone_of_whose_ringing_nothing_was_heard_in_time_stops_when_it_is_heard():
    pair = calls(rings(CALLEE), rings(SECOND), ring_timeout_s=20.0)
    pair.network.drop = lambda data, to, now: to == CALLER and b"z9hG4bK" in data and now < 25
    pair.network.run(until=26)
    first = pair.answering[0]
    first.progress(180, pair.network.now)
    finish(pair)
    assert "CANCEL" in to(pair, CALLEE)
    assert first.state.value == "Ended"


def test_the_ringing_has_its_whole_time_at_each_address():
    pair = calls(says(200), rings(SECOND), network=Network(drop=lost(CALLEE)), ring_timeout_s=40.0)
    pair.network.run(until=TIMER_B + 39)
    assert pair.events[-1] == Progress(180, "Ringing", False)
    finish(pair)
    assert pair.events[-1] == Failed(FailureCause.RING_TIMEOUT, 487, "Request Terminated")


def test_a_network_that_refuses_leads_to_the_next_address_at_once():
    pair = calls(says(200), answers(SECOND))
    pair.network._queue.clear()
    pair.caller.transport_error(CALLEE, invites(pair)[0].to_bytes(), 0.1)
    pair.at(1.0, lambda now: None)
    assert pair.events[0] == NextAddress(CALLEE, Failed(FailureCause.TRANSPORT_FAILED), SECOND)
    assert pair.events[-1] == Answered()
    pair.session.hang_up(pair.network.now)
    finish(pair)


def test_when_the_last_address_fails_the_call_fails_with_its_failure():
    pair = calls(says(503), says(503, ("Retry-After", "7")))
    finish(pair)
    assert pair.events == [
        NextAddress(CALLEE, unavailable(), SECOND),
        unavailable(retry_after_s=7),
    ]


@pytest.mark.parametrize("status", [302, 404, 408, 480, 486, 487, 488, 500, 502, 504, 600, 603, 607])
def test_any_other_refusal_is_the_callees_or_final(status):
    pair = calls(says(status), answers(SECOND))
    finish(pair)
    assert [event.status for event in pair.events] == [status]
    assert to(pair, SECOND) == []


@pytest.mark.parametrize("ringing", [180, 181, 182, 183, 199])
def test_nobody_else_is_rung_when_a_phone_may_have_rung(ringing):
    pair = calls(says(503, ringing=ringing), answers(SECOND))
    finish(pair)
    assert pair.events[-1] == unavailable()
    assert to(pair, SECOND) == []


@pytest.mark.parametrize(("cause", "tried"), [(1, 0), (17, 0), (21, 0), (31, 0), (34, 1), (38, 1), (41, 1)])
def test_a_gateway_that_says_503_and_means_the_callee(cause, tried):
    pair = calls(says(503, ("Reason", f"Q.850;cause={cause}")), says(486))
    finish(pair)
    assert to(pair, SECOND).count("INVITE") == tried


def test_no_next_address_when_the_call_was_given_up_before():
    for give_up_at in (0.01, 0.03):
        pair = calls(says(503, trying=True), answers(SECOND), network=Network(delay=0.02))
        pair.network.schedule(give_up_at, pair.session.hang_up)
        finish(pair)
        assert pair.events == [Failed(FailureCause.CANCELLED, 503, "Service Unavailable")]
        assert to(pair, SECOND) == []


def test_silence_after_giving_up_is_no_reason_to_try_another():
    pair = calls(says(200), answers(SECOND), network=Network(drop=lost(CALLEE)))
    pair.at(1.0, pair.session.hang_up)
    finish(pair)
    assert pair.events == [Failed(FailureCause.CANCELLED)]
    assert to(pair, SECOND) == []


def test_the_next_address_may_ask_for_credentials_of_its_own():
    def challenges(realm, then):
        def on_invite(pair, transaction, now):
            if transaction.request.headers.get_all("Authorization"):
                nonce = transaction.request.headers.get_all("Authorization")[-1]
                if realm in nonce:
                    return then(pair, transaction, now)
            return says(401, ("WWW-Authenticate", make_challenge(realm, realm)))(pair, transaction, now)

        return on_invite

    pair = calls(
        challenges("first", says(503)),
        challenges("second", answers(SECOND)),
        credentials=Credentials("u", "p"),
    )
    pair.network.run(until=3.0)
    assert pair.events[-1] == Answered(), pair.network.ladder()
    assert [invite.cseq.number for invite in invites(pair)] == [1, 2, 2, 3]
    pair.session.hang_up(3.0)
    finish(pair)


def test_the_same_realm_may_ask_again_at_the_next_address():
    def challenges(nonce, then):
        def on_invite(pair, transaction, now):
            given = transaction.request.headers.get_all("Authorization")
            if given and nonce in given[-1]:
                return then(pair, transaction, now)
            return says(401, ("WWW-Authenticate", make_challenge("r", nonce)))(pair, transaction, now)

        return on_invite

    pair = calls(
        challenges("one", says(503)), challenges("two", answers(SECOND)), credentials=Credentials("u", "p")
    )
    pair.network.run(until=3.0)
    assert pair.events[-1] == Answered(), pair.network.ladder()
    pair.session.hang_up(3.0)
    finish(pair)


class TestLateNews:
    """The first address said nothing for 32 s, and then it speaks after all."""

    def late(self, first, second, *, at=40.0):
        """Responses to us from the first address are held back until `at`."""
        network = Network(drop=lambda data, to, now: False)
        held = []

        def drop(data, destination, now):
            if destination == CALLER and b"tag192.0.2.2" in data and now < at:
                if not held:
                    network.schedule(at, lambda _: [network._deliver(CALLEE, CALLER, each) for each in held])
                held.append(data)
                return True
            return destination == CALLER and b"tag=" not in data.split(b"\r\nTo:")[1].split(b"\r\n")[0]

        network.drop = drop
        return calls(first, second, network=network)

    def test_who_picks_up_there_is_talked_to_and_the_other_phone_stops_ringing(self):
        pair = self.late(says(200), rings(SECOND))
        pair.network.run(until=45.0)
        assert [type(event) for event in pair.events] == [NextAddress, Progress, Answered]
        assert to(pair, SECOND) == ["INVITE", "CANCEL", "ACK"]
        assert "ACK" in to(pair, CALLEE)
        assert pair.callee_events == [Failed(FailureCause.CANCELLED, 487)]
        pair.session.hang_up(45.0)
        finish(pair)
        assert to(pair, CALLEE)[-1] == "BYE"

    def test_the_other_who_picks_up_is_not_left_on_a_dead_line(self):
        pair = self.late(says(200), answers(SECOND))
        pair.network.run(until=45.0)
        assert pair.events[-1] == Answered()
        assert to(pair, CALLEE)[-2:] == ["ACK", "BYE"]
        assert "BYE" not in to(pair, SECOND)
        pair.session.hang_up(45.0)
        finish(pair)

    def test_who_picks_up_there_and_cannot_be_understood_is_hung_up_and_nobody_else_rings_on(self):
        pair = self.late(says(200, body=b"unusable"), says(180))
        pair.network.run(until=45.0)
        assert pair.events[-1].cause is FailureCause.INCOMPATIBLE_MEDIA
        assert to(pair, CALLEE)[-2:] == ["ACK", "BYE"]
        assert to(pair, SECOND) == ["INVITE", "CANCEL"]
        finish(pair)

    def test_who_refuses_there_is_acknowledged_and_changes_nothing(self):
        pair = self.late(says(486), answers(SECOND))
        pair.network.run(until=45.0)
        assert to(pair, CALLEE)[-1] == "ACK"
        assert pair.events[-1] == Answered()
        pair.session.hang_up(45.0)
        finish(pair)

    def test_a_phone_that_rings_there_stops(self):
        def rings_by_hand(pair, transaction, now):
            says(180, ringing=183)(pair, transaction, now)

        pair = self.late(rings_by_hand, rings(SECOND))
        pair.network.run(until=45.0)
        assert to(pair, CALLEE).count("CANCEL") == 1
        assert "CANCEL" not in to(pair, SECOND)
        pair.session.hang_up(45.0)
        finish(pair)

    def test_who_picks_up_after_both_were_given_up_is_hung_up_and_told_of(self):
        pair = self.late(says(200), says(486))
        finish(pair)
        assert pair.events[-1] == AnsweredLate()
        assert to(pair, CALLEE)[-2:] == ["ACK", "BYE"]

    def test_the_other_address_that_says_nothing_yet_is_cancelled_when_it_does(self):
        pair = self.late(
            says(200),
            lambda pair, transaction, now: pair.network.schedule(
                now + 10.0, lambda at: pair.take(transaction, at, at=SECOND).progress(180, at)
            ),
        )
        pair.network.run(until=50.0)
        assert pair.events[-1] == Answered()
        assert to(pair, SECOND)[-2:] == ["CANCEL", "ACK"]
        pair.session.hang_up(50.0)
        finish(pair)

    def test_the_other_address_that_answers_no_cancel_is_forgotten(self):
        pair = self.late(says(200), says(180))
        pair.network.run(until=45.0)
        pair.session.hang_up(45.0)
        finish(pair)


def test_a_phone_that_rings_when_nobody_waits_any_more_stops():
    """One address only: the 180 comes after Timer B."""
    network = Network(drop=lambda data, to, now: to == CALLER and now < 33.0)

    def takes(pair, transaction, now):
        pair.take(transaction, now)

    pair = Pair(network, takes)
    pair.start()
    network.schedule(35.0, lambda at: pair.answering[0].progress(180, at))
    network.run()
    assert pair.events == [Failed(FailureCause.NO_RESPONSE)]
    assert len(pair.requests_at_callee("CANCEL")) == 1
    assert pair.callee_events == [Failed(FailureCause.CANCELLED, 487)]
    assert pair.caller.idle


FAR_END = st.fixed_dictionaries(
    {
        "rings_after": st.sampled_from([None, 0.0, 5.0]),
        "decides_after": st.sampled_from([0.0, 1.0, 6.0, 31.9, 40.0]),
        "decision": st.sampled_from([200, 200, 486, 503, 503]),
        "deaf_until": st.sampled_from([0.0, 0.0, 20.0, 31.9, 32.1, 45.0, 1000.0]),
        "mute_until": st.sampled_from([0.0, 0.0, 20.0, 31.9, 32.1, 45.0, 1000.0]),
    }
)
LINK = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "loss": st.sampled_from([0.0, 0.1, 0.4]),
        "duplication": st.sampled_from([0.0, 0.3]),
        "delay": st.sampled_from([0.001, 0.05, 0.4]),
        "jitter": st.sampled_from([0.0, 1.0]),
    }
)


@settings(max_examples=300, deadline=None)
@given(LINK, FAR_END, FAR_END, st.sampled_from([0.5, 5.0, 31.95, 33.0, 36.0, 60.0, 200.0]))
def test_whatever_two_addresses_do_one_call_comes_of_it_and_nobody_is_left_ringing(
    link, first, second, hangs_up_at
):
    network = Network(**link)
    ends = {CALLEE: first, SECOND: second}
    names = {"192.0.2.2": CALLEE, "192.0.2.3": SECOND}

    def drop(data, destination, now):
        if destination in ends:
            return now < ends[destination]["deaf_until"]
        sender = next((names[host] for host in names if f"in@{host}".encode() in data), None)
        return sender is not None and now < ends[sender]["mute_until"]

    network.drop = drop
    sessions = []

    def far_end(at):
        def on_invite(pair, transaction, now):
            session = pair.take(transaction, now, at=at)
            sessions.append(session)
            script = ends[at]
            if script["rings_after"] is not None:
                network.schedule(now + script["rings_after"], lambda t: session.progress(180, t))
            decision = script["decision"]
            decide = session.accept if decision == 200 else (lambda t: session.reject(decision, t))
            network.schedule(now + script["decides_after"], decide)
            network.schedule(now + 600.0, session.hang_up)

        return on_invite

    timer = SessionTimerPolicy(interval_s=90)
    pair = Pair(
        network,
        far_end(CALLEE),
        destinations=BOTH,
        ring_timeout_s=50.0,
        caller_timer=timer,
        callee_timer=timer,
    )
    pair.add_callee(SECOND, far_end(SECOND))
    pair.start()
    network.schedule(hangs_up_at, pair.session.hang_up)
    network.run()
    story = "\n".join(network.ladder())
    over = [event for event in pair.events if isinstance(event, Failed | Ended)]
    assert len(over) == 1, story
    moved = [event for event in pair.events if isinstance(event, NextAddress)]
    assert len(moved) <= 1, story
    if moved:
        assert not any(isinstance(e, Progress) for e in pair.events[: pair.events.index(moved[0])]), story
    assert pair.events.count(Answered()) <= 1, story
    assert pair.caller.idle, story
    assert all(endpoint.idle for endpoint in network.endpoints.values()), story
    for session in sessions:
        assert session.established is None or session.established.state.name == "ENDED", story
