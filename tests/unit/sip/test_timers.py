"""The timer queue: order, cancelling, and nothing left behind."""

from hypothesis import given
from hypothesis import strategies as st

from outdial.sip.timers import TimerQueue, TimerValues


class Target:
    def __init__(self):
        self.ran = []

    def on_timer(self, kind, now):
        self.ran.append((kind, now))


def test_timers_run_in_order_of_time_and_then_of_arming():
    queue, target = TimerQueue(), Target()
    for at, kind in ((3.0, "c"), (1.0, "a"), (2.0, "b1"), (2.0, "b2")):
        queue.start(at, target, kind)
    assert queue.next_at() == 1.0
    assert queue.run_due(2.0) == 3
    assert target.ran == [("a", 2.0), ("b1", 2.0), ("b2", 2.0)]
    assert len(queue) == 1


def test_a_cancelled_timer_never_runs_and_cancelling_again_is_harmless():
    queue, target = TimerQueue(), Target()
    timer = queue.start(1.0, target, "x")
    queue.cancel(timer)
    queue.cancel(timer)
    queue.cancel(None)
    assert len(queue) == 0
    assert queue.next_at() is None
    assert queue.run_due(5.0) == 0


def test_many_cancelled_timers_do_not_pile_up():
    queue, target = TimerQueue(), Target()
    keep = queue.start(9e9, target, "keep")
    for _ in range(10_000):
        queue.cancel(queue.start(1e9, target, "gone"))
    assert len(queue) == 1
    assert len(queue._heap) < 1000
    assert keep.target is target


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans())))
def test_exactly_the_timers_that_were_not_cancelled_run(plan):
    queue, target = TimerQueue(), Target()
    kept = []
    for index, (at, keep) in enumerate(plan):
        timer = queue.start(at, target, index)
        if keep:
            kept.append((at, index))
        else:
            queue.cancel(timer)
    assert len(queue) == len(kept)
    queue.run_due(100.0)
    assert [kind for kind, _ in target.ran] == [index for _, index in sorted(kept)]
    assert len(queue) == 0


def test_derived_timers():
    values = TimerValues()
    assert values.transaction_timeout == 32.0
    assert TimerValues(t1=0.1).wait_for_response_retransmits == 32.0
    assert TimerValues(t1=1.0).wait_for_response_retransmits == 64.0
