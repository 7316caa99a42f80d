import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import RtpParseError
from outdial.rtp.packet import MARKER, PLAIN, RtpPacket, pack_header

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence_number=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    ssrc=st.integers(0, 0xFFFF_FFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
)


@given(packets)
def test_what_is_written_is_read(packet: RtpPacket) -> None:
    assert RtpPacket.parse(packet.to_bytes()) == packet


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda rest: b"\xb5" + rest))
def test_any_bytes_are_a_packet_or_a_parse_error(datagram: bytes) -> None:
    try:
        packet = RtpPacket.parse(datagram)
    except RtpParseError:
        return
    assert len(packet.payload) <= len(datagram) - 12


def test_the_header_is_that_of_rfc_3550() -> None:
    header = pack_header(PLAIN | MARKER | 8, 0x0102, 0x03040506, 0x0708090A)
    assert header == bytes.fromhex("80 88 0102 03040506 0708090a")


def test_csrcs_extension_and_padding_are_dropped() -> None:
    datagram = (
        bytes.fromhex("b2 00 0001 00000002 00000003")  # version 2, padding, extension, two CSRCs
        + bytes(8)
        + bytes.fromhex("bede 0001 aabbccdd")
        + b"audio"
        + b"\x00\x00\x03"
    )
    assert RtpPacket.parse(datagram).payload == b"audio"


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        (b"", "at least 12 bytes"),
        (b"\x80" * 11, "at least 12 bytes"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x90" + bytes(11), "before the extension's length"),
        (b"\x90" + bytes(11) + b"\x00\x00\x00\x01", "longer than the packet"),
        (b"\xa0" + bytes(11) + b"x\x00", "padding length is 0"),
        (b"\xa0" + bytes(11) + b"\xff", "longer than the packet"),
        (b"\x81" + bytes(11), "longer than the packet"),
    ],
)
def test_what_cannot_be_read_is_named(datagram: bytes, complaint: str) -> None:
    with pytest.raises(RtpParseError, match=complaint):
        RtpPacket.parse(datagram)
