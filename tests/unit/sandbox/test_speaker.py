"""What a phone sends: voice, silence, echo and keys, packet by packet."""

from typing import Any

import pytest

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.compare import correlate
from outdial.audio.wire import decode_wire
from outdial.rtp.packet import RtpPacket
from outdial.rtp.telephone_event import Digit, TelephoneEventReceiver
from outdial.sandbox.phone import Phone, Voice
from outdial.sandbox.speaker import Speaker
from outdial.sandbox.voices import LENGTH_S, murmur
from outdial.sdp.codec import CODECS
from outdial.sdp.direction import Direction
from outdial.sdp.negotiation import AgreedMedia

BY_NAME = {codec.name: codec for codec in CODECS}


def agreed(codec: str = "PCMU", ptime_ms: int = 20, **changes: Any) -> AgreedMedia:
    values: dict[str, Any] = {
        "remote_address": "127.0.0.1",
        "remote_port": 10_000,
        "remote_rtcp_address": "127.0.0.1",
        "remote_rtcp_port": 10_001,
        "codec": BY_NAME[codec],
        "payload_type": BY_NAME[codec].payload_type,
        "ptime_ms": ptime_ms,
        "telephone_event_payload_type": 101,
        "telephone_event_rate": 8_000,
        "direction": Direction.SENDRECV,
    }
    return AgreedMedia(**{**values, **changes})


def speaker(media: AgreedMedia, **script: Any) -> Speaker:
    phone = Phone(number="12025550100", **script)
    return Speaker(phone, media, ssrc=7, sequence_number=65_530, timestamp=0xFFFF_FF00)


def packets(source: Speaker, count: int) -> list[RtpPacket]:
    datagrams = (source.next_packet() for _ in range(count))
    return [RtpPacket.parse(datagram) for datagram in datagrams if datagram is not None]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
def test_the_murmur_is_the_same_in_every_codec_and_packet_time(codec, ptime_ms):
    spoken = packets(speaker(agreed(codec, ptime_ms)), 3_000 // ptime_ms)
    heard = decode_wire(b"".join(packet.payload for packet in spoken), codec)
    rate = SAMPLE_RATES[codec]
    assert correlate(heard, murmur("12025550100", rate)[: 3 * rate], rate).peak > 0.97
    assert correlate(heard, murmur("12025550101", rate)[: 3 * rate], rate).peak < 0.3


def test_the_murmur_repeats_without_a_gap():
    spoken = packets(speaker(agreed(ptime_ms=60)), LENGTH_S * 1_000 // 60 + 2)
    wire = b"".join(packet.payload for packet in spoken)
    assert all(len(packet.payload) == 480 for packet in spoken)
    assert wire[LENGTH_S * 8_000 :] == wire[: len(wire) - LENGTH_S * 8_000]


def test_sequence_numbers_and_timestamps_wrap():
    spoken = packets(speaker(agreed()), 8)
    assert [packet.sequence_number for packet in spoken] == [
        65_530,
        65_531,
        65_532,
        65_533,
        65_534,
        65_535,
        0,
        1,
    ]
    assert [packet.timestamp for packet in spoken[:3]] == [0xFFFF_FF00, 0xFFFF_FFA0, 0x40]
    assert [packet.marker for packet in spoken[:2]] == [True, False]
    assert {packet.ssrc for packet in spoken} == {7}


def test_silence_is_sent_as_packets():
    [packet] = packets(speaker(agreed("PCMA"), voice=Voice.SILENCE), 1)
    assert packet.payload == b"\xd5" * 160


def test_an_echo_repeats_what_it_heard_and_then_is_silent():
    source = speaker(agreed(), voice=Voice.ECHO)
    source.echo(b"\x01" * 160)
    assert [packet.payload[:1] for packet in packets(source, 2)] == [b"\x01", b"\xff"]


def test_other_phones_do_not_echo():
    source = speaker(agreed(), voice=Voice.SILENCE)
    source.echo(b"\x01" * 160)
    assert packets(source, 1)[0].payload[:1] == b"\xff"


def test_on_hold_time_passes_without_packets():
    source = speaker(agreed())
    packets(source, 1)
    source.change(agreed(direction=Direction.RECVONLY))
    assert packets(source, 10) == []
    source.change(agreed())
    [packet] = packets(source, 1)
    assert packet.sequence_number == 65_531
    assert packet.timestamp == (0xFFFF_FF00 + 11 * 160) & 0xFFFF_FFFF


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
@pytest.mark.parametrize(("digits", "digit_ms"), [("1", 100), ("42#", 60), ("55", 100), ("5", 9_000)])
def test_keys_are_heard_once_each_with_their_length(digits, digit_ms, ptime_ms):
    source = speaker(agreed(ptime_ms=ptime_ms), digit_ms=digit_ms)
    source.press(digits)
    receiver = TelephoneEventReceiver(8_000)
    pressed = []
    for packet in packets(source, (digit_ms + 400) * len(digits) // ptime_ms + 20):
        if packet.payload_type == 101:
            pressed += receiver.receive(packet.ssrc, packet.timestamp, packet.payload, 0.0)
    assert [signal for signal in pressed if isinstance(signal, Digit)] == [
        Digit(key, digit_ms) for key in digits
    ]


def test_the_voice_goes_on_between_and_after_keys():
    source = speaker(agreed())
    source.press("12")
    types = [packet.payload_type for packet in packets(source, 40)]
    assert types[:7] == [101] * 7
    assert types[7:12] == [0] * 5
    assert types[-1] == 0


def test_without_telephone_event_no_key_can_be_pressed():
    source = speaker(agreed(telephone_event_payload_type=None))
    source.press("1")
    assert {packet.payload_type for packet in packets(source, 20)} == {0}


def test_what_was_sent_is_counted_for_rtcp():
    source = speaker(agreed())
    packets(source, 5)
    assert (source.sent.packets, source.sent.octets) == (5, 800)
    assert source.first_sequence == 65_530
