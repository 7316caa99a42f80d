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
