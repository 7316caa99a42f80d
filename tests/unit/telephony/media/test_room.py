"""What the members of a room hear of each other, packet by packet."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.telephony.media.g711_mix import add, translate
from outdial.telephony.media.room import MOST_MEMBERS, CannotJoin, Member, Room

SILENCE = {"PCMU": 0xFF, "PCMA": 0xD5, "G722": 0xFF}


def enter(room: Room, codec: str = "PCMU", ptime_ms: int = 20, *, muted: bool = False) -> Member:
    return room.enter(codec, ptime_ms, SILENCE[codec], muted=muted)


def say(member: Member, audio: bytes, *, first: int = 0, ptime_ms: int = 20) -> None:
    """Packets of the far end, one every ptime."""
    size = 8 * ptime_ms
    for index in range(0, len(audio), size):
        at = first + index
        member.receive(7, at, audio[index : index + size], SILENCE[member.codec], at / 8000)


def hear(member: Member, frames: int) -> bytes:
    return b"".join(next(member) for _ in range(frames))


def speech(length_ms: int, start: int = 0) -> bytes:
    """Loud in both laws, and the same nowhere."""
    return bytes(Random(start).choices(range(0x80, 0xBC), k=length_ms * 8))


@pytest.mark.parametrize(("mine", "theirs"), [(20, 20), (20, 30), (60, 10), (10, 60)])
def test_two_members_hear_each_other_to_the_byte(mine: int, theirs: int) -> None:
    room = Room()
    one, two = enter(room, ptime_ms=mine), enter(room, ptime_ms=theirs)
    words = speech(120)
    say(one, words, ptime_ms=mine)
    heard = hear(two, 120 // theirs)
    # The last packet is held until it is known that none comes between.
    assert heard.rstrip(b"\xff") == words[: len(heard.rstrip(b"\xff"))]
    assert len(heard.rstrip(b"\xff")) >= (120 - 20 - theirs - mine) * 8
    assert hear(one, 3) == b"\xff" * (3 * mine * 8), "nobody hears himself"


def test_wideband_goes_through_as_it_is_between_two() -> None:
    room = Room()
    one, two = enter(room, "G722"), enter(room, "G722")
    words = speech(100)
    say(one, words)
    assert hear(two, 3) == words[: 3 * 160]


def test_the_laws_are_translated() -> None:
    room = Room()
    one, two = enter(room, "PCMU"), enter(room, "PCMA")
    words = speech(100)
    say(one, words)
    assert hear(two, 3) == translate(words[: 3 * 160], "PCMU", "PCMA")


def test_a_packet_out_of_order_and_a_lost_one_do_not_shift_what_follows() -> None:
    room = Room()
    one, two = enter(room), enter(room)
    words = speech(120)
    frames = [words[index : index + 160] for index in range(0, len(words), 160)]
    for index in (0, 2, 1, 4, 5):  # 3 is lost
        one.receive(7, index * 160, frames[index], 0xFF, index * 0.02)
    heard = hear(two, 5)
    assert heard == frames[0] + frames[1] + frames[2] + b"\xff" * 160 + frames[4]


def test_three_hear_the_sum_of_the_two_others() -> None:
    room = Room()
    members = [enter(room), enter(room, "PCMA"), enter(room)]
    words = [speech(100), translate(speech(100, 20), "PCMU", "PCMA"), speech(100, 40)]
    for member, audio in zip(members, words, strict=True):
        say(member, audio)
    second = translate(words[1], "PCMA", "PCMU")
    assert hear(members[2], 2) == add(words[0][:320], second[:320])
    assert hear(members[0], 2) == add(second[:320], words[2][:320])


def test_who_is_silent_does_not_disturb_who_speaks() -> None:
    room = Room()
    one, two, three = enter(room), enter(room), enter(room)
    words = speech(100)
    say(one, words)
    say(two, b"\x7e\xfe" * 400)
    assert hear(three, 3) == words[: 3 * 160]


def test_a_muted_member_hears_and_is_not_heard() -> None:
    room = Room()
    one, listener = enter(room), enter(room, muted=True)
    say(one, speech(100))
    say(listener, speech(100))
    assert hear(listener, 2) == speech(100)[:320]
    assert hear(one, 2) == b"\xff" * 320


def test_who_leaves_is_heard_no_more_and_hears_nothing() -> None:
    room = Room()
    one, two, three = enter(room), enter(room), enter(room)
    say(one, speech(100))
    one.close()
    one.close()
    say(two, speech(100))
    assert room.members == [two, three]
    assert hear(one, 2) == b"\xff" * 320
    assert hear(three, 2) == speech(100)[:320]
    two.close()
    assert hear(three, 2) == b"\xff" * 320


def test_a_burst_makes_nobody_late_for_good() -> None:
    room = Room()
    one, two = enter(room), enter(room)
    words = speech(2_000)
    say(one, words)
    heard = hear(two, 3)
    place = words.index(heard[:160])
    assert place >= (2_000 - 200) * 8, "what is older than the buffer was dropped"


def test_a_codec_that_cannot_be_mixed_stays_out() -> None:
    room = Room()
    enter(room, "G722")
    with pytest.raises(CannotJoin, match="PCMU cannot be mixed"):
        enter(room, "PCMU")
    enter(room, "G722")
    with pytest.raises(CannotJoin, match="one other leg"):
        enter(room, "G722")
    laws = Room()
    enter(laws, "PCMU")
    with pytest.raises(CannotJoin, match="G722"):
        enter(laws, "G722")


def test_a_room_is_full_at_some_time() -> None:
    room = Room()
    for _ in range(MOST_MEMBERS):
        enter(room)
    with pytest.raises(CannotJoin, match="32"):
        enter(room)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1 << 32), st.binary(max_size=400), st.floats(0, 60)),
        max_size=40,
    )
)
def test_whatever_arrives_every_frame_is_whole(packets: list[tuple[int, int, bytes, float]]) -> None:
    room = Room()
    members = [enter(room), enter(room, "PCMA", 30), enter(room, ptime_ms=10), enter(room)]
    for who, timestamp, payload, now in packets:
        members[who].receive(9, timestamp, payload, SILENCE[members[who].codec], now)
        for member, ptime_ms in zip(members, (20, 30, 10, 20), strict=True):
            assert len(next(member)) == ptime_ms * 8
