import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import RtpParseError
from outdial.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    parse_compound,
)

word = st.integers(0, 0xFFFF_FFFF)
blocks = st.lists(
    st.builds(
        ReportBlock,
        ssrc=word,
        fraction_lost=st.integers(0, 255),
        packets_lost=st.integers(-0x80_0000, 0x7F_FFFF),
        highest_sequence=word,
        jitter=word,
        last_sr=word,
        delay_since_last_sr=word,
    ),
    max_size=31,
).map(tuple)
any_packet = st.one_of(
    st.builds(
        SenderReport,
        ssrc=word,
        ntp=st.integers(0, (1 << 64) - 1),
        rtp_timestamp=word,
        packet_count=word,
        octet_count=word,
        blocks=blocks,
    ),
    st.builds(ReceiverReport, ssrc=word, blocks=blocks),
    st.builds(SourceDescription, ssrc=word, cname=st.text(max_size=60)),
    st.builds(Goodbye, ssrcs=st.lists(word, max_size=31).map(tuple)),
)


@given(st.lists(any_packet, min_size=1, max_size=4))
def test_what_is_written_is_read(packets: list[RtcpPacket]) -> None:
    datagram = b"".join(packet.to_bytes() for packet in packets)
    assert len(datagram) % 4 == 0
    assert parse_compound(datagram) == packets


@given(
    st.binary(max_size=120)
    | st.tuples(
        st.sampled_from([0x80, 0x81, 0xA1, 0x9F]),
        st.sampled_from([200, 201, 202, 203, 204]),
        st.binary(max_size=80),
    ).map(
        lambda parts: (
            bytes(parts[:2]) + (len(parts[2]) // 4).to_bytes(2, "big") + parts[2][: len(parts[2]) // 4 * 4]
        )
    )
)
def test_any_bytes_are_packets_or_a_parse_error(datagram: bytes) -> None:
    try:
        parse_compound(datagram)
    except RtpParseError:
        return


def test_more_loss_than_the_field_holds_is_clipped() -> None:
    block = ReportBlock(1, 255, 1 << 30, 5, 0, 0, 0)
    (report,) = parse_compound(ReceiverReport(9, (block,)).to_bytes())
    assert isinstance(report, ReceiverReport)
    assert report.blocks[0].packets_lost == 0x7F_FFFF


def test_unknown_packets_are_passed_over() -> None:
    application = bytes.fromhex("80cc0002 00000001 41424344")
    assert parse_compound(application + Goodbye((7,)).to_bytes()) == [Goodbye((7,))]


def test_padding_is_dropped() -> None:
    padded = bytes.fromhex("a1cb0002 00000007 00000004")
    assert parse_compound(padded) == [Goodbye((7,))]


def test_a_description_without_chunks_says_nothing() -> None:
    assert parse_compound(bytes.fromhex("80ca0000")) == []


def test_a_description_may_have_other_items_before_its_name_or_no_name() -> None:
    tool = bytes.fromhex("81ca0004 00000007 0602 6162 0103 616263 00 000000".replace(" ", ""))
    assert parse_compound(tool[:4] + tool[4:20]) == [SourceDescription(7, "abc")]
    nameless = bytes.fromhex("81ca0003 00000007 06026162 00000000".replace(" ", ""))
    assert parse_compound(nameless) == [SourceDescription(7, "")]
    unended = bytes.fromhex("81ca0002 00000007 06026162".replace(" ", ""))
    assert parse_compound(unended) == [SourceDescription(7, "")]


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        ("", "empty"),
        ("80c9", "within its header"),
        ("40c90000", "version 1"),
        ("80c90005 00000001", "longer than its datagram"),
        ("80c80001 00000001", "sender report of 4 bytes should have at least 24"),
        ("81c90001 00000001", "receiver report of 4 bytes should have at least 28"),
        ("81ca0000", "SDES chunk"),
        ("81ca0002 00000007 01ff6162", "SDES item"),
        ("82cb0001 00000001", "BYE of 4 bytes should have at least 8"),
        ("a0cb0000", "padding does not fit"),
        ("a1cb0001 00000009", "padding does not fit"),
        ("a1cb0001 00000000", "padding does not fit"),
    ],
)
def test_what_cannot_be_read_is_named(datagram: str, complaint: str) -> None:
    with pytest.raises(RtpParseError, match=complaint):
        parse_compound(bytes.fromhex(datagram))
