"""A transfer on scripted phones: who is rung, who hears what, and that nobody is left on the line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.dispatch.scripted import BUSY, ScriptedNetwork, ScriptedPhone, ScriptedTracer
from tests.unit.dispatch.test_lines import lines, trunk
from tests.unit.dispatch.test_runner import claimed_call

from outdial.dispatch.agent_call import Agents
from outdial.dispatch.connecting import Connection
from outdial.dispatch.lines import Lines
from outdial.dispatch.prompt_audio import CannotPlay
from outdial.dispatch.routes import to_line
from outdial.domain.agent_leg import AgentLegOutcome
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason, HangupBy
from outdial.errors import DatabaseUnavailable
from outdial.flow.actions import Connect
from outdial.flow.events import ConnectAnswered, ConnectEnded, Event
from outdial.flow.speakable import Prompt, Text
from outdial.storage import agent_legs, agent_places, attempts
from outdial.storage.agent_legs import Begun, NewLeg
from outdial.storage.agent_places import Full, Refused
from outdial.telephony.leg_values import NotAnswered, PlayResult

ONE, TWO = "12025550151", "12025550152"
WHISPER = (Text("A customer.", "en", None),)


class NoPause(ScriptedPhone):
    """Plays until it is told to stop, as often as it is asked."""

    async def play(self, clips: Any) -> PlayResult:
        self.played = asyncio.get_running_loop().create_future()
        if self.ended.done():
            return PlayResult(0, completed=False)
        return await super().play(clips)

    def send_key(self, digit: str) -> None:
        self.keys += digit


class Network(ScriptedNetwork):
    def new_phone(self, request: Any, *, beside: Any = None) -> tuple[ScriptedPhone, ScriptedTracer]:
        phone = NoPause(request, ScriptedTracer())
        self.phones.append(phone)
        self.on_phone(phone)
        return phone, phone.tracer


turn = partial(asyncio.sleep, 0)


@dataclass
class Store:
    """Answers what the storage would; notes what was written."""

    answers: list[Begun | Full | Refused] = field(default_factory=list)
    wanted: list[NewLeg] = field(default_factory=list)
    ends: dict[int, AgentLegOutcome] = field(default_factory=dict)
    waits: list[int | None] = field(default_factory=list)
    """What each try to begin a leg said that it waited under."""
    left: list[int] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    away: int = 0
    notes_answers: bool = True

    async def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await turn()
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("away")
        if fn is agent_legs.begin:
            self.waits.append(kwargs["wait"])
            if self.answers:
                return self.answers.pop(0)
            self.wanted.append(args[1])
            return Begun(len(self.wanted), None, 0)
        if fn is agent_legs.mark_answered:
            return self.notes_answers
        if fn is agent_legs.finish:
            assert args[1] not in self.ends
            self.ends[args[1]] = args[2]
        return True

    run_patiently = run

    def post(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if fn is agent_places.leave:
            self.left.append(args[0])
        if fn is attempts.append_trace:
            self.trace += [entry["summary"] for entry in args[1]]

    @property
    def reasons(self) -> dict[int, EndReason]:
        return {leg: outcome.reason for leg, outcome in sorted(self.ends.items())}


class Prompts:
    def ringing(self, codec: str) -> list[Path]:
        return [Path("ringing")]

    async def clips_of(self, prompt: Prompt, codec: str, account_id: int) -> list[Path]:
        if prompt == (Text("unspeakable", "en", None),):
            raise CannotPlay("no voice")
        return [Path("whisper" if prompt == WHISPER else "music")]


@dataclass
class Stage:
    network: Network
    store: Store
    callee: NoPause
    lines: Lines = field(default_factory=lambda: lines(trunk(max_concurrent=100)))
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    connection: Connection | None = None
    running: asyncio.Task[None] | None = None
    is_lost: bool = False
    now: int = 1_000
    """By the attempt's clock."""
    time_of_day: int = 1_000

    def begin(self, *to: str, **changes: Any) -> None:
        values: dict[str, Any] = {
            "connect_id": "c/1/connect",
            "to": to,
            "strategy": "sequential",
            "ring_timeout_ms": 20_000,
            "caller_id": None,
            "whisper": (),
            "meanwhile": (),
            "record": False,
            "max_ms": None,
        }
        nothing = cast("Any", None)
        self.connection = Connection(
            action=Connect(**(values | changes)),
            agents=Agents(
                network=self.network,
                store=self.store,
                lines=self.lines,
                clock=lambda: self.time_of_day,
                new_sip_call_id=lambda: "sip",
            ),
            prompts=cast("Any", Prompts()),
            messages=nothing,
            phone=self.callee,
            codec="PCMA",
            call=A_CALL,
            lease=Lease("r:1", 1, 1, "d"),
            trunk=to_line(trunk()),
            is_lost=lambda: self.is_lost,
            clock=lambda: self.now,
            give=self.events.append,
            note=self.notes.append,
        )
        self.running = asyncio.ensure_future(self.connection.run())

    async def phone(self, index: int) -> NoPause:
        async with asyncio.timeout(5):
            while len(self.network.phones) <= index:
                await asyncio.sleep(0)
            await self.network.phones[index].dialing.wait()
        return cast("NoPause", self.network.phones[index])

    async def joined(self) -> None:
        async with asyncio.timeout(5):
            while self.callee.room is None:
                await asyncio.sleep(0)

    async def over(self) -> list[Event]:
        assert self.running is not None
        async with asyncio.timeout(5):
            await self.running
        assert self.callee.room is None
        assert all(phone.closed for phone in self.network.phones)
        assert self.lines.legs == 0
        return self.events


A_CALL = claimed_call(id="r:1").call


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage(Network(), Store(), NoPause(cast("Any", None), ScriptedTracer()))
    yield made
    if made.running is not None and not made.running.done():
        made.running.cancel()


def hang_up(phone: ScriptedPhone) -> None:
    phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)


async def test_the_agent_alone_hears_the_whisper_and_the_callee_music_until_they_are_joined(
    stage: Stage,
) -> None:
    stage.begin(ONE, whisper=WHISPER, meanwhile=(Text("music", "en", None),))
    agent = await stage.phone(0)
    await stage.callee.playing.wait()
    assert {clip.name for clip in stage.callee.clips} == {"music"}
    assert (agent.request.codecs, agent.request.caller_number) == (("PCMU", "PCMA"), "12025550199")
    agent.answer()
    await agent.playing.wait()
    assert ([clip.name for clip in agent.clips], agent.room, stage.events) == (["whisper"], None, [])
    agent.finish_playing()
    await stage.joined()
    assert stage.callee.room == agent.room
    assert stage.callee.played.done()
    assert stage.events == [ConnectAnswered(1_000, "c/1/connect", ONE)]
    assert stage.connection is not None
    stage.connection.press("4")
    agent.press("6")
    assert (agent.keys, stage.callee.keys) == ("4", "6")
    hang_up(agent)
    assert (await stage.over())[1:] == [ConnectEnded(1_000, "c/1/connect", "answered", ONE)]
    assert stage.store.reasons == {1: EndReason.CALLEE_HUNG_UP}
    assert not stage.callee.ended.done()


async def test_an_agent_talked_as_long_as_the_attempt_s_clock_says(stage: Stage) -> None:
    stage.begin(ONE)
    agent = await stage.phone(0)
    agent.answer()
    await stage.joined()
    stage.now += 4_000
    stage.time_of_day += 3_604_000
    hang_up(agent)
    assert (await stage.over())[1:] == [ConnectEnded(5_000, "c/1/connect", "answered", ONE, 4_000)]
    assert stage.store.ends[1].talk_ms == 4_000


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (EndReason.RING_TIMEOUT, "no_answer"),
        (EndReason.CALLEE_HUNG_UP, "no_answer"),
        (EndReason.INCOMPATIBLE_MEDIA, "failed"),
    ],
)
async def test_an_agent_who_picked_up_too_late_did_not_answer(
    stage: Stage, reason: EndReason, outcome: str
) -> None:
    stage.begin(ONE)
    agent = await stage.phone(0)
    agent.dialed.set_result(NotAnswered(reason=reason, hangup_by=HangupBy.SYSTEM, picked_up=True))
    assert [each.outcome for each in await stage.over()] == [outcome]
    assert stage.store.ends[1].disposition == "ANSWER"


async def test_one_after_the_other(stage: Stage) -> None:
    stage.begin(ONE, TWO)
    (await stage.phone(0)).dialed.set_result(BUSY)
    (await stage.phone(1)).dialed.set_result(BUSY)
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "busy")]
    assert [each.to for each in stage.store.wanted] == [ONE, TWO]


async def test_two_who_answer_at_the_same_time_are_one_who_has_it_and_one_who_is_hung_up(
    stage: Stage,
) -> None:
    stage.begin(ONE, TWO, strategy="parallel")
    first, second = await stage.phone(0), await stage.phone(1)
    first.answer()
    second.answer()
    await stage.joined()
    winner = next(phone for phone in (first, second) if phone.room is not None)
    loser = second if winner is first else first
    assert (loser.hung_up, loser.room) == (EndReason.CANCELLED, None)
    hang_up(winner)
    assert [type(each) for each in await stage.over()] == [ConnectAnswered, ConnectEnded]
    assert sorted(stage.store.reasons.values()) == ["callee_hung_up", "cancelled"]
    assert {each.disposition for each in stage.store.ends.values()} == {"ANSWER"}


@pytest.mark.parametrize("turns", range(1, 8))
async def test_who_answers_while_another_s_answer_is_written_is_hung_up_and_written(
    stage: Stage, turns: int
) -> None:
    stage.begin(ONE, TWO, strategy="parallel")
    first, second = await stage.phone(0), await stage.phone(1)
    first.answer()
    for _ in range(turns):
        await turn()
    if not second.dialed.done():
        second.answer()
    await stage.joined()
    winner, loser = (first, second) if first.room is not None else (second, first)
    hang_up(winner)
    await stage.over()
    assert sorted(stage.store.ends) == [1, 2]
    assert (loser.hung_up, loser.room) == (EndReason.CANCELLED, None)


async def test_who_answers_after_another_is_hung_up(stage: Stage) -> None:
    stage.begin(ONE, TWO, strategy="parallel", whisper=WHISPER)
    first, second = await stage.phone(0), await stage.phone(1)
    first.answer()
    await first.playing.wait()
    assert second.hung_up is EndReason.CANCELLED
    hang_up(first)
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "no_answer")]


@pytest.mark.parametrize("when", ["ringing", "whisper", "talking"])
async def test_a_callee_who_hangs_up_leaves_no_agent_on_the_line(stage: Stage, when: str) -> None:
    stage.begin(ONE, TWO, whisper=WHISPER)
    agent = await stage.phone(0)
    if when != "ringing":
        agent.answer()
        await agent.playing.wait()
    if when == "talking":
        agent.finish_playing()
        await stage.joined()
    hang_up(stage.callee)
    await stage.over()
    assert agent.hung_up is (EndReason.COMPLETED if when == "talking" else EndReason.CANCELLED)
    assert len(stage.network.phones) == 1
    assert len(stage.store.ends) == 1


@pytest.mark.parametrize("turns", range(6))
async def test_a_callee_who_hangs_up_before_the_agent_is_dialled_has_nobody_rung(
    stage: Stage, turns: int
) -> None:
    """The place and the money are taken meanwhile: the phone is there when all is over."""
    stage.begin(ONE)
    for _ in range(turns):
        await turn()
    hang_up(stage.callee)
    await stage.over()
    assert [phone.hung_up for phone in stage.network.phones] in ([], [EndReason.CANCELLED])
    assert len(stage.store.ends) == len(stage.store.wanted)


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
async def test_an_agent_whose_answer_cannot_be_noted_is_hung_up(stage: Stage, strategy: str) -> None:
    """The lease is another dialer's by now, or the database is away: nobody talks of whom there is no row."""
    stage.store.notes_answers = False
    stage.begin(ONE, strategy=strategy)
    agent = await stage.phone(0)
    agent.answer()
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "failed")]
    assert (agent.hung_up, agent.room) == (EndReason.INTERRUPTED, None)
    assert list(stage.store.ends) == [1]


async def test_they_are_parted_when_the_time_is_over(stage: Stage) -> None:
    stage.begin(ONE, max_ms=1)
    agent = await stage.phone(0)
    agent.answer()
    assert isinstance((await stage.over())[1], ConnectEnded)
    assert agent.hung_up is EndReason.COMPLETED
    assert not stage.callee.ended.done()


async def test_legs_that_cannot_be_joined_are_told_apart_from_a_talk(stage: Stage) -> None:
    stage.begin(ONE)
    agent = await stage.phone(0)
    agent.answer()
    await stage.joined()
    assert agent.on_join_failed is not None
    agent.on_join_failed("32 are in the room already")
    assert (await stage.over())[1] == ConnectEnded(1_000, "c/1/connect", "failed")
    assert stage.notes == ["the two could not be joined: 32 are in the room already"]


async def test_a_whisper_that_cannot_be_spoken_does_not_keep_them_apart(stage: Stage) -> None:
    stage.begin(ONE, whisper=(Text("unspeakable", "en", None),))
    agent = await stage.phone(0)
    agent.answer()
    await stage.joined()
    assert stage.notes == ["the whisper could not be played: no voice"]
    hang_up(agent)
    await stage.over()


FULL = "the trunk carrier has 2 calls in progress, as many as it may (max_concurrent)"


async def test_a_full_trunk_is_waited_for_a_little(stage: Stage) -> None:
    stage.store.answers = [Full(1_010, FULL, 7), Full(1_020, FULL, 7)]
    stage.begin(ONE)
    (await stage.phone(0)).dialed.set_result(BUSY)
    await stage.over()
    assert (stage.store.waits, stage.store.left, stage.notes) == ([None, 7, 7], [], [])


async def test_an_agent_is_waited_for_no_longer_when_the_clock_is_set_back(stage: Stage) -> None:
    stage.store.answers = [Full(1_001 + n, FULL, 7) for n in range(20)]
    stage.begin(ONE)
    while not stage.store.waits:
        await asyncio.sleep(0)
    stage.now += 6_000
    stage.time_of_day -= 3_600_000
    stage.store.answers = [Full(stage.time_of_day + 1, FULL, 7) for n in range(20)]
    assert await stage.over() == [ConnectEnded(7_000, "c/1/connect", "failed")]
    assert stage.store.left == [7]


@pytest.mark.parametrize(
    ("answers", "to", "why"),
    [
        ([Full(1_000_000, FULL, 7)], ONE, f"{ONE} was not called: {FULL}"),
        ([Refused("the balance does not cover the call to the agent")], ONE, "balance"),
        ([], "reception", "reception cannot be called"),
    ],
    ids=["full", "money", "no number"],
)
async def test_who_cannot_be_called_is_named(stage: Stage, answers: list[Any], to: str, why: str) -> None:
    stage.store.answers = list(answers)
    stage.begin(to)
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "failed")]
    assert why in stage.notes[0]
    assert stage.store.trace == [f"agent {stage.notes[0]}"]
    assert stage.network.phones == []
    assert stage.store.left == [each.wait for each in answers if isinstance(each, Full)]


async def test_an_agent_has_a_place_in_its_dialer_before_a_call_that_is_queued(stage: Stage) -> None:
    stage.lines.most = 2
    for _ in range(2):
        stage.lines.take(A_CALL, 0.0)
    told = asyncio.Event()
    stage.lines.on_room = told.set
    stage.begin(ONE)
    while not stage.lines.agents_waiting:
        await asyncio.sleep(0)
    stage.lines.release(A_CALL, None, 0.0)
    assert stage.lines.room() == 0
    agent = await stage.phone(0)
    assert stage.lines.legs == 2
    agent.dialed.set_result(BUSY)
    assert stage.running is not None
    async with asyncio.timeout(5):
        await stage.running
    assert told.is_set()
    assert (stage.lines.legs, stage.lines.room()) == (1, 1)


async def test_a_dialer_that_is_full_calls_no_agent_and_says_so(stage: Stage) -> None:
    stage.lines.most = 0
    stage.begin(ONE, ring_timeout_ms=0)
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "failed")]
    full = "this dialer has 0 calls in progress, as many as it may (dispatch.max_concurrent)"
    assert stage.notes == [f"{ONE} was not called: {full}"]


async def test_whoever_stops_the_conversation_frees_the_places(stage: Stage) -> None:
    stage.begin(ONE)
    await stage.phone(0)
    assert stage.lines.legs == 1
    assert stage.running is not None
    stage.running.cancel()
    await asyncio.wait([stage.running])
    assert stage.lines.legs == 0


@pytest.mark.parametrize("when", ["ringing", "talking"])
async def test_a_fault_in_the_conversation_leaves_no_agent_on_the_line_and_no_port_taken(
    stage: Stage, when: str
) -> None:
    stage.begin(ONE)
    agent = await stage.phone(0)
    if when == "talking":
        agent.answer()
        await stage.joined()
    assert stage.running is not None
    stage.running.cancel()
    await asyncio.wait([stage.running])
    assert agent.hung_up is EndReason.INTERRUPTED
    assert agent.closed


async def test_the_end_of_a_leg_is_not_written_for_ever_where_its_call_is_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_pause(_: float) -> None:
        stage.is_lost = True

    stage.begin(ONE)
    agent = await stage.phone(0)
    stage.store.away = 1_000_000
    monkeypatch.setattr("outdial.dispatch.agent_call.asyncio.sleep", no_pause)
    agent.dialed.set_result(BUSY)
    assert await stage.over() == [ConnectEnded(1_000, "c/1/connect", "busy")]


async def test_a_fault_with_an_agent_does_not_cost_the_callee_the_call(stage: Stage) -> None:
    def break_it(phone: ScriptedPhone) -> None:
        phone.fault = RuntimeError("a fault of ours")

    stage.network.on_phone = break_it
    stage.begin(ONE)
    assert stage.running is not None
    async with asyncio.timeout(5):
        await stage.running
    assert stage.events == [ConnectEnded(1_000, "c/1/connect", "failed")]
    assert "fault of ours" in stage.notes[0]
    assert stage.network.phones[0].hung_up is EndReason.INTERNAL_ERROR
    assert stage.network.phones[0].closed


@pytest.mark.parametrize(
    ("code", "phrase", "note"),
    [
        (488, "Not Acceptable Here", "488 Not Acceptable Here (agents are offered PCMU and PCMA alone)"),
        (503, "Service Unavailable", "503 Service Unavailable"),
    ],
)
async def test_the_author_reads_why_an_agent_was_not_reached(
    stage: Stage, code: int, phrase: str, note: str
) -> None:
    stage.begin(ONE)
    refusal = NotAnswered(
        reason=EndReason.REJECTED, hangup_by=HangupBy.CALLEE, sip_code=code, sip_reason=phrase
    )
    (await stage.phone(0)).dialed.set_result(refusal)
    await stage.over()
    assert stage.notes == [f"{ONE} was not reached: {note}"]
