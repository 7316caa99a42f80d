"""Rooms on scripted phones: who hears whom, who hears music, and how each stay ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.dispatch.scripted import ScriptedPhone, ScriptedTracer

from outdial.dispatch.conferences import Conferences, Seat
from outdial.dispatch.prompt_audio import CannotPlay
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason, HangupBy
from outdial.flow.actions import JoinConference
from outdial.flow.events import ConferenceLeft, Event
from outdial.flow.speakable import Text
from outdial.telephony.leg_values import PlayResult

MUSIC = (Text("music", "en", None),)


class Callee(ScriptedPhone):
    beside = True

    async def play(self, clips: Any) -> PlayResult:
        self.played = asyncio.get_running_loop().create_future()
        return await super().play(clips)

    def is_beside(self, other: object) -> bool:
        return self.beside

    @property
    def hears_music(self) -> bool:
        return self.playing.is_set() and not self.played.done()


class Store:
    def __init__(self) -> None:
        self.ours = True
        self.closed: list[str] = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def run(self, fn: Any, *args: Any, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        await self.answering.wait()
        return self.ours

    run_patiently = run

    def post(self, fn: Any, account_id: int, room: str, *, dialer_id: str) -> None:
        self.closed.append(room)


class Prompts:
    async def clips_of(self, prompt: Any, codec: str, account_id: int) -> list[Path]:
        if prompt != MUSIC:
            raise CannotPlay("no voice")
        return [Path("music")]


@dataclass
class Someone:
    phone: Callee
    seat: Seat
    stay: asyncio.Task[None]
    events: list[Event]
    notes: list[str]

    async def left(self) -> str:
        async with asyncio.timeout(5):
            await self.stay
        (event,) = self.events
        assert isinstance(event, ConferenceLeft)
        assert (self.phone.room, self.phone.hears_music) == (None, False)
        return event.outcome


@dataclass
class Building:
    store: Store = field(default_factory=Store)
    stays: list[asyncio.Task[None]] = field(default_factory=list)
    now: int = 1_000

    def __post_init__(self) -> None:
        self.conferences = Conferences(cast("Any", self.store))

    async def come(
        self, *, account_id: int = 1, beside: bool = True, settled: bool = True, **changes: Any
    ) -> Someone:
        values: dict[str, Any] = {
            "conference_id": "c/1/conference",
            "room": "r",
            "moderator": False,
            "wait_for_moderator": False,
            "muted": False,
            "music": MUSIC,
            "most": 10,
        }
        phone = Callee(cast("Any", None), ScriptedTracer())
        phone.beside = beside
        events: list[Event] = []
        notes: list[str] = []
        seat = Seat(
            action=JoinConference(**(values | changes)),
            phone=phone,
            codec="PCMA",
            account_id=account_id,
            lease=Lease("r:1", 1, 1, "d"),
            prompts=cast("Any", Prompts()),
            clock=lambda: self.now,
            give=events.append,
            note=notes.append,
        )
        stay = asyncio.ensure_future(self.conferences.attend(seat))
        self.stays.append(stay)
        await (turns() if settled else asyncio.sleep(0))
        return Someone(phone, seat, stay, events, notes)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def building() -> AsyncIterator[Building]:
    made = Building()
    yield made
    for stay in made.stays:
        stay.cancel()


async def test_who_is_alone_hears_music_and_two_hear_each_other(building: Building) -> None:
    first = await building.come()
    assert (first.phone.room, first.phone.hears_music) == (None, True)
    second = await building.come(muted=True)
    assert first.phone.room == second.phone.room is not None
    assert not first.phone.hears_music
    second.seat.leave()
    assert await second.left() == "left"
    await turns()
    assert (first.phone.room, first.phone.hears_music) == (None, True)
    assert building.store.closed == []
    first.phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
    assert await first.left() == "left"
    assert building.store.closed == ["r"]


async def test_the_same_name_in_another_account_is_another_room(building: Building) -> None:
    first, other = await building.come(), await building.come(account_id=2)
    assert first.phone.room is other.phone.room is None
    third = await building.come(account_id=2)
    assert first.phone.room is None
    assert other.phone.room == third.phone.room is not None


async def test_who_waits_for_a_moderator_hears_nobody_until_one_has_come(building: Building) -> None:
    waiting = [await building.come(wait_for_moderator=True) for _ in range(2)]
    assert [each.phone.hears_music for each in waiting] == [True, True]
    moderator = await building.come(moderator=True)
    assert len({each.phone.room for each in (*waiting, moderator)} - {None}) == 1
    another = await building.come(moderator=True)
    moderator.seat.leave()
    assert await moderator.left() == "left"
    assert waiting[0].phone.room is not None
    another.seat.leave()
    assert await another.left() == "left"
    assert [await each.left() for each in waiting] == ["ended", "ended"]
    assert building.store.closed == ["r"]


async def test_who_does_not_wait_talks_while_others_wait(building: Building) -> None:
    waiting = await building.come(wait_for_moderator=True)
    first, second = await building.come(), await building.come()
    assert (waiting.phone.room, waiting.phone.hears_music) == (None, True)
    assert first.phone.room == second.phone.room is not None


async def test_a_room_is_not_given_up_while_somebody_is_on_the_way_to_it(building: Building) -> None:
    last = await building.come()
    building.store.answering.clear()
    comes = await building.come()
    last.seat.leave()
    assert await last.left() == "left"
    assert building.store.closed == []
    building.store.answering.set()
    another = await building.come()
    assert comes.phone.room == another.phone.room is not None


async def test_who_hangs_up_on_the_way_to_a_room_disturbs_nobody(building: Building) -> None:
    first = await building.come()
    heard = first.phone.played
    comes = await building.come(settled=False)
    comes.phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
    assert await comes.left() == "left"
    assert (first.phone.room, first.phone.played, heard.done()) == (None, heard, False)


async def test_who_is_one_too_many_leaves_at_once(building: Building) -> None:
    first, second = await building.come(most=2), await building.come(most=2)
    third = await building.come(most=2)
    assert await third.left() == "full"
    assert first.phone.room == second.phone.room is not None


async def test_a_room_of_another_dialer_cannot_be_joined(building: Building) -> None:
    building.store.ours = False
    someone = await building.come()
    assert await someone.left() == "failed"
    assert "another dialer" in someone.notes[0]


async def test_a_room_of_another_worker_cannot_be_joined(building: Building) -> None:
    first = await building.come()
    someone = await building.come(beside=False)
    assert await someone.left() == "failed"
    assert "media worker" in someone.notes[0]
    assert first.phone.hears_music


async def test_a_worker_that_refuses_ends_the_stay(building: Building) -> None:
    await building.come()
    someone = await building.come()
    assert someone.phone.on_join_failed is not None
    someone.phone.on_join_failed("32 are in the room already")
    assert await someone.left() == "failed"


@pytest.mark.parametrize("music", [(), (Text("unspeakable", "en", None),)], ids=["none", "no voice"])
async def test_without_music_there_is_silence(building: Building, music: Any) -> None:
    first = await building.come(music=music)
    assert not first.phone.hears_music
    assert bool(first.notes) is bool(music)
    await building.come()
    assert first.phone.room is not None


async def test_who_has_hung_up_meanwhile_does_not_come_in(building: Building) -> None:
    phone = (await building.come()).phone
    coming = asyncio.ensure_future(building.come())
    await asyncio.sleep(0)
    someone = await coming
    someone.phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
    assert await someone.left() == "left"
    await turns()
    assert phone.room is None


@pytest.mark.parametrize("when", ["coming", "there"])
async def test_a_stay_that_is_given_up_leaves_no_room_behind(building: Building, when: str) -> None:
    if when == "there":
        someone = await building.come()
    else:
        someone = await building.come(settled=False)
    someone.stay.cancel()
    await asyncio.wait([someone.stay])
    assert building.store.closed == ["r"]


async def test_a_stay_lasts_as_long_as_its_own_clock_says(building: Building) -> None:
    someone = await building.come()
    building.now += 4_000
    someone.seat.leave()
    assert await someone.left() == "left"
    assert someone.events == [ConferenceLeft(5_000, "c/1/conference", "left", 4_000)]
