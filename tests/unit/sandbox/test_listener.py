"""What a phone hears and counts, from datagrams in any order and of any quality."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sandbox.test_speaker import agreed

from outdial.rtp.packet import RtpPacket
from outdial.rtp.telephone_event import telephone_event_packets
from outdial.sandbox.listener import Listener


def datagram(number: int, payload: bytes, *, payload_type: int = 0) -> bytes:
    return RtpPacket(payload_type, number, number * 160, 9, payload).to_bytes()


def test_audio_comes_out_in_order_with_gaps_filled():
    listener = Listener(agreed())
    for number in (0, 2, 1, 4):
        listener.receive(datagram(number, bytes([number]) * 160), 0.02 * number)
    audio = listener.finish()
    assert audio == b"".join(bytes([byte]) * 160 for byte in (0, 1, 2, 0xFF, 4))
    assert listener.reception.packets_received == 4
    assert listener.reception.lost == 1
    assert listener.ptime_ms == 20


def test_the_first_packet_and_the_first_sound_are_two_moments():
    listener = Listener(agreed("PCMA"))
    listener.receive(datagram(0, b"\xd5" * 160, payload_type=8), 1.0)
    listener.receive(datagram(1, b"\xd5" * 159 + b"\x01", payload_type=8), 1.02)
    assert (listener.first_packet_at, listener.first_sound_at) == (1.0, 1.02)


@pytest.mark.parametrize("lost", [(), (0,), (5, 6)])
def test_keys_are_noted_once_each(lost):
    listener = Listener(agreed())
    number = 0
    for press, digit in enumerate("1#"):
        for index, packet in enumerate(telephone_event_packets(digit, 100)):
            number += 1
            if index not in lost:
                event = RtpPacket(
                    101, number, 8_000 * press + packet.timestamp_offset, 9, packet.payload, packet.marker
                )
                listener.receive(event.to_bytes(), number * 0.02)
    assert listener.digits == "1#"


def test_a_key_without_an_end_counts_when_the_call_is_over():
    listener = Listener(agreed())
    packet = next(iter(telephone_event_packets("7", 100)))
    listener.receive(RtpPacket(101, 1, 0, 9, packet.payload).to_bytes(), 0.0)
    assert listener.digits == ""
    listener.finish()
    assert listener.digits == "7"


def test_a_key_whose_packets_stop_counts_with_the_next_packet():
    listener = Listener(agreed())
    packet = next(iter(telephone_event_packets("7", 100)))
    listener.receive(RtpPacket(101, 1, 0, 9, packet.payload).to_bytes(), 0.0)
    listener.receive(datagram(2, b"\x01" * 160), 1.0)
    assert listener.digits == "7"


def test_other_payload_types_are_counted_and_not_kept():
    listener = Listener(agreed())
    assert listener.receive(datagram(1, b"\x01" * 10, payload_type=13), 0.0) is None
    assert listener.finish() == b""
    assert listener.reception.packets_received == 1


def test_after_a_change_of_codec_the_recording_keeps_its_own():
    listener = Listener(agreed("PCMU"))
    listener.receive(datagram(0, b"\x01" * 160), 0.0)
    listener.change(agreed("PCMA"))
    listener.receive(datagram(1, b"\x02" * 160, payload_type=8), 0.02)
    assert listener.finish() == b"\x01" * 160


def test_figures_need_no_audio():
    listener = Listener(agreed(), keep_audio=False)
    assert listener.receive(datagram(0, b"\x01" * 160), 0.0) == b"\x01" * 160
    assert listener.finish() == b""
    assert listener.first_sound_at == 0.0


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_datagram_is_heard_or_passed_over(datagrams):
    listener = Listener(agreed())
    for number, junk in enumerate(datagrams):
        listener.receive(junk, number * 0.02)
    listener.finish()
