"""What is under way when one side hangs up: nothing of it may begin anew, or keep anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.sip_link import Network, Pair, answers_at_once
from tests.unit.sip.test_established import up

from outdial.sip.digest import Credentials, make_challenge
from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import EndCause, Ended

TIMER = SessionTimerPolicy(interval_s=1800)
FORGOTTEN_S = 70.0
"""64*T1 for the BYE, and as long for what answers it."""


def assert_over(pair, *, sent_after_bye=0):
    """Nothing is left when the last answer to the BYE may have come, and nothing was begun behind it."""
    pair.network.run(until=pair.network.now + FORGOTTEN_S)
    story = "\n".join(pair.network.ladder())
    assert pair.caller.idle, story
    assert pair.callee.idle, story
    (bye_at,) = set(pair.network.sent("BYE")[:1])
    begun = [at for method in ("INVITE", "UPDATE") for at in pair.network.sent(method) if at > bye_at]
    assert len(begun) == sent_after_bye, story


def test_our_reinvite_is_answered_while_we_hang_up():
    pair = up(caller_timer=TIMER)
    pair.at(2.0, pair.session.established.reinvite)
    pair.at(2.01, pair.session.hang_up)
    assert_over(pair)
    assert pair.events[-1] == Ended(EndCause.HUNG_UP)
    assert len(pair.requests_at_callee("ACK")) == 2, "a 200 is acknowledged all the same"


def test_our_refresh_by_update_is_answered_while_we_hang_up():
    pair = up(caller_timer=TIMER)
    pair.at(2.0, pair.session.established._refresh)
    pair.at(2.01, pair.session.hang_up)
    assert len(pair.requests_at_callee("UPDATE")) == 1
    assert_over(pair)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (491, []),
        (422, [("Min-SE", "3600")]),
        (401, [("WWW-Authenticate", str(make_challenge("carrier", "n1")))]),
    ],
)
def test_our_change_is_refused_while_we_hang_up(method, status, headers):
    pair = up(caller_timer=TIMER, credentials=Credentials("user", "secret"))
    callee = pair.answering[0].established
    callee.on_request, taken = (
        lambda transaction, now: (
            callee.respond(transaction, status, now, headers=headers)
            if transaction.request.method == method
            else taken(transaction, now)
        ),
        callee.on_request,
    )
    begin = pair.session.established.reinvite if method == "INVITE" else pair.session.established._refresh
    pair.at(2.0, begin)
    pair.at(2.01, pair.session.hang_up)
    assert_over(pair)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_our_change_crosses_the_far_ends_bye(method):
    pair = up(caller_timer=TIMER)
    begin = pair.session.established.reinvite if method == "INVITE" else pair.session.established._refresh
    pair.at(2.0, begin)
    pair.at(2.0, pair.answering[0].hang_up)
    assert_over(pair)
    assert pair.events[-1] == Ended(EndCause.FAR_END_HUNG_UP)


MOMENTS = st.sampled_from([2.0, 2.005, 2.01, 2.02, 2.03, 2.04, 2.05, 2.5, 3.0, 5.0])


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.3]),
    jitter=st.sampled_from([0.0, 0.05]),
    ours=st.lists(MOMENTS, max_size=2),
    refreshes=st.lists(MOMENTS, max_size=2),
    theirs=st.lists(MOMENTS, max_size=2),
    we_hang_up_at=MOMENTS,
    they_hang_up_at=st.sampled_from([2.02, 2.04, 2.5, 5.0]),
)
def test_changes_of_both_sides_and_the_end_in_any_order(
    seed, loss, jitter, ours, refreshes, theirs, we_hang_up_at, they_hang_up_at
):
    network = Network(seed=seed)
    pair = Pair(network, answers_at_once, caller_timer=TIMER, callee_timer=TIMER)
    pair.start()
    network.run(until=1.0)
    network.loss, network.jitter = loss, jitter
    established, callee = pair.session.established, pair.answering[0]
    for moments, change in ((ours, established.reinvite), (refreshes, established._refresh)):
        for at in moments:
            network.schedule(at, change)
    for at in theirs:
        network.schedule(at, lambda now: callee.established and callee.established.reinvite(now))
    network.schedule(we_hang_up_at, pair.session.hang_up)
    network.schedule(they_hang_up_at, callee.hang_up)
    network.run(until=150.0)
    story = "\n".join(network.ladder())
    assert sum(isinstance(event, Ended) for event in pair.events) == 1, story
    assert isinstance(pair.events[-1], Ended), f"nothing is told after the end: {pair.events}\n{story}"
    assert pair.caller.idle, story
    assert pair.callee.idle, story
