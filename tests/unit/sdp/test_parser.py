"""Reading session descriptions, also the shapes in tests/wire/sdp."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outdial.errors import LocalProtocolError, SdpError
from outdial.sdp.description import Attribute, MediaDescription, Origin, SessionDescription
from outdial.sdp.direction import Direction
from outdial.sdp.formats import PayloadFormat, read_formats
from outdial.sdp.parser import MAX_MEDIA, parse_description

WIRE = Path(__file__).parents[2] / "wire" / "sdp"


def read(name: str) -> SessionDescription:
    return parse_description((WIRE / f"{name}.sdp").read_bytes())


def test_an_ordinary_description() -> None:
    description = read("savp-then-avp")
    assert description.origin == Origin(1, 1, "203.0.113.7")
    assert description.connection == "203.0.113.7"
    assert [(media.media, media.port, media.protocol) for media in description.media] == [
        ("audio", 14020, "RTP/SAVP"),
        ("audio", 14022, "RTP/AVP"),
        ("video", 14024, "RTP/AVP"),
        ("application", 14026, "UDP/BFCP"),
    ]
    assert description.media[1].attribute("rtpmap") == "101 telephone-event/8000"
    assert description.media[3].formats == ("*",)


def test_a_garbled_description_gives_what_is_in_it() -> None:
    description = read("garbled")
    assert description.origin is None
    assert description.connection == "203.0.113.7"
    (media,) = description.media
    assert (media.media, media.port, media.protocol) == ("audio", 14020, "RTP/AVP")
    assert read_formats(media) == [
        PayloadFormat(8, "PCMA", 8000),
        PayloadFormat(101, "TELEPHONE-EVENT", 8000),
    ]


def test_a_medium_has_its_own_address_and_direction() -> None:
    description = read("media-level-connection")
    (media,) = description.media
    assert media.port == 14020
    assert description.address_of(media) == "203.0.113.60"
    assert description.direction_of(media) is Direction.RECVONLY
    bare = MediaDescription("audio", 1, "RTP/AVP", ("0",))
    assert description.address_of(bare) == "10.0.0.1"
    assert description.direction_of(bare) is Direction.SENDONLY
    assert SessionDescription(None, None, (bare,)).direction_of(bare) is Direction.SENDRECV


def test_an_attribute_of_the_session_holds_for_a_medium_without_it() -> None:
    description = parse_description(
        b"a=ptime:30\na=x\nm=audio 1 RTP/AVP 0\na=y\nm=audio 2 RTP/AVP 0\na=ptime:40"
    )
    first, second = description.media
    assert description.attribute_of(first, "ptime") == "30"
    assert description.attribute_of(second, "ptime") == "40"
    assert description.attribute_of(first, "x") == ""
    assert description.attribute_of(first, "y") == ""
    assert description.attribute_of(second, "y") is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("m=audio port RTP/AVP 8", "a media line that cannot be read: 'audio port RTP/AVP 8'"),
        ("m=", "a media line that cannot be read: ''"),
        ("m=audio 1", "a media line that cannot be read: 'audio 1'"),
        ("m=audio ٣ RTP/AVP 0", "a media line that cannot be read: 'audio ٣ RTP/AVP 0'"),
        ("m=audio 65536 RTP/AVP 0", "port 65536 of the audio line does not exist"),
    ],
)
def test_unreadable_media_lines(line: str, complaint: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse_description(f"v=0\r\n{line}\r\n".encode())
    assert str(caught.value) == complaint


def test_the_unreadable_media_line_of_a_file() -> None:
    with pytest.raises(SdpError, match="media line"):
        read("media-line-unreadable")


def test_there_is_a_limit_to_the_number_of_media() -> None:
    assert len(parse_description(b"m=audio 1 RTP/AVP 0\n" * MAX_MEDIA).media) == MAX_MEDIA
    with pytest.raises(SdpError, match="media line"):
        parse_description(b"m=audio 1 RTP/AVP 0\n" * (MAX_MEDIA + 1))


def test_unreadable_addresses_are_empty_and_the_first_of_several_counts() -> None:
    description = parse_description(
        b"c=IN IP4 192.0.2.1/127\nc=IN IP4 192.0.2.2\nm=audio 1 RTP/AVP 0\nc=ATM\nm=audio 2 RTP/AVP 0\n"
        b"c=IN IP6 2001:db8::1\nc=IN IP4 192.0.2.3"
    )
    assert description.connection == "192.0.2.1"
    assert [media.connection for media in description.media] == ["", "2001:db8::1"]


@pytest.mark.parametrize(
    ("rtpmap", "expected"),
    [
        ("97 opus/48000/2", PayloadFormat(97, "opus", 48000, 2)),
        ("97 L16 / 8000 / 1", PayloadFormat(97, "L16", 8000)),
        ("97 pcma/8000", PayloadFormat(97, "pcma", 8000)),
        ("97", None),
        ("97 x", None),
        ("x y/8000", None),
        ("٣ x/8000", None),
    ],
)
def test_rtpmaps(rtpmap: str, expected: PayloadFormat | None) -> None:
    media = MediaDescription(
        "audio", 1, "RTP/AVP", ("97",), None, (Attribute("fmtp", "97 x"), Attribute("rtpmap", rtpmap))
    )
    assert read_formats(media) == ([expected] if expected else [])


def test_payload_types_beyond_their_range_mean_nothing() -> None:
    media = MediaDescription(
        "audio", 1, "RTP/AVP", ("200", "0x8", "1234"), None, (Attribute("rtpmap", "200 PCMA/8000"),)
    )
    assert read_formats(media) == []


def test_a_description_is_written() -> None:
    description = SessionDescription(
        Origin(7, 2, "192.0.2.1"),
        "192.0.2.1",
        (
            MediaDescription("audio", 4000, "RTP/AVP", ("0", "101"), "2001:db8::1", (Attribute("sendrecv"),)),
            MediaDescription("video", 0, "RTP/AVP", ("99",)),
        ),
        (Attribute("tool", "x"),),
    )
    assert description.to_bytes().decode().split("\r\n") == [
        "v=0",
        "o=- 7 2 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "a=tool:x",
        "m=audio 4000 RTP/AVP 0 101",
        "c=IN IP6 2001:db8::1",
        "a=sendrecv",
        "m=video 0 RTP/AVP 99",
        "",
    ]
    assert parse_description(description.to_bytes()) == description


def test_a_description_without_origin_is_written_with_one() -> None:
    assert b"o=- 0 0 IN IP4 0.0.0.0\r\n" in SessionDescription(None, None, ()).to_bytes()
    assert b"o=- 0 0 IN IP4 192.0.2.1\r\n" in SessionDescription(None, "192.0.2.1", ()).to_bytes()


@pytest.mark.parametrize("smuggled", ["x\r\nm=audio 1 RTP/AVP 0", "x\ny", "x\ry"])
def test_line_breaks_in_values_are_refused(smuggled: str) -> None:
    description = SessionDescription(None, None, (), (Attribute("tool", smuggled),))
    with pytest.raises(LocalProtocolError, match="cannot hold a line break"):
        description.to_bytes()


def test_the_version_follows_the_changes() -> None:
    first = SessionDescription(Origin(1, 5, "192.0.2.1"), "192.0.2.1", ())
    same = SessionDescription(Origin(1, 99, "192.0.2.1"), "192.0.2.1", ())
    other = SessionDescription(Origin(1, 1, "192.0.2.1"), "192.0.2.2", ())
    assert first.following(None) is first
    assert same.following(first) == first
    changed = other.following(first)
    assert changed.origin == Origin(1, 6, "192.0.2.1")
    assert changed.connection == "192.0.2.2"
    nameless = SessionDescription(None, None, ())
    assert nameless.following(first) is nameless
    assert first.following(nameless) is first


PIECES = st.sampled_from(
    ["v=0", "o=- 1 2 IN IP4 192.0.2.1", "o=", "s=", "c=IN IP4 192.0.2.1", "c=IN IP6 ::1/3", "c=", "t=0 0",
     "m=audio", " 0", " 49170/2", " 99999", " RTP/AVP", " rtp/savp", " 8", " 101", " x", "a=rtpmap:",
     "101 telephone-event/8000", "a=ptime:", "20", "a=sendonly", "a=RTCP:5 IN IP4 x", "a=", "=", ":", " ",
     "é", "\x00", "\x85", "İ", "ß", "Σ"]
)  # fmt: skip
ENDS = st.sampled_from(["", "\r\n", "\n", "\r"])
BODIES = st.lists(st.tuples(PIECES, ENDS).map("".join), max_size=30).map(
    lambda lines: "".join(lines).encode()
)


@given(st.binary(max_size=200) | BODIES)
@example("m=audio 1 x\u00df y".encode())
def test_no_body_raises_anything_else_and_what_was_read_is_read_again(body: bytes) -> None:
    try:
        description = parse_description(body)
    except SdpError:
        return
    for media in description.media:
        read_formats(media)
        description.direction_of(media)
        description.address_of(media)
    again = parse_description(description.to_bytes())
    assert again.media == description.media
    assert again.attributes == description.attributes
    assert (again.connection or "") == (description.connection or "")
    if description.origin:
        assert again.origin == description.origin
