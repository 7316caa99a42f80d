"""A BYE where no answer came: every 200 was lost, as it is where a firewall drops fragments.

The callee's side sends no BYE before it has answered (RFC 3261 §15): somebody picked up, and must not be
called again.
"""

import pytest
from tests.helpers.sip_link import CALLER, Network, Pair, answers_at_once, rings_then_answers

from outdial.sip.session.events import Failed, FailureCause, Progress

LOST = Failed(FailureCause.HUNG_UP, picked_up=True)


def pair_without_200s(on_invite, *, also=(), **options):
    """Every answer to an INVITE is lost, and what begins as `also` says."""

    def drop(data, to, now):
        answer = data.startswith(b"SIP/2.0 200") and b"INVITE" in data
        return to == CALLER and (answer or any(data.startswith(beginning) for beginning in also))

    pair = Pair(Network(drop=drop), on_invite, **options)
    pair.start()
    return pair


def callee_hangs_up(pair, at):
    pair.network.run(until=at)
    pair.at(at, pair.answering[0].hang_up)


def assert_over(pair):
    pair.network.run(until=pair.network.now + 70.0)
    assert pair.caller.idle, pair.network.ladder()


def test_the_far_end_gives_its_200_up():
    pair = pair_without_200s(rings_then_answers)
    pair.network.run(until=33.0)
    assert len(pair.network.sent("SIP/2.0 200 OK")) > 5
    assert pair.events == [Progress(180, "Ringing", False), LOST]
    assert len(pair.network.sent("SIP/2.0 200 OK", CALLER)) == 1, "the BYE is answered"
    assert_over(pair)
    assert pair.network.sent("CANCEL") == []


def test_nothing_else_came_either_and_the_invite_is_not_sent_again():
    pair = pair_without_200s(answers_at_once, also=(b"SIP/2.0 1",))
    callee_hangs_up(pair, 3.0)
    invites = len(pair.network.sent("INVITE"))
    assert_over(pair)
    assert pair.events == [LOST]
    assert len(pair.network.sent("INVITE")) == invites, "it would ring again"


@pytest.mark.parametrize("also", [(), (b"SIP/2.0 1",)], ids=["cancelling", "cancel waits"])
def test_we_were_about_to_give_up(also):
    pair = pair_without_200s(rings_then_answers, also=also, ring_timeout_s=2.0)
    callee_hangs_up(pair, 2.1)
    assert_over(pair)
    assert pair.events[-1] == Failed(FailureCause.RING_TIMEOUT, picked_up=True)


def test_a_200_that_the_bye_overtook_is_acknowledged_and_hung_up():
    pair = pair_without_200s(rings_then_answers)
    callee_hangs_up(pair, 1.0)
    pair.network.run(until=1.1)
    assert pair.events[-1] == LOST
    late = next(data for _, _, to, data in pair.network.wire if to == CALLER and b"200 OK" in data)
    pair.caller.receive(late, ("192.0.2.2", 5060), 1.1)
    assert_over(pair)
    assert len(pair.requests_at_callee("ACK")) == 1
