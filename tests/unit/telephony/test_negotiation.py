"""The media side of one leg over its life."""

import pytest

from outdial.errors import SdpError
from outdial.sdp.codec import PCMA
from outdial.sdp.direction import Direction
from outdial.sdp.negotiation import LocalMedia
from outdial.telephony.negotiation import LegNegotiator


def description(formats="8 101", direction="sendrecv", port=30000):
    return (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


@pytest.fixture
def leg():
    leg = LegNegotiator(LocalMedia(address="192.0.2.1", port=20000, session_id=7))
    leg.offer()
    leg.accept_answer(description())
    return leg


def test_the_answer_decides(leg):
    assert leg.agreed.codec == PCMA
    assert leg.agreed.direction is Direction.SENDRECV


def test_an_offer_that_says_the_same_again_has_the_same_version(leg):
    assert leg.offer() == leg.offer()


def test_a_hold_that_lists_other_codecs_first_keeps_ours(leg):
    answer = leg.answer(description("0 8 9 101", "sendonly"))
    assert b"m=audio 20000 RTP/AVP 8 101" in answer
    assert b"a=recvonly" in answer
    assert leg.agreed.codec == PCMA
    assert leg.agreed.direction is Direction.RECVONLY


def test_an_offer_without_our_codec_is_refused_and_the_agreement_stands(leg):
    before = leg.agreed
    with pytest.raises(SdpError, match="no codec in common"):
        leg.answer(description("0 101"))
    assert leg.agreed is before


def test_an_unusable_answer_leaves_the_agreement(leg):
    before = leg.agreed
    leg.offer()
    with pytest.raises(SdpError):
        leg.accept_answer(b"nonsense")
    assert leg.agreed is before


def test_the_version_grows_when_our_description_changes(leg):
    first = leg.answer(description(direction="sendonly"))
    second = leg.answer(description(direction="sendrecv"))
    assert first.split(b"\r\n")[1] != second.split(b"\r\n")[1]


def test_a_later_offer_of_ours_keeps_the_codec_that_is_being_played(leg):
    assert b"m=audio 20000 RTP/AVP 8 101" in leg.offer()
    with pytest.raises(SdpError, match="no codec in common"):
        leg.accept_answer(description("0 101"))
    assert leg.agreed.codec == PCMA


VIDEO = b"m=video 40000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


def with_line_before(line: bytes, body: bytes) -> bytes:
    return body.replace(b"m=audio", line + b"m=audio", 1)


def lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\r\n") if line.startswith(b"m=")]


@pytest.mark.parametrize("before", [VIDEO, b"m=audio 0 RTP/AVP 8\r\n"], ids=["video", "audio"])
def test_a_later_offer_of_ours_keeps_the_places_of_all_lines(leg, before):
    """Whoever finds fewer lines than before refuses the offer (RFC 3264 §8), and with it our refresh."""
    answer = lines(leg.answer(with_line_before(before, description()) + VIDEO))
    assert answer[0].split()[1] == answer[2].split()[1] == b"0"
    offer = leg.offer()
    assert lines(offer) == answer
    assert leg.offer() == offer
    leg.accept_answer(with_line_before(before, description(port=30002)) + b"m=video 0 RTP/AVP 96\r\n")
    assert (leg.agreed.remote_port, leg.agreed.codec) == (30002, PCMA)


def test_an_answer_that_left_our_refused_lines_out_is_read_all_the_same(leg):
    leg.answer(with_line_before(VIDEO, description()))
    leg.offer()
    leg.accept_answer(description(port=30002))
    assert leg.agreed.remote_port == 30002
