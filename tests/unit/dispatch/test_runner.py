"""One attempt, step by step, with a scripted leg and a store that only notes what is written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.dispatch.scripted import (
    BUSY,
    QUALITY,
    AnyClip,
    BlobStore,
    HandClock,
    ScriptedNetwork,
    ScriptedPhone,
)

from outdial.dispatch.attempt_values import Ended, Route
from outdial.dispatch.clips import Clips
from outdial.dispatch.control import CallControl
from outdial.dispatch.recordings import Recordings
from outdial.dispatch.runner import Runner
from outdial.domain.call import AttemptOutcome, Call, CallState, ClaimedCall, Lease
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.rating import Rate
from outdial.domain.retry_policy import Done, Retry
from outdial.errors import DatabaseUnavailable
from outdial.storage.audio_urls import Busy, Ready, Unusable
from outdial.storage.blobs import Blobs
from outdial.storage.dial import Dial
from outdial.telephony.leg_values import NotAnswered
from outdial.telephony.media.events import RecordingCut
from outdial.telephony.trunk import Trunk

URL = "https://example.com/hello.mp3"


class NotingStore:
    """Notes each write by name; `answers` overrides what one returns or raises, the first time."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.arguments: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, list[object]] = {}
        self.before: dict[str, Callable[[], None]] = {}

    async def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        name = fn.__name__
        if name in self.before:
            self.before.pop(name)()
        usual = {"begin": Dial.NOW, "finish": args[2] if name == "finish" else None}.get(name, True)
        answer = self.answers[name].pop(0) if self.answers.get(name) else usual
        if isinstance(answer, Exception):
            raise answer
        self._note(name, args, kwargs)
        return answer

    run_patiently = run

    def post(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._note(fn.__name__, args, kwargs)

    def _note(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.written.append(name)
        self.arguments[name] = {"args": args, **kwargs}

    @property
    def outcome(self) -> AttemptOutcome:
        outcome: AttemptOutcome = self.arguments["finish"]["args"][1]
        return outcome

    @property
    def decision(self) -> object:
        return self.arguments["finish"]["args"][2]


def claimed_call(**changes: object) -> ClaimedCall:
    values: dict[str, object] = {
        "id": "request:1",
        "account_id": 1,
        "bridge": "12025550199",
        "trunk_id": 1,
        "to": "12025550100",
        "submitted_at": 1,
        "due_at": 1,
        "sound_id": "hello",
        "state": CallState.LEASED,
        "attempts_started": 1,
        "attempts_spent": 0,
        "trunk_faults": 0,
        "cancel_requested_at": None,
        "disposition": None,
        "reason": None,
        "done_at": None,
    }
    covered = bool(changes.pop("covered", True))
    call = Call(**(values | changes))  # type: ignore[arg-type]
    return ClaimedCall(call=call, lease=Lease(call.id, 1, 1, "dialer"), covered=covered)


class Scene:
    def __init__(self) -> None:
        self.store = NotingStore()
        self.network = ScriptedNetwork()
        self.clock = HandClock()
        self.audio: ScriptedAudio | None = None
        self.clips: Clips = AnyClip()
        self.runner: Runner
        self.control: CallControl
        self.phone: ScriptedPhone
        self.running: asyncio.Task[Ended | None]

        self.recordings: Recordings | None = None
        self.steady: HandClock | None = None

    def start(self, claimed: ClaimedCall | None = None, *, reason: EndReason | None = None) -> None:
        claimed = claimed or claimed_call()
        self.control = CallControl(claimed.lease)
        if reason is not None:
            self.control.stop(reason)
        self.runner = runner = Runner(
            self.store,
            self.network,
            self.clips,
            self.clock,
            new_sip_call_id=lambda: "sip-call-id",
            url_audio=self.audio,
            recordings=self.recordings,
            attempt_clock=None if self.steady is None else lambda: self.steady,
        )
        route = Route(Trunk(name="trunk", host="192.0.2.1"), "Clinic", 30.0)
        self.running = asyncio.create_task(runner.run(claimed, route, self.control))

    async def dialled(self, claimed: ClaimedCall | None = None) -> ScriptedPhone:
        self.start(claimed)
        while not self.network.phones:
            assert not self.running.done()
            await asyncio.sleep(0)
        self.phone = self.network.phones[0]
        await self.phone.dialing.wait()
        return self.phone

    async def answered(self, claimed: ClaimedCall | None = None) -> ScriptedPhone:
        phone = await self.dialled(claimed)
        phone.answer()
        await phone.playing.wait()
        return phone


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    assert all(phone.closed for phone in made.network.phones)


async def test_everything_is_on_disk_before_the_wire_sees_it() -> None:
    async with scene() as stage:
        phone = await stage.dialled()
        assert stage.store.written == ["begin"]
        assert phone.request.caller_name == "Clinic"
        assert phone.request.ring_timeout_s == 30.0
        assert phone.request.sip_call_id == "sip-call-id"
        phone.ring()
        stage.store.before["mark_answered"] = lambda: pytest.fail("audio") if phone.clips else None
        phone.answer()
        await phone.playing.wait()
        assert stage.store.written == ["begin", "mark_ringing", "mark_answered"]
        phone.finish_playing()
        ended = await stage.running
        assert ended is not None
        assert phone.hung_up is EndReason.COMPLETED
        assert ended.outcome == stage.store.outcome
        assert stage.store.decision == Done()
        assert stage.store.outcome.quality == QUALITY
        assert [entry["summary"] for entry in stage.store.arguments["finish"]["trace"]] == ["INVITE", "BYE"]


RATE = Rate(prefix="1", first_pulse_s=30, next_pulse_s=15, first_price=5_000, next_price=2_000)


@pytest.mark.parametrize(
    ("changes", "longest_s"),
    [
        ({"rate": RATE, "reserved": 9_000}, 59.7),
        ({"rate": RATE, "reserved": 8_999}, 44.7),
        ({"rate": RATE, "reserved": 0}, None),
        ({}, None),
    ],
)
async def test_a_call_talks_for_as_long_as_is_reserved_for_it(
    changes: dict[str, object], longest_s: float | None
) -> None:
    async with scene() as stage:
        phone = await stage.answered(claimed_call(**changes))
        assert phone.request.max_talk_s == longest_s
        phone.end(EndReason.CREDIT_USED_UP, HangupBy.SYSTEM)
        await stage.running
        outcome = stage.store.outcome
        assert (outcome.reason, outcome.disposition) == (EndReason.CREDIT_USED_UP, Disposition.ANSWER)
        assert stage.store.decision == Done()


@pytest.mark.parametrize("audio", [{}, {"sound_id": None, "audio_url": URL}])
async def test_a_call_that_is_not_paid_for_is_not_dialled(audio: dict[str, object]) -> None:
    async with scene() as stage:
        stage.start(claimed_call(covered=False, retries=3, interval_minutes=5, **audio))
        await stage.running
        assert (stage.network.phones, stage.store.written) == ([], ["finish"])
        outcome = stage.store.outcome
        assert (outcome.reason, outcome.hangup_by) == (EndReason.NO_CREDIT, HangupBy.SYSTEM)
        assert (outcome.dialing_at, stage.store.decision) == (None, Done())


async def test_times_are_those_of_the_events() -> None:
    async with scene() as stage:
        phone = await stage.dialled()
        stage.clock.now += 10
        phone.ring()
        stage.clock.now += 10
        phone.answer()
        await phone.playing.wait()
        stage.clock.now += 10
        phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        stage.clock.now += 500  # writing down takes its time
        await stage.running
        outcome = stage.store.outcome
        start = 1_000_000
        assert outcome.dialing_at == start
        assert outcome.ringing_at == start + 10
        assert outcome.answered_at == start + 20
        assert outcome.ended_at == start + 30
        assert (outcome.reason, outcome.hangup_by, outcome.played_ms) == (
            EndReason.CALLEE_HUNG_UP,
            HangupBy.CALLEE,
            500,
        )


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000])
async def test_a_clock_that_is_set_during_a_call_makes_it_neither_longer_nor_shorter(jump_ms: int) -> None:
    async with scene() as stage:
        stage.steady = HandClock()
        phone = await stage.answered()
        stage.clock.now += jump_ms
        stage.steady.now += 7_000
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.talk_ms == 7_000


async def test_refused() -> None:
    async with scene() as stage:
        phone = await stage.dialled(claimed_call(retries=1, interval_minutes=5))
        phone.dialed.set_result(BUSY)
        await stage.running
        outcome = stage.store.outcome
        assert (outcome.disposition, outcome.sip_code, outcome.sip_reason) == (
            Disposition.BUSY,
            486,
            "Busy Here",
        )
        assert outcome.hangup_by is HangupBy.CALLEE
        assert outcome.quality is None
        assert stage.store.decision == Retry(outcome.ended_at + 300_000, spends_attempt=True)


async def test_a_200_that_crossed_our_cancel_is_an_answer() -> None:
    async with scene() as stage:
        phone = await stage.dialled(claimed_call(retries=3))
        phone.dialed.set_result(
            NotAnswered(reason=EndReason.RING_TIMEOUT, hangup_by=HangupBy.SYSTEM, picked_up=True)
        )
        await stage.running
        assert stage.store.outcome.disposition is Disposition.ANSWER
        assert stage.store.outcome.answered_at is not None
        assert stage.store.decision == Done()


@pytest.mark.parametrize("changes", [{"sound_id": "missing"}, {"sound_id": None, "ivr_id": "7"}])
async def test_nobody_is_called_to_hear_nothing(changes: dict[str, object]) -> None:
    async with scene() as stage:
        stage.start(claimed_call(retries=3, **changes))
        await stage.running
        assert stage.network.phones == []
        assert stage.store.written == ["finish"]
        assert stage.store.outcome.reason is EndReason.SOUND_MISSING
        assert stage.store.outcome.dialing_at is None
        assert stage.store.decision == Done()


@pytest.mark.parametrize("mine", [True, False])
async def test_while_the_blob_store_is_away_a_call_is_given_back(mine: bool) -> None:
    async with scene() as stage:
        stage.clips = BlobStore()
        stage.store.answers["hold_alike"] = [mine]
        stage.start(claimed_call(retries=0, trunk_faults=3))
        assert await stage.running is None
        assert stage.store.written == ["hold_alike"]
        held = stage.store.arguments["hold_alike"]
        assert held["until"] == stage.clock.now + 2_000
        assert "cannot be reached" in held["why"]
        assert stage.control.lost is not mine
        assert stage.network.phones == []


async def test_a_url_whose_sound_is_in_a_store_that_is_away_is_given_back() -> None:
    async with scene() as stage:
        stage.clips = BlobStore()
        stage.audio = ScriptedAudio(Ready("fetched", 9_999_999))
        stage.start(claimed_call(sound_id=None, audio_url=URL))
        assert await stage.running is None
        assert stage.store.written == ["hold_alike"]


class ScriptedAudio:
    """What is known of each URL, one answer at a time."""

    def __init__(self, *answers: Ready | Unusable | Busy) -> None:
        self.answers = list(answers)

    async def find(self, url: str, account_id: int) -> Ready | Unusable | Busy:
        assert (url, account_id) == (URL, 1)
        return self.answers.pop(0)


async def test_the_sound_behind_a_url_is_played() -> None:
    async with scene() as stage:
        stage.audio = ScriptedAudio(Ready("fetched", 9_999_999))
        phone = await stage.answered(claimed_call(sound_id=None, audio_url=URL))
        assert [str(clip) for clip in phone.clips] == ["/clips/fetched/PCMA.clip"]
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.reason is EndReason.COMPLETED
        assert stage.store.outcome.detail is None


async def test_a_url_that_cannot_be_played_ends_the_call_before_it_is_dialled() -> None:
    async with scene() as stage:
        stage.audio = ScriptedAudio(Unusable("example.com answered HTTP 404 (Not Found).", 9_999_999))
        stage.start(claimed_call(sound_id=None, audio_url=URL, retries=3))
        await stage.running
        assert stage.network.phones == []
        assert stage.store.written == ["finish"]
        outcome = stage.store.outcome
        assert (outcome.disposition, outcome.reason) == (
            Disposition.CHANUNAVAIL,
            EndReason.AUDIO_UNAVAILABLE,
        )
        assert outcome.detail == "example.com answered HTTP 404 (Not Found)."
        assert outcome.dialing_at is None
        assert stage.store.decision == Done()


@pytest.mark.parametrize("mine", [True, False])
async def test_while_its_audio_is_fetched_a_call_is_given_back(mine: bool) -> None:
    async with scene() as stage:
        stage.audio = ScriptedAudio(Busy(1_030_000))
        stage.store.answers["hold"] = [mine]
        stage.start(claimed_call(sound_id=None, audio_url=URL))
        assert await stage.running is None
        assert stage.store.written == ["hold"]
        assert stage.store.arguments["hold"]["until"] == 1_030_000
        assert stage.control.lost is not mine
        assert stage.network.phones == []


async def test_a_cancelled_call_does_not_ask_for_its_audio() -> None:
    async with scene() as stage:
        stage.audio = ScriptedAudio()
        stage.start(claimed_call(sound_id=None, audio_url=URL), reason=EndReason.CANCELLED)
        await stage.running
        assert stage.store.outcome.disposition is Disposition.CANCEL


async def test_without_audio_by_url_such_a_call_ends() -> None:
    async with scene() as stage:
        stage.start(claimed_call(sound_id=None, audio_url=URL))
        await stage.running
        assert stage.store.outcome.reason is EndReason.SOUND_MISSING


async def test_a_sound_that_vanishes_during_the_call_ends_it_with_its_reason() -> None:
    async with scene() as stage:
        phone = await stage.dialled()
        clips = stage_clips(stage)
        clips.gone = True
        phone.answer()
        await stage.running
        assert phone.hung_up is EndReason.SOUND_MISSING
        assert stage.store.outcome.disposition is Disposition.ANSWER


def stage_clips(stage: Scene) -> "VanishingClip":
    clips = VanishingClip()
    stage.runner._clips = clips
    return clips


class VanishingClip(AnyClip):
    gone = False

    async def find(self, sound_id: str, codec: str) -> Any:
        return None if self.gone else await super().find(sound_id, codec)


async def test_digits_are_kept() -> None:
    async with scene() as stage:
        phone = await stage.answered()
        phone.press("1")
        phone.press("#")
        await asyncio.sleep(0)
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.dtmf == "1#"
        assert stage.store.outcome.played_ms == 1000


@pytest.mark.parametrize("moment", ["before", "dialling", "ringing", "talking"])
async def test_a_cancel_at_any_moment(moment: str) -> None:
    async with scene() as stage:
        if moment == "before":
            stage.start(claimed_call(), reason=EndReason.CANCELLED)
        elif moment == "talking":
            await stage.answered()
        else:
            phone = await stage.dialled()
            if moment == "ringing":
                phone.ring()
        stage.control.stop(EndReason.CANCELLED)
        stage.control.stop(EndReason.SHUTDOWN)  # the first reason counts
        await stage.running
        talking = moment == "talking"
        assert stage.store.outcome.reason is EndReason.CANCELLED
        assert stage.store.outcome.disposition is (Disposition.ANSWER if talking else Disposition.CANCEL)
        assert stage.store.decision == Done()
        assert len(stage.network.phones) == (0 if moment == "before" else 1)


async def test_a_cancel_between_the_mark_and_the_invite() -> None:
    async with scene() as stage:
        stage.store.before["begin"] = lambda: stage.control.stop(EndReason.CANCELLED)
        stage.start()
        await stage.running
        assert stage.network.phones[0].hung_up is EndReason.CANCELLED
        assert stage.store.outcome.disposition is Disposition.CANCEL


async def test_at_a_shutdown_a_call_that_was_not_dialled_is_given_back() -> None:
    async with scene() as stage:
        stage.start(reason=EndReason.SHUTDOWN)
        assert await stage.running is None
        assert stage.store.written == ["release"]


@pytest.mark.parametrize("step", ["begin", "mark_answered", "finish"])
async def test_a_lost_lease_ends_the_call_and_nothing_is_written(step: str) -> None:
    async with scene() as stage:
        stage.store.answers[step] = [None if step == "finish" else False]
        stage.network.on_phone = lambda phone: (phone.answer(), phone.finish_playing())  # type: ignore[assignment]
        stage.start()
        assert await stage.running is None
        if step == "finish":
            return
        assert stage.control.lost
        assert "finish" not in stage.store.written
        if step == "mark_answered":
            assert stage.network.phones[0].hung_up is EndReason.INTERRUPTED
            assert stage.network.phones[0].clips == []
        else:
            assert stage.network.phones == []


async def test_a_lease_that_is_lost_in_the_middle() -> None:
    async with scene() as stage:
        phone = await stage.answered()
        stage.control.lose()
        assert phone.hung_up is EndReason.INTERRUPTED
        assert await stage.running is None
        assert "finish" not in stage.store.written


async def test_a_fault_before_the_invite_is_tried_again() -> None:
    async with scene() as stage:
        stage.store.answers["begin"] = [DatabaseUnavailable("away")]
        stage.start()
        await stage.running
        outcome = stage.store.outcome
        assert (outcome.reason, outcome.dialing_at) == (EndReason.INTERNAL_ERROR, None)
        assert isinstance(stage.store.decision, Retry)
        assert not stage.store.decision.spends_attempt


async def test_after_a_fault_in_the_dial_nobody_is_dialled_again() -> None:
    async with scene() as stage:

        def breaks(phone: ScriptedPhone) -> None:
            phone.fault = RuntimeError("a fault of ours")

        stage.network.on_phone = breaks
        stage.start(claimed_call(retries=3))
        await stage.running
        assert stage.store.outcome.reason is EndReason.INTERRUPTED
        assert stage.store.outcome.hangup_by is HangupBy.SYSTEM
        assert stage.store.decision == Done()


async def test_an_answer_that_cannot_be_stored_is_not_played_to() -> None:
    async with scene() as stage:
        stage.store.answers["mark_answered"] = [DatabaseUnavailable("away")]
        phone = await stage.dialled(claimed_call(retries=3))
        phone.answer()
        await stage.running
        assert phone.clips == []
        assert phone.hung_up is EndReason.INTERNAL_ERROR
        assert stage.store.outcome.disposition is Disposition.ANSWER
        assert stage.store.decision == Done()


async def test_an_outcome_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real_sleep(0)

    async with scene() as stage:
        phone = await stage.answered()
        stage.store.answers["finish"] = [DatabaseUnavailable("away")] * 3
        monkeypatch.setattr("outdial.dispatch.runner.asyncio.sleep", sleep)
        phone.finish_playing()
        ended = await stage.running
        assert ended is not None
        assert len([seconds for seconds in slept if seconds]) == 3


async def test_an_outcome_waits_no_longer_than_the_lease() -> None:
    async with scene() as stage:
        phone = await stage.answered()
        stage.store.answers["finish"] = [DatabaseUnavailable("away")]
        stage.store.before["finish"] = stage.control.lose
        phone.finish_playing()
        assert await stage.running is None
        assert "finish" not in stage.store.written


async def test_a_runner_that_is_cancelled_leaves_nobody_on_the_line() -> None:
    stage = Scene()
    phone = await stage.answered()
    stage.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.running
    assert phone.hung_up is EndReason.INTERRUPTED
    assert "finish" not in stage.store.written


async def test_a_runner_that_is_cancelled_before_the_dial() -> None:
    stage = Scene()
    stage.store.answers["begin"] = []
    stage.start()
    await asyncio.sleep(0)
    stage.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.running


async def test_the_trunks_wish_to_rest_is_passed_on() -> None:
    async with scene() as stage:
        phone = await stage.dialled()
        phone.dialed.set_result(
            NotAnswered(reason=EndReason.REJECTED, hangup_by=HangupBy.NETWORK, sip_code=503, retry_after_s=30)
        )
        ended = await stage.running
        assert ended is not None
        assert ended.retry_after_s == 30
        assert ended.outcome.disposition is Disposition.CHANUNAVAIL


class NoAttempts:
    """What nobody asks while no dialer has died."""

    async def add_recording(self, call_id: str, number: int, codec: str, key: str, duration_ms: int) -> bool:
        raise AssertionError("asked about an attempt of a dialer that lives")

    async def is_deleted(self, key: str) -> bool:
        return False


async def test_what_the_callee_says_is_recorded_where_it_is_wanted(tmp_path: Path) -> None:
    async with scene() as stage:
        blobs = Blobs(f"file://{tmp_path}/blobs")
        stage.recordings = recordings = Recordings(tmp_path / "recordings", blobs, NoAttempts(), name="one")
        phone = await stage.answered()
        assert phone.request.record_to is not None
        phone.request.record_to.write_bytes(b"hello" * 80)
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.recording_key == "recordings/request-1-1.alaw"
        assert stage.store.outcome.recorded_ms == 50
        assert stage.store.outcome.detail is None
        assert await recordings.upload_once()
        assert await blobs.get("recordings/request-1-1.alaw") == b"hello" * 80
        recordings.close()


@pytest.mark.parametrize(
    ("recorded_ms", "words"), [(2100, "The recording ends after 2.1 seconds"), (0, "Nothing was recorded")]
)
async def test_a_recording_that_the_disk_cut_is_named_in_the_outcome(recorded_ms: int, words: str) -> None:
    async with scene() as stage:
        phone = await stage.answered()
        phone.recording_cut = RecordingCut(recorded_ms, "No space left on device")
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.reason is EndReason.COMPLETED
        assert stage.store.outcome.detail == f"{words}: No space left on device."


async def test_nothing_is_recorded_unless_it_is_wanted() -> None:
    async with scene() as stage:
        phone = await stage.answered()
        assert phone.request.record_to is None
        phone.finish_playing()
        await stage.running
        assert stage.store.outcome.recording_key is None


async def test_a_number_that_is_not_called_any_more_is_not_dialled() -> None:
    async with scene() as stage:
        stage.store.answers["begin"] = [Dial.SUPPRESSED]
        stage.start()
        ended = await stage.running
        assert ended is not None
        assert (ended.outcome.disposition, ended.outcome.reason) == (Disposition.CANCEL, EndReason.SUPPRESSED)
        assert isinstance(ended.decision, Done)
        assert ended.outcome.dialing_at is None
        assert not stage.network.phones


async def test_a_call_that_the_last_look_gave_back_is_left_alone() -> None:
    async with scene() as stage:
        stage.store.answers["begin"] = [Dial.WAITS]
        stage.start()
        assert await stage.running is None
        assert stage.store.written == ["begin"]
        assert not stage.network.phones


async def test_who_picks_up_after_the_attempt_is_not_called_again() -> None:
    async with scene() as stage:
        phone = await stage.dialled(claimed_call(retries=1, interval_minutes=5))
        phone.dialed.set_result(
            NotAnswered(reason=EndReason.RING_TIMEOUT, hangup_by=HangupBy.SYSTEM, sip_code=487)
        )
        ended = await stage.running
        assert ended is not None
        assert isinstance(ended.decision, Retry)
        assert phone.on_late_answer is not None
        stage.store.answers["answered_late"] = [DatabaseUnavailable("away")]
        phone.on_late_answer()
        assert stage.store.written[-1] == "append_trace"
        assert not await stage.runner.late_answers.write()
        assert await stage.runner.late_answers.write()
        assert stage.store.written[-1] == "answered_late"
        assert stage.store.arguments["answered_late"]["args"] == (stage.control.lease,)
        assert await stage.runner.late_answers.write()
        assert stage.store.written.count("answered_late") == 1


async def test_who_picks_up_while_the_attempt_ends_has_answered() -> None:
    async with scene() as stage:
        phone = await stage.dialled(claimed_call(retries=1, interval_minutes=5))
        phone.dialed.set_result(
            NotAnswered(reason=EndReason.RING_TIMEOUT, hangup_by=HangupBy.SYSTEM, sip_code=487)
        )
        assert phone.on_late_answer is not None
        phone.on_late_answer()
        ended = await stage.running
        assert ended is not None
        assert isinstance(ended.decision, Done)
        assert ended.outcome.disposition is Disposition.ANSWER
