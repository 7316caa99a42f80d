"""What is agreed on media: the answer decides, and nothing is assumed (RFC 3264)."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sdp.direction import Direction
from tests.interop.caller import Caller, answered, end_of, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

EVERYTHING = "0 8 9 101"


@pytest.mark.parametrize(
    ("sdp", "codec", "payload_type", "ptime_ms", "events", "event_rate"),
    [
        ("pcmu", "PCMU", 0, 20, 101, 8000),
        ("ptime_10", "PCMU", 0, 10, 101, 8000),
        ("ptime_30", "PCMU", 0, 30, 101, 8000),
        ("ptime_60", "PCMU", 0, 60, 101, 8000),
        ("ptime_90", "PCMU", 0, 60, None, 8000),
        ("maxptime_10", "PCMU", 0, 10, None, 8000),
        ("events_96", "PCMU", 0, 20, 96, 8000),
        ("events_16000", "G722", 9, 20, 110, 16000),
        ("no_events", "PCMU", 0, 20, None, 8000),
        ("pcma_only", "PCMA", 8, 20, None, 8000),
        ("g722_only", "G722", 9, 20, None, 8000),
        ("dynamic_pcma", "PCMA", 98, 20, None, 8000),
    ],
)
async def test_the_answer_decides(
    sipp: StartSipp,
    caller: Caller,
    sdp: str,
    codec: str,
    payload_type: int,
    ptime_ms: int,
    events: int | None,
    event_rate: int,
) -> None:
    far_end = await sipp("answers_with", keywords={"sdp": sdp, "offer": EVERYTHING})
    leg = caller.leg(far_end)
    result = await answered(leg)
    assert (result.codec, result.ptime_ms) == (codec, ptime_ms)
    (media,) = caller.stream.connected
    assert media.payload_type == payload_type
    assert (media.telephone_event_payload_type, media.telephone_event_rate) == (events, event_rate)
    assert (media.remote_address, media.remote_port) == ("127.0.0.1", far_end.media_port)
    leg.hang_up()
    await far_end.passed()


async def test_addresses_of_the_media_line(sipp: StartSipp, caller: Caller) -> None:
    """c= below m=, RTCP elsewhere (RFC 3605), and a far end that only sends."""
    far_end = await sipp("answers_with", keywords={"sdp": "elsewhere", "offer": EVERYTHING})
    leg = caller.leg(far_end)
    await answered(leg)
    (media,) = caller.stream.connected
    assert (media.remote_address, media.remote_port) == ("127.0.0.2", far_end.media_port)
    assert (media.remote_rtcp_address, media.remote_rtcp_port) == ("127.0.0.3", 50001)
    assert media.direction is Direction.RECVONLY
    leg.hang_up()
    await far_end.passed()


async def test_the_trunk_chooses_what_is_offered(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers_with", keywords={"sdp": "pcmu", "offer": "9 0 101"})
    leg = caller.leg(far_end, codecs=("G722", "PCMU"), ptime_ms=30)
    result = await answered(leg)
    assert result.codec == "PCMU"
    leg.hang_up()
    await far_end.passed()


@pytest.mark.parametrize("sdp", ["g729", "savp", "rejected", "video_only"])
async def test_media_that_cannot_be_is_acknowledged_and_hung_up(
    sipp: StartSipp, caller: Caller, sdp: str
) -> None:
    far_end = await sipp("answers_with", keywords={"sdp": sdp, "offer": EVERYTHING})
    result = await refused(caller.leg(far_end))
    assert (result.reason, result.hangup_by) == (EndReason.INCOMPATIBLE_MEDIA, HangupBy.SYSTEM)
    assert (result.sip_code, result.picked_up) == (200, True)
    await far_end.passed()


async def test_description_in_a_multipart_body(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers_in_parts")
    leg = caller.leg(far_end)
    assert (await answered(leg)).codec == "PCMA"
    leg.hang_up()
    await far_end.passed()


async def test_a_body_that_is_no_description_says_nothing_about_media(
    sipp: StartSipp, caller: Caller
) -> None:
    """ISUP alone in a 200, a re-INVITE and an UPDATE: the 183's description stands, then an offer is due."""
    far_end = await sipp("answer_confirms_with_isup")
    leg = caller.leg(far_end)
    assert (await answered(leg)).codec == "PCMA"
    await end_of(leg)
    assert [media.codec.name for media in caller.stream.connected] == ["PCMA", "PCMA"]
    await far_end.passed()
