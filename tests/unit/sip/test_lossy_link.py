"""Whatever a network does to datagrams, two endpoints agree in the end and keep nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.sip_link import Network, Pair, first_line

from outdial.sip.session.context import SessionTimerPolicy
from outdial.sip.session.events import Answered, AnsweredLate, Ended, Failed, Progress

CONDITIONS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "loss": st.sampled_from([0.0, 0.1, 0.3, 0.5]),
        "duplication": st.sampled_from([0.0, 0.3]),
        "delay": st.sampled_from([0.001, 0.05, 0.4]),
        "jitter": st.sampled_from([0.0, 0.05, 1.0]),
    }
)
"""Jitter above the delay reorders."""


class Script:
    """A callee that does something at a time, and a caller that hangs up at a time."""

    def __init__(self, rings_at, decides_at, decision, caller_hangs_up_at, callee_hangs_up_at):
        self.rings_at = rings_at
        self.decides_at = decides_at
        self.decision = decision
        self.caller_hangs_up_at = caller_hangs_up_at
        self.callee_hangs_up_at = callee_hangs_up_at

    def __repr__(self):
        return f"Script({vars(self)})"


SCRIPTS = st.builds(
    Script,
    rings_at=st.sampled_from([None, 0.0, 0.5]),
    decides_at=st.sampled_from([0.0, 1.0, 5.0, 29.9, 30.0, 31.0]),
    decision=st.sampled_from(["accept", "reject"]),
    caller_hangs_up_at=st.sampled_from([0.0, 0.1, 1.0, 5.0, 5.1, 60.0]),
    callee_hangs_up_at=st.sampled_from([5.0, 60.0, 61.0, 1000.0]),
)


def play(conditions, script):
    network = Network(**conditions)

    def on_invite(pair, transaction, now):
        session = pair.take(transaction, now)
        if script.rings_at is not None:
            network.schedule(now + script.rings_at, lambda at: session.progress(180, at))
        decide = session.accept if script.decision == "accept" else lambda at: session.reject(486, at)
        network.schedule(now + script.decides_at, decide)
        network.schedule(now + script.callee_hangs_up_at, session.hang_up)

    timer = SessionTimerPolicy(interval_s=90)
    pair = Pair(network, on_invite, ring_timeout_s=30.0, caller_timer=timer, callee_timer=timer)
    pair.start()
    network.schedule(script.caller_hangs_up_at, pair.session.hang_up)
    network.run()
    return pair


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, SCRIPTS)
def test_a_call_always_ends_once_on_both_sides_and_leaves_nothing(conditions, script):
    pair = play(conditions, script)
    story = "\n".join(pair.network.ladder())
    ends = [event for event in pair.events if isinstance(event, Failed | Ended)]
    assert len(ends) == 1, story
    at = pair.events.index(ends[0])
    # who picks up when the attempt has failed is hung up and told of, and changes nothing
    assert all(event == AnsweredLate() for event in pair.events[at + 1 :]), story
    assert AnsweredLate() not in pair.events or isinstance(ends[0], Failed), story
    assert AnsweredLate() not in pair.events[:at], story
    answers = pair.events.count(Answered())
    assert answers == (1 if isinstance(ends[0], Ended) else 0), story
    assert pair.caller.idle, story
    assert pair.callee.idle, story


@settings(max_examples=100, deadline=None)
@given(CONDITIONS, SCRIPTS)
def test_every_answer_that_arrived_is_acknowledged_and_every_call_up_is_hung_up(conditions, script):
    pair = play(conditions, script)
    story = "\n".join(pair.network.ladder())
    heard = [sent for sent, line in pair.trace if not sent and line == "SIP/2.0 200 OK"]
    lines = [line for sent, line in pair.trace if sent]
    if any(isinstance(event, Answered) for event in pair.events):
        assert heard, story
        assert any(line.startswith("ACK") for line in lines), story
        byes = [first_line(data) for _, _, _, data in pair.network.wire if data.startswith(b"BYE")]
        assert byes, story
    for session in pair.answering:
        assert session.established is None or session.established.state.name == "ENDED", story


@pytest.mark.parametrize("seed", range(20))
def test_moderate_loss_never_costs_a_call(seed):
    """With one packet in ten lost each way, retransmission carries every call through."""
    pair = play(
        {"seed": seed, "loss": 0.1, "duplication": 0.1, "delay": 0.05, "jitter": 0.1},
        Script(0.0, 2.0, "accept", 20.0, 1000.0),
    )
    assert [type(event) for event in pair.events if not isinstance(event, Progress)] == [Answered, Ended]
