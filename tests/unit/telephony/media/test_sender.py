"""Which frame is next, marker bits, the order of plays."""

from dataclasses import dataclass, field
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.packet import MARKER
from outdial.rtp.telephone_event import Digit, TelephoneEventReceiver
from outdial.telephony.media.clip_cache import cut
from outdial.telephony.media.sender import Sender

SILENCE = 0xD5


@dataclass
class Ended:
    play_id: str
    played_ms: int
    completed: bool
    problem: str | None


@dataclass
class Leg:
    """A sender with clips in memory: the name of a clip is its content's letter and its length in ms."""

    ptime_ms: int = 20
    began: int = 0
    ended: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sender = Sender(ssrc=1, sequence=2, timestamp_offset=3, load=self._load, events=self)
        self.sender.configure(8, self.ptime_ms, SILENCE)

    def _load(self, path: str, ptime_ms: int, silence: int) -> list[bytes]:
        if path == "missing":
            raise FileNotFoundError(2, "No such file or directory")
        return cut(path[0].encode() * (int(path[1:]) * 8), ptime_ms, silence)

    def audio_began(self) -> None:
        self.began += 1

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None:
        self.ended.append(Ended(play_id, played_ms, completed, problem))

    def tick(self) -> tuple[bytes, bool]:
        """What the pacing loop does: the frame, and whether it is marked."""
        frame = next(self.sender.frames, None)
        if frame is None:
            frame = self.sender.turn()
        self.sender.sequence += 1
        return frame, bool(self.sender.first_word & MARKER)

    def heard(self, packets: int) -> str:
        """One character a packet: its first byte, in upper case if it is marked, '.' for silence."""
        text = ""
        for _ in range(packets):
            frame, marker = self.tick()
            assert len(frame) == self.ptime_ms * 8
            letter = "." if frame[0] == SILENCE else chr(frame[0])
            text += {".": "!"}.get(letter, letter.upper()) if marker else letter
        return text


def test_silence_is_the_codecs_and_its_first_packet_is_marked() -> None:
    assert Leg().heard(4) == "!..."


def test_a_clip_right_away() -> None:
    leg = Leg()
    leg.sender.play("one", ["a60"])
    assert leg.heard(5) == "Aaa.."
    assert leg.ended == [Ended("one", 60, True, None)]
    assert leg.began == 1


def test_a_clip_after_silence_is_a_new_talk_spurt() -> None:
    leg = Leg()
    leg.heard(3)
    leg.sender.play("one", ["a40"])
    assert leg.heard(4) == "Aa.."


def test_a_clip_of_one_frame_does_not_leave_the_marker_on() -> None:
    leg = Leg()
    leg.sender.play("one", ["a20"])
    assert leg.heard(3) == "A.."


def test_clips_and_plays_follow_without_a_gap() -> None:
    leg = Leg()
    leg.sender.play("one", ["a40", "b20"])
    leg.sender.play("two", ["c40"])
    assert leg.heard(7) == "Aabcc.."
    assert leg.ended == [Ended("one", 60, True, None), Ended("two", 40, True, None)]
    assert leg.began == 1


def test_a_play_is_over_only_when_the_time_of_its_last_frame_is() -> None:
    leg = Leg()
    leg.sender.play("one", ["a40"])
    leg.heard(2)
    assert leg.ended == []
    leg.heard(1)
    assert len(leg.ended) == 1


def test_the_last_frame_is_filled_up_with_silence() -> None:
    leg = Leg()
    leg.sender.play("one", ["a25"])
    leg.tick()
    frame, _ = leg.tick()
    assert frame == b"a" * 40 + bytes((SILENCE,)) * 120


def test_stopping_is_at_once_and_tells_how_far_each_play_came() -> None:
    leg = Leg()
    leg.sender.play("one", ["a40", "b100"])
    leg.sender.play("two", ["c40"])
    assert leg.heard(4) == "Aabb"
    leg.sender.stop_playing()
    assert leg.heard(2) == ".."
    assert leg.ended == [Ended("one", 80, False, None), Ended("two", 0, False, None)]


def test_stopping_right_after_the_marked_packet_takes_the_marker_away() -> None:
    leg = Leg()
    leg.sender.play("one", ["a40"])
    leg.heard(1)
    leg.sender.stop_playing()
    leg.sender.play("two", ["b40"])
    assert leg.heard(3) == "Bb."


def test_stopping_nothing_changes_nothing() -> None:
    leg = Leg()
    leg.heard(1)
    leg.sender.stop_playing()
    assert leg.heard(2) == ".."
    assert leg.ended == []


def test_a_pause_keeps_the_place_and_ends_in_a_new_talk_spurt() -> None:
    leg = Leg()
    leg.sender.play("one", ["a20", "b60"])
    assert leg.heard(2) == "Ab"
    leg.sender.pause()
    assert leg.heard(3) == "Bb."
    assert leg.ended == [Ended("one", 80, True, None)]


def test_a_play_that_comes_in_a_pause_waits_for_its_end() -> None:
    leg = Leg()
    leg.heard(1)
    leg.sender.pause()
    leg.sender.play("one", ["a20"])
    leg.sender.stop_playing()
    leg.sender.play("two", ["b20"])
    assert leg.heard(2) == "B."


def test_a_pause_at_the_very_end_of_a_clip() -> None:
    leg = Leg()
    leg.sender.play("one", ["a40"])
    leg.heard(2)
    leg.sender.pause()
    assert leg.heard(2) == "!."
    assert leg.ended == [Ended("one", 40, True, None)]


def test_a_missing_clip_ends_its_play_with_the_reason_and_the_next_play_goes_on() -> None:
    leg = Leg()
    leg.sender.play("one", ["a20", "missing", "b20"])
    leg.sender.play("two", ["c20"])
    assert leg.heard(3) == "Ac."
    assert leg.ended[0] == Ended("one", 20, False, "clip missing: No such file or directory")
    assert leg.ended[1].completed


def test_empty_clips_and_empty_plays_end_at_once() -> None:
    leg = Leg()
    leg.sender.play("one", [])
    leg.sender.play("two", ["x0", "a20", "y0"])
    leg.sender.play("three", ["z0"])
    assert leg.heard(2) == "A."
    assert [(ended.play_id, ended.completed) for ended in leg.ended] == [
        ("one", True),
        ("two", True),
        ("three", True),
    ]


def test_another_ptime_in_the_middle_of_a_clip_goes_on_where_it_was() -> None:
    leg = Leg()
    leg.sender.play("one", ["a120"])
    leg.heard(3)
    leg.ptime_ms = 30
    leg.sender.configure(8, 30, SILENCE)
    assert leg.heard(3) == "aa."
    assert leg.ended == [Ended("one", 120, True, None)]


def test_another_ptime_between_play_and_its_first_packet_does_not_lose_the_play() -> None:
    leg = Leg()
    leg.heard(1)
    leg.sender.play("one", ["a60"])
    leg.ptime_ms = 30
    leg.sender.configure(8, 30, SILENCE)
    assert leg.heard(3) == "Aa."


def test_another_payload_type_alone_changes_nothing_else() -> None:
    leg = Leg()
    leg.sender.play("one", ["a60"])
    leg.heard(1)
    leg.sender.configure(0, 20, SILENCE)
    assert leg.heard(3) == "aa."
    assert leg.sender.first_word & 0x7F == 0


def test_packets_that_the_kernel_refused_are_not_sent() -> None:
    leg = Leg()
    leg.heard(5)
    leg.sender.send_errors = 2
    assert leg.sender.packets_sent == 3
    assert leg.sender.octets_sent == 480


def test_a_closed_sender_is_silent_about_it_later() -> None:
    leg = Leg()
    leg.sender.play("one", ["a60"])
    leg.heard(1)
    leg.sender.close()
    assert leg.ended == [Ended("one", 20, False, None)]
    leg.sender.play("two", ["missing"])
    leg.sender.turn()
    leg.sender.stop_playing()
    assert len(leg.ended) == 1


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("play"), st.lists(st.sampled_from(["a20", "b70", "x0", "missing"]), max_size=3)
            ),
            st.tuples(st.just("stop"), st.none()),
            st.tuples(st.just("pause"), st.none()),
            st.tuples(st.just("ptime"), st.sampled_from([10, 20, 30, 60])),
            st.tuples(st.just("tick"), st.integers(1, 6)),
        )
    )
)
def test_whatever_happens_each_play_ends_once_and_a_frame_is_always_there(
    actions: list[tuple[str, object]],
) -> None:
    leg = Leg()
    plays = 0
    for kind, value in actions:
        match kind, value:
            case "play", list(clips):
                leg.sender.play(str(plays), clips)
                plays += 1
            case "stop", _:
                leg.sender.stop_playing()
            case "pause", _:
                leg.sender.pause()
            case "ptime", int(ptime_ms):
                leg.ptime_ms = ptime_ms
                leg.sender.configure(8, ptime_ms, SILENCE)
            case "tick", int(count):
                leg.heard(count)
    leg.heard(200)
    assert [int(ended.play_id) for ended in leg.ended] == list(range(plays))
    assert leg.heard(1) == "."


def test_what_is_sent_without_a_clip_gives_way_to_one_and_comes_back() -> None:
    leg = Leg()
    leg.heard(2)
    leg.sender.idle_with(cycle([b"i" * 160]))
    assert leg.heard(2) == "ii"
    leg.sender.play("one", ["a40"])
    assert leg.heard(3).lower() == "aai"
    leg.sender.stop_playing()
    assert leg.heard(1) == "i"
    leg.sender.idle_with(None)
    assert leg.heard(2) == ".."


def on_the_wire(leg: Leg, packets: int) -> list[tuple[int, bool, int, bytes]]:
    """Payload type, marker, timestamp and payload of the next packets, as the pacing loop makes them."""
    sent = []
    for _ in range(packets):
        frame, marked = leg.tick()
        sender = leg.sender
        clock = (sender.sequence - 3) * leg.ptime_ms * 8
        sent.append((sender.first_word & 0x7F, marked, clock + sender.timestamp_offset, frame))
    return sent


def test_a_key_takes_the_place_of_silence_and_time_goes_on_behind_it() -> None:
    leg = Leg()
    leg.heard(5)
    leg.sender.press("5", 60, 96)
    *key, after = on_the_wire(leg, 6)
    assert {each[0] for each in key} == {96}
    assert [each[1] for each in key] == [True, False, False, False, False]
    began = 3 + 5 * 160
    assert {each[2] for each in key} == {began}
    # Event 5, 480 units in the end, whose packet comes three times.
    assert [each[3][0] for each in key] == [5] * 5
    assert [each[3][1] >> 7 for each in key] == [0, 0, 1, 1, 1]
    assert [int.from_bytes(each[3][2:]) for each in key] == [160, 320, 480, 480, 480]
    assert after == (8, False, began + 5 * 160, bytes((SILENCE,)) * 160)


def test_the_same_key_twice_is_two() -> None:
    receiver = TelephoneEventReceiver(8_000)
    leg = Leg()
    leg.heard(1)
    for digit in "77#":
        leg.sender.press(digit, 100, 101)
    digits = ""
    for at, (payload_type, _, timestamp, payload) in enumerate(on_the_wire(leg, 40)):
        if payload_type == 101:
            signals = receiver.receive(1, timestamp, payload, at * 0.02)
            digits += "".join(each.digit for each in signals if isinstance(each, Digit))
    assert digits == "77#"


@pytest.mark.parametrize("what", ["play", "stop", "pause", "idle", "configure"])
def test_what_comes_in_between_ends_a_key_and_nothing_of_it_stays(what: str) -> None:
    leg = Leg()
    leg.heard(2)
    leg.sender.press("1", 200, 96)
    leg.sender.press("2", 200, 96)
    on_the_wire(leg, 3)
    match what:
        case "play":
            leg.sender.play("p", ["A40"])
        case "stop":
            leg.sender.stop_playing()
        case "pause":
            leg.sender.pause()
        case "idle":
            leg.sender.idle_with(cycle([b"i" * 160]))
        case _:
            leg.sender.configure(8, 20, SILENCE)
    later = on_the_wire(leg, 20)
    assert {each[0] for each in later} == {8}
    assert [each[2] for each in later] == [3 + (5 + n) * 160 for n in range(20)]
    assert {len(each[3]) for each in later} == {160}


def test_no_key_is_sent_while_a_clip_runs_or_packets_stop() -> None:
    leg = Leg()
    leg.sender.press("1", 100, 96)
    leg.heard(1)
    leg.sender.play("p", ["A60"])
    leg.heard(1)
    leg.sender.press("1", 100, 96)
    assert {each[0] for each in on_the_wire(leg, 10)} == {8}
