import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import NoFreePort
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.options import MediaOptions
from outdial.telephony.media.port_pool import PortPool


def test_rtp_gets_even_ports_with_room_for_rtcp() -> None:
    pool = PortPool(10_001, 10_006, quarantine_s=5)
    assert [pool.take(0), pool.take(0)] == [10_002, 10_004]
    with pytest.raises(NoFreePort, match="2 pairs in use, 0 resting"):
        pool.take(0)


def test_an_even_last_port_has_no_pair() -> None:
    assert PortPool(10_000, 10_004, quarantine_s=5).free(0) == 2
    assert PortPool(10_000, 10_005, quarantine_s=5).free(0) == 3


def test_a_port_rests_before_it_is_used_again() -> None:
    pool = PortPool(10_000, 10_001, quarantine_s=5)
    port = pool.take(0)
    pool.release(port, 10)
    with pytest.raises(NoFreePort, match="1 resting"):
        pool.take(14.9)
    assert pool.take(15) == port


def test_the_port_that_rested_longest_comes_first() -> None:
    pool = PortPool(10_000, 10_007, quarantine_s=1)
    first, second = pool.take(0), pool.take(0)
    pool.release(second, 0)
    pool.release(first, 0)
    assert [pool.take(5) for _ in range(4)] == [10_004, 10_006, second, first]


@pytest.mark.parametrize(
    ("start", "ports"),
    [(0.0, [10_000, 10_002, 10_004]), (0.34, [10_002, 10_004, 10_000]), (0.999, [10_004, 10_000, 10_002])],
)
def test_a_pool_may_begin_anywhere_and_still_has_every_port(start: float, ports: list[int]) -> None:
    pool = PortPool(10_000, 10_005, quarantine_s=5, start=start)
    assert [pool.take(0) for _ in ports] == ports


def test_releasing_twice_counts_once() -> None:
    pool = PortPool(10_000, 10_003, quarantine_s=0)
    port = pool.take(0)
    pool.release(port, 0)
    pool.release(port, 0)
    assert (pool.free(0), pool.used) == (2, 0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=60))
def test_no_port_is_lost_or_given_twice(steps: list[tuple[bool, float]]) -> None:
    pool = PortPool(10_000, 10_019, quarantine_s=2)
    taken: list[int] = []
    now = 0.0
    for take, later in steps:
        now += later
        if take:
            try:
                taken.append(pool.take(now))
            except NoFreePort:
                assert pool.free(now) == 0
        elif taken:
            pool.release(taken.pop(0), now)
        assert len(set(taken)) == len(taken) == pool.used
        assert pool.used + pool.free(now) <= 10
    assert pool.used + pool.free(now + 2) == 10


def test_each_process_begins_at_another_port() -> None:
    """Or the first calls after a crash would meet the packets for those that were cut off."""
    options = MediaOptions(port_min=10_000, port_max=20_000)
    assert len({MediaClient(options)._ports.take(0) for _ in range(50)}) > 10
