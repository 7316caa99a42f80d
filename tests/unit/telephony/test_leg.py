"""A leg against a far end that floods it, and how long it may talk."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.session.events import Failed, FailureCause, InfoReceived
from outdial.telephony.dial_failure import not_answered
from outdial.telephony.dtmf_info import KeysOnce
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import LegRequest, MessageResult, PlayResult
from outdial.telephony.media.events import DigitReceived, DigitStarted
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk


async def test_digits_without_end_are_not_all_kept():
    leg = Leg(None, None, None, Trace(lambda: 0))
    for _ in range(5_000):
        leg._on_session(InfoReceived("application/dtmf-relay", b"Signal=5\r\n"))
    assert len(leg.digits) == 1_000


class StuckStream:
    """A media worker that takes commands and says nothing any more."""

    def play(self, play_id, clips):
        pass

    def record_message(self, message_id, path, *, silence_s):
        pass

    def stop_playing(self):
        pass

    def stop_message(self):
        pass


async def test_nobody_waits_for_a_worker_that_does_not_say_how_a_prompt_ended(monkeypatch):
    monkeypatch.setattr("outdial.telephony.leg._PLAY_END_WAIT_S", 0.0)
    leg = Leg(None, None, None, Trace(lambda: 0))
    leg.stream = cast("Any", StuckStream())
    playing = asyncio.ensure_future(leg.play([Path("clip")]))
    recording = asyncio.ensure_future(leg.record_message(Path("file")))
    await asyncio.sleep(0)
    leg.hang_up()
    async with asyncio.timeout(5):
        assert await playing == PlayResult(0, completed=False)
        assert await recording == MessageResult(0, by_silence=False)


FIVE = InfoReceived("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")


def down(digit="5"):
    return lambda leg: leg._on_media(DigitStarted(digit))


def up(digit="5"):
    return lambda leg: leg._on_media(DigitReceived(digit, 160))


def info(leg):
    leg._on_session(FIVE)


@pytest.mark.parametrize(
    ("what_comes", "digits"),
    [
        ([down(), info, up()], "5"),
        ([info, down(), up()], "5"),
        ([down(), up(), info], "5"),
        ([info, down(), up(), info, down(), up()], "55"),
        ([info, down(), info, up(), down(), up()], "55"),
        ([info, info, info], "555"),
        ([info, down("6"), up("6")], "56"),
    ],
)
async def test_a_far_end_that_tells_each_key_by_info_and_by_rtp_is_heard_once_in_any_order(
    what_comes, digits
):
    leg = Leg(None, None, None, Trace(lambda: 0))
    for each in what_comes:
        each(leg)
    assert leg.digits == digits


def test_a_key_by_rtp_long_after_one_by_info_is_another_one():
    keys = KeysOnce()
    assert keys.by_info("5", 10.0)
    assert keys.by_rtp("5", 11.1, over=False)
    assert keys.by_rtp("5", 11.2, over=True)
    assert not keys.by_info("5", 11.3)


async def test_a_key_that_info_told_stops_no_second_prompt():
    leg = Leg(None, None, None, Trace(lambda: 0))
    stopped = []
    leg.on_key_down = stopped.append
    for each in (info, down(), up(), down("6")):
        each(leg)
    assert stopped == ["6"]


def test_a_reason_phrase_is_kept_as_text_that_every_database_takes():
    failed = Failed(FailureCause.REJECTED, 503, "No\x00 way\x1b[31m " + "x" * 5_000)
    result = not_answered(failed, None)
    assert result.reason is EndReason.REJECTED
    assert result.sip_reason.startswith("No way [31m xxx")
    assert len(result.sip_reason) <= 255


def test_a_far_end_that_hung_up_has_picked_up():
    result = not_answered(Failed(FailureCause.HUNG_UP, picked_up=True), None)
    assert result.picked_up
    assert (result.reason, result.hangup_by) == (EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)


@pytest.mark.parametrize(
    ("paid_s", "longest_s", "reason"),
    [
        (None, 600.0, EndReason.MAX_DURATION),
        (600.0, 600.0, EndReason.MAX_DURATION),
        (599.7, 599.7, EndReason.CREDIT_USED_UP),
        (0.0, 0.0, EndReason.CREDIT_USED_UP),
    ],
)
async def test_the_shorter_of_the_trunk_s_limit_and_the_credit_ends_the_talk(paid_s, longest_s, reason):
    trunk = Trunk(name="t", host="192.0.2.1", max_call_s=600)
    request = LegRequest(trunk=trunk, caller_number="1", to="2", sip_call_id="c", max_talk_s=paid_s)
    leg = Leg(None, None, request, Trace(lambda: 0))
    loop = asyncio.get_running_loop()
    before = loop.time()
    timer = leg._limit_talk()
    assert before + longest_s <= timer.when() <= loop.time() + longest_s
    leg._finish(*timer._args)
    timer.cancel()
    assert (await leg.ended).reason is reason
