"""Offer and answer, RFC 3264."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import SdpError
from outdial.sdp.codec import G722, PCMA, PCMU
from outdial.sdp.direction import Direction
from outdial.sdp.negotiation import AgreedMedia, LocalMedia, answer_offer, make_offer, read_answer
from outdial.sdp.parser import parse_description

WIRE = Path(__file__).parents[2] / "wire" / "sdp"
NOTHING_IN_COMMON = (
    "no codec in common: the far end has G729/8000, G723/8000, opus/48000/2; we have PCMU, PCMA, G722"
)
LOCAL = LocalMedia(address="192.0.2.10", port=10000, session_id=42)


def wire(name: str) -> bytes:
    return (WIRE / f"{name}.sdp").read_bytes()


def sdp(formats: str, *lines: str, connection: str = "IN IP4 203.0.113.7", port: int = 4000) -> bytes:
    return "\r\n".join(
        [
            "v=0",
            "o=- 1 1 IN IP4 203.0.113.7",
            "s=-",
            f"c={connection}",
            "t=0 0",
            f"m=audio {port} RTP/AVP {formats}",
            *lines,
        ]
    ).encode()


def agree(answer: bytes, local: LocalMedia = LOCAL, direction: Direction = Direction.SENDRECV) -> AgreedMedia:
    return read_answer(make_offer(local, direction=direction), answer)


def complaint(answer: bytes, local: LocalMedia = LOCAL) -> str:
    with pytest.raises(SdpError) as caught:
        agree(answer, local)
    return str(caught.value)


def refusal(offer: bytes, local: LocalMedia = LOCAL) -> str:
    with pytest.raises(SdpError) as caught:
        answer_offer(offer, local)
    return str(caught.value)


def test_the_offer() -> None:
    assert make_offer(LOCAL, 3).to_bytes().decode().split("\r\n") == [
        "v=0",
        "o=- 42 3 IN IP4 192.0.2.10",
        "s=-",
        "c=IN IP4 192.0.2.10",
        "t=0 0",
        "m=audio 10000 RTP/AVP 0 8 9 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_an_offer_of_fewer_codecs_on_hold() -> None:
    local = replace(LOCAL, codecs=(G722,), ptime_ms=30, telephone_event_payload_type=96)
    lines = make_offer(local, direction=Direction.SENDONLY).to_bytes().decode().split("\r\n")
    assert "m=audio 10000 RTP/AVP 9 96" in lines
    assert "a=ptime:30" in lines
    assert "a=sendonly" in lines


def test_an_ordinary_answer() -> None:
    agreed = agree(sdp("8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=ptime:20"))
    assert agreed == AgreedMedia(
        remote_address="203.0.113.7",
        remote_port=4000,
        remote_rtcp_address="203.0.113.7",
        remote_rtcp_port=4001,
        codec=PCMA,
        payload_type=8,
        ptime_ms=20,
        telephone_event_payload_type=101,
        telephone_event_rate=8000,
        direction=Direction.SENDRECV,
    )


def test_static_payload_types_need_no_rtpmap() -> None:
    agreed = agree(wire("static-without-rtpmap"))
    assert (agreed.codec, agreed.payload_type, agreed.telephone_event_payload_type) == (PCMU, 0, None)
    assert agreed.telephone_event_rate == 8000


def test_a_dynamic_type_without_rtpmap_means_what_we_offered() -> None:
    agreed = agree(sdp("8 101"))
    assert agreed.telephone_event_payload_type == 101


def test_g722_may_come_with_its_sample_rate_and_another_number() -> None:
    agreed = agree(wire("g722-at-16000"))
    assert (agreed.codec, agreed.payload_type, agreed.ptime_ms) == (G722, 109, 30)
    assert (agreed.telephone_event_payload_type, agreed.telephone_event_rate) == (97, 16000)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_telephone_events_of_any_number_and_rate(rate: int) -> None:
    agreed = agree(sdp("0 113", f"a=rtpmap:113 Telephone-Event/{rate}"))
    assert (agreed.telephone_event_payload_type, agreed.telephone_event_rate) == (113, rate)


def test_telephone_events_of_the_codecs_clock_come_first() -> None:
    agreed = agree(
        sdp("0 100 101", "a=rtpmap:100 telephone-event/48000", "a=rtpmap:101 telephone-event/8000")
    )
    assert (agreed.telephone_event_payload_type, agreed.telephone_event_rate) == (101, 8000)


def test_the_first_usable_codec_counts() -> None:
    formats = (
        "101 18 96 97 9 0",
        "a=rtpmap:96 PCMU/16000",
        "a=rtpmap:97 PCMA/8000/2",
        "a=rtpmap:101 telephone-event/8000",
    )
    assert agree(sdp(*formats)).codec == G722


def test_an_rtpmap_overrules_the_static_meaning() -> None:
    assert agree(sdp("8 0", "a=rtpmap:8 iLBC/8000")).codec == PCMU


@pytest.mark.parametrize(
    ("lines", "ptime", "remarks"),
    [
        ([], 20, 0),
        (["a=ptime:30"], 30, 0),
        (["a=ptime: 40.0"], 40, 0),
        (["a=ptime:soon"], 20, 0),
        (["a=ptime:0"], 20, 0),
        (["a=ptime:-5"], 20, 0),
        (["a=maxptime:150"], 20, 0),
        (["a=ptime:60", "a=maxptime:40"], 40, 1),
        (["a=maxptime:10"], 10, 1),
        (["a=ptime:5"], 10, 1),
        (["a=ptime:200"], 60, 1),
        (["a=ptime:200", "a=maxptime:100"], 60, 2),
    ],
)
def test_packet_times(lines: list[str], ptime: int, remarks: int) -> None:
    agreed = agree(sdp("0", *lines))
    assert agreed.ptime_ms == ptime
    assert len(agreed.remarks) == remarks


def test_a_bent_packet_time_is_told() -> None:
    assert agree(sdp("0", "a=ptime:90", "a=maxptime:80")).remarks == (
        "ptime 90 ms is more than maxptime 80 ms allows",
        "the far end wants packets of 80 ms; we send 60 ms, as we keep between 10 and 60",
    )


def test_without_a_ptime_ours_holds() -> None:
    assert agree(sdp("0"), replace(LOCAL, ptime_ms=40)).ptime_ms == 40


def test_addresses_of_the_medium_come_before_those_of_the_session() -> None:
    agreed = agree(wire("media-level-connection"))
    assert (agreed.remote_address, agreed.remote_port) == ("203.0.113.60", 14020)
    assert (agreed.remote_rtcp_address, agreed.remote_rtcp_port) == ("203.0.113.61", 53020)
    assert agreed.direction is Direction.SENDONLY


@pytest.mark.parametrize(
    ("rtcp", "address", "port"),
    [
        ("a=rtcp:5000", "203.0.113.7", 5000),
        ("a=rtcp:5000 IN IP4 203.0.113.8", "203.0.113.8", 5000),
        ("a=rtcp:5000 IN IP4 rtcp.example", "203.0.113.7", 5000),
        ("a=rtcp:5000 IN IP6 ::1", "203.0.113.7", 5000),
        ("a=rtcp:0", "203.0.113.7", 4001),
        ("a=rtcp:65536", "203.0.113.7", 4001),
        ("a=rtcp:none", "203.0.113.7", 4001),
        ("a=rtcp", "203.0.113.7", 4001),
    ],
)
def test_the_rtcp_address(rtcp: str, address: str, port: int) -> None:
    agreed = agree(sdp("0", rtcp))
    assert (agreed.remote_rtcp_address, agreed.remote_rtcp_port) == (address, port)


def test_the_last_port_has_no_next_one() -> None:
    assert agree(sdp("0", port=65535)).remote_rtcp_port == 65535


@pytest.mark.parametrize(
    ("offered", "answered", "ours"),
    [
        (Direction.SENDRECV, "sendrecv", Direction.SENDRECV),
        (Direction.SENDRECV, "sendonly", Direction.RECVONLY),
        (Direction.SENDRECV, "recvonly", Direction.SENDONLY),
        (Direction.SENDRECV, "inactive", Direction.INACTIVE),
        (Direction.SENDONLY, "recvonly", Direction.SENDONLY),
        (Direction.SENDONLY, "sendrecv", Direction.SENDONLY),
        (Direction.RECVONLY, "recvonly", Direction.INACTIVE),
        (Direction.INACTIVE, "sendrecv", Direction.INACTIVE),
    ],
)
def test_directions(offered: Direction, answered: str, ours: Direction) -> None:
    assert agree(sdp("0", f"a={answered}"), direction=offered).direction is ours


def test_hold_in_the_old_way() -> None:
    agreed = agree(wire("old-hold"))
    assert (agreed.remote_address, agreed.direction) == ("0.0.0.0", Direction.RECVONLY)
    assert agree(sdp("0", "a=recvonly", connection="IN IP4 0.0.0.0")).direction is Direction.INACTIVE


def test_without_a_c_line_the_origin_must_do() -> None:
    answer = b"v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\nm=audio 4000 RTP/AVP 0\r\n"
    agreed = agree(answer)
    assert agreed.remote_address == "203.0.113.9"
    assert agreed.remarks == ("the description has no c= line; its o= line's address is used",)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "the answer has no audio line"),
        (b"m=video 4000 RTP/AVP 0", "the answer has no audio line"),
        (wire("rejected"), "the far end rejected our audio line (port 0)"),
        (wire("chrome-savpf"), "the answer wants UDP/TLS/RTP/SAVPF; we offered RTP/AVP"),
        (
            wire("only-g729"),
            NOTHING_IN_COMMON,
        ),
        (
            sdp("101"),
            "no codec in common: the far end has no audio codec that is known; we have PCMU, PCMA, G722",
        ),
        (
            sdp("0", connection="IN IP4 sbc.example"),
            "audio would go to 'sbc.example', which is not an IP address",
        ),
        (
            sdp("0", connection="IN IP6 2001:db8::1"),
            "audio would go to the IPv6 address 2001:db8::1, but we send from 192.0.2.10",
        ),
        (
            sdp("0", connection="ATM"),
            "the description does not say to which address audio goes: its c= line is missing or unreadable",
        ),
        (
            b"m=audio 4000 RTP/AVP 0",
            "the description does not say to which address audio goes: its c= line is missing or unreadable",
        ),
    ],
)
def test_unusable_answers_say_why(answer: bytes, sentence: str) -> None:
    assert complaint(answer) == sentence


def test_a_codec_that_was_not_offered_is_not_taken() -> None:
    assert complaint(sdp("8 9"), replace(LOCAL, codecs=(PCMU,))) == (
        "no codec in common: the far end has PCMA/8000, G722/8000; we have PCMU"
    )


@pytest.mark.parametrize("written", ["::ffff:203.0.113.7", "::FFFF:cb00:7107"])
def test_an_ipv4_address_that_is_written_as_ipv6_is_one_of_ipv4(written: str) -> None:
    agreed = agree(sdp("0", f"a=rtcp:5000 IN IP6 {written}", connection=f"IN IP6 {written}"))
    assert (agreed.remote_address, agreed.remote_rtcp_address) == ("203.0.113.7", "203.0.113.7")


def test_ipv6_between_ipv6_addresses() -> None:
    local = replace(LOCAL, address="2001:db8::10")
    assert agree(sdp("0", connection="IN IP6 2001:db8::1"), local).remote_address == "2001:db8::1"
    assert b"c=IN IP6 2001:db8::10\r\n" in make_offer(local).to_bytes()


def test_an_offer_is_answered_with_one_codec_and_its_events() -> None:
    offer = sdp("18 8 0 100", "a=rtpmap:100 telephone-event/8000", "a=ptime:30", "a=sendrecv")
    answer, agreed = answer_offer(offer, LOCAL, 4)
    assert answer.to_bytes().decode().split("\r\n") == [
        "v=0",
        "o=- 42 4 IN IP4 192.0.2.10",
        "s=-",
        "c=IN IP4 192.0.2.10",
        "t=0 0",
        "m=audio 10000 RTP/AVP 8 100",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:100 telephone-event/8000",
        "a=fmtp:100 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    assert (agreed.codec, agreed.payload_type, agreed.ptime_ms) == (PCMA, 8, 30)
    assert (agreed.telephone_event_payload_type, agreed.direction) == (100, Direction.SENDRECV)


def test_the_offerers_order_decides_among_our_codecs() -> None:
    assert answer_offer(sdp("0 8 9"), replace(LOCAL, codecs=(G722, PCMA)))[1].codec == PCMA


def test_no_events_are_answered_where_none_were_offered() -> None:
    answer, agreed = answer_offer(sdp("0"), LOCAL)
    assert answer.media[0].formats == ("0",)
    assert agreed.telephone_event_payload_type is None


def test_dynamic_numbers_are_answered_as_they_were_offered() -> None:
    answer, agreed = answer_offer(wire("g722-at-16000"), LOCAL)
    assert answer.media[0].formats == ("109", "97")
    assert answer.media[0].attribute("rtpmap") == "109 G722/16000"
    assert agreed.payload_type == 109


def test_other_lines_are_refused_in_their_places() -> None:
    answer, agreed = answer_offer(wire("savp-then-avp"), LOCAL)
    assert [(media.media, media.port, media.protocol) for media in answer.media] == [
        ("audio", 0, "RTP/SAVP"),
        ("audio", 10000, "RTP/AVP"),
        ("video", 0, "RTP/AVP"),
        ("application", 0, "UDP/BFCP"),
    ]
    assert agreed.remote_port == 14022
    assert parse_description(answer.to_bytes()) == answer


def test_a_refused_line_always_has_a_format() -> None:
    offer = sdp("0") + b"\r\nm=video 5 RTP/AVP\r\n"
    assert answer_offer(offer, LOCAL)[0].media[1].formats == ("0",)


def test_the_audio_line_with_a_codec_of_ours_is_taken() -> None:
    offer = sdp("18") + b"\r\nm=audio 6000 RTP/AVP 8\r\n"
    answer, agreed = answer_offer(offer, LOCAL)
    assert [media.port for media in answer.media] == [0, 10000]
    assert agreed.remote_port == 6000


@pytest.mark.parametrize(
    ("offered", "wanted", "answered", "ours"),
    [
        ("sendonly", Direction.SENDRECV, "recvonly", Direction.RECVONLY),
        ("recvonly", Direction.SENDRECV, "sendonly", Direction.SENDONLY),
        ("inactive", Direction.SENDRECV, "inactive", Direction.INACTIVE),
        ("sendrecv", Direction.SENDONLY, "sendonly", Direction.SENDONLY),
        ("sendonly", Direction.SENDONLY, "inactive", Direction.INACTIVE),
    ],
)
def test_directions_of_answers(offered: str, wanted: Direction, answered: str, ours: Direction) -> None:
    answer, agreed = answer_offer(sdp("0", f"a={offered}"), LOCAL, 1, wanted)
    assert answer.direction_of(answer.media[0]) == answered
    assert agreed.direction is ours


def test_hold_in_the_old_way_is_answered_as_before_and_stops_our_audio() -> None:
    answer, agreed = answer_offer(wire("old-hold"), LOCAL)
    assert answer.direction_of(answer.media[0]) is Direction.SENDRECV
    assert agreed.direction is Direction.RECVONLY


@pytest.mark.parametrize(
    ("offer", "sentence"),
    [
        (b"", "the offer has no audio line that is open"),
        (wire("rejected"), "the offer has no audio line that is open"),
        (wire("chrome-savpf"), "the offer wants audio over UDP/TLS/RTP/SAVPF; we support RTP/AVP"),
        (
            wire("only-g729"),
            NOTHING_IN_COMMON,
        ),
    ],
)
def test_unusable_offers_say_why(offer: bytes, sentence: str) -> None:
    assert refusal(offer) == sentence


def test_what_one_side_answers_the_other_can_read() -> None:
    offer = make_offer(LOCAL)
    theirs = LocalMedia(address="192.0.2.20", port=20000, session_id=7, codecs=(G722,), ptime_ms=30)
    answer, agreed_there = answer_offer(offer.to_bytes(), theirs)
    agreed_here = read_answer(offer, answer.to_bytes())
    assert (agreed_here.remote_address, agreed_here.remote_port) == ("192.0.2.20", 20000)
    assert (agreed_there.remote_address, agreed_there.remote_port) == ("192.0.2.10", 10000)
    assert agreed_here.codec == agreed_there.codec == G722
    assert (agreed_here.ptime_ms, agreed_there.ptime_ms) == (30, 20)
    assert agreed_here.telephone_event_payload_type == agreed_there.telephone_event_payload_type == 101


def test_reversal_and_limits_of_directions() -> None:
    assert [direction.reversed() for direction in Direction] == [
        Direction.SENDRECV,
        Direction.RECVONLY,
        Direction.SENDONLY,
        Direction.INACTIVE,
    ]
    for direction in Direction:
        assert direction.limited_to(Direction.SENDRECV) is direction
        assert direction.limited_to(Direction.INACTIVE) is Direction.INACTIVE


LINES = st.sampled_from(
    ["c=IN IP4 203.0.113.7", "c=IN IP4 x", "c=IN IP6 ::1", "m=audio 4000 RTP/AVP 0 101",
     "m=audio 0 RTP/AVP 0", "m=audio 9 RTP/AVP 300 x", "m=audio 5 RTP/SAVP 0", "m=video 1 RTP/AVP 9",
     "a=rtpmap:101 telephone-event/8000", "a=rtpmap:0 G722/8000", "a=ptime:999999", "a=maxptime:1",
     "a=rtcp:70000", "a=sendonly", "a=inactive", "o=- 1 1 IN IP4 1"]
)  # fmt: skip


@given(st.lists(LINES, max_size=10).map(lambda lines: "\r\n".join(lines).encode()) | st.binary(max_size=100))
def test_nothing_else_is_raised_whatever_comes(body: bytes) -> None:
    offer = make_offer(LOCAL)
    try:
        agreed = read_answer(offer, body)
        assert 10 <= agreed.ptime_ms <= 60
    except SdpError:
        pass
    try:
        answer, agreed = answer_offer(body, LOCAL)
    except SdpError:
        return
    assert len(answer.media) == len(parse_description(body).media)
    assert parse_description(answer.to_bytes()) == answer
