from outdial.telephony.media.latch import Latch, Latching

NAMED = ("192.0.2.1", 4000)
BEHIND_NAT = ("198.51.100.7", 61000)
STRANGER = ("203.0.113.9", 5000)


def latch() -> Latch:
    latch = Latch(window_s=0.5)
    latch.expect(NAMED)
    return latch


def test_rtp_goes_to_the_named_address_first() -> None:
    assert latch().target == NAMED


def test_the_named_address_is_locked_at_once() -> None:
    leg = latch()
    assert leg.packet_from(NAMED, 0) is Latching.LOCK
    assert leg.locked
    assert leg.packet_from(NAMED, 1) is Latching.KEEP
    assert leg.packet_from(STRANGER, 1) is Latching.FOREIGN
    assert leg.target == NAMED


def test_another_source_is_followed_and_locked_after_the_window() -> None:
    leg = latch()
    assert leg.packet_from(BEHIND_NAT, 0) is Latching.MOVE
    assert leg.target == BEHIND_NAT
    assert leg.packet_from(BEHIND_NAT, 0.49) is Latching.KEEP
    assert not leg.locked
    assert leg.packet_from(BEHIND_NAT, 0.5) is Latching.LOCK
    assert leg.packet_from(NAMED, 0.6) is Latching.FOREIGN


def test_within_the_window_only_the_named_address_may_take_over() -> None:
    leg = latch()
    leg.packet_from(STRANGER, 0)
    assert leg.packet_from(BEHIND_NAT, 0.1) is Latching.FOREIGN
    assert leg.target == STRANGER
    assert leg.packet_from(NAMED, 0.2) is Latching.LOCK
    assert leg.target == NAMED
    assert leg.packet_from(STRANGER, 0.3) is Latching.FOREIGN


def test_a_reinvite_with_a_new_address_latches_anew() -> None:
    leg = latch()
    leg.packet_from(NAMED, 0)
    moved = ("192.0.2.99", 6000)
    leg.expect(moved)
    assert (leg.target, leg.locked) == (moved, False)
    assert leg.packet_from(BEHIND_NAT, 10) is Latching.MOVE
    assert leg.packet_from(moved, 10.1) is Latching.LOCK


def test_a_reinvite_with_the_same_address_keeps_the_source_behind_nat_but_listens_again() -> None:
    leg = latch()
    leg.packet_from(BEHIND_NAT, 0)
    leg.packet_from(BEHIND_NAT, 1)
    leg.expect(NAMED)
    assert (leg.target, leg.locked) == (BEHIND_NAT, False)
    assert leg.packet_from(BEHIND_NAT, 2) is Latching.LOCK
    leg.expect(NAMED)
    assert leg.packet_from(("198.51.100.7", 61002), 3) is Latching.MOVE


def test_a_stranger_who_is_first_after_a_refresh_does_not_keep_the_call() -> None:
    """A session refresh names the same address again, and the far end behind NAT sends from where it did."""
    latch = Latch(0.5)
    named, behind_nat, stranger = ("10.0.0.5", 4000), ("198.51.100.9", 30_036), ("203.0.113.66", 9)
    latch.expect(named)
    assert latch.packet_from(behind_nat, 0.0) is Latching.MOVE
    assert latch.packet_from(behind_nat, 0.6) is Latching.LOCK
    latch.expect(named)
    assert latch.packet_from(stranger, 900.0) is Latching.MOVE
    assert latch.packet_from(behind_nat, 900.01) is Latching.LOCK
    assert latch.target == behind_nat
    assert latch.packet_from(stranger, 900.02) is Latching.FOREIGN


def test_whom_it_was_locked_to_counts_no_more_when_another_address_is_named() -> None:
    latch = Latch(0.5)
    before, after, stranger = ("198.51.100.9", 30_036), ("198.51.100.10", 4000), ("203.0.113.66", 9)
    latch.expect(before)
    assert latch.packet_from(before, 0.0) is Latching.LOCK
    latch.expect(after)
    assert latch.packet_from(stranger, 1.0) is Latching.MOVE
    assert latch.packet_from(before, 1.01) is Latching.FOREIGN
    assert latch.packet_from(after, 1.02) is Latching.LOCK


def test_a_source_that_falls_silent_before_it_is_locked_to_does_not_keep_the_call() -> None:
    """The last packet of the early media's gateway may come after the answer; the callee is behind NAT."""
    leg = latch()
    early_media = ("192.0.2.50", 7000)
    assert leg.packet_from(early_media, 0) is Latching.MOVE
    assert leg.packet_from(BEHIND_NAT, 0.02) is Latching.FOREIGN
    assert leg.packet_from(BEHIND_NAT, 0.99) is Latching.FOREIGN
    assert leg.packet_from(BEHIND_NAT, 1.0) is Latching.MOVE
    assert leg.target == BEHIND_NAT
    assert leg.packet_from(early_media, 1.02) is Latching.FOREIGN
    assert leg.packet_from(BEHIND_NAT, 1.5) is Latching.LOCK
