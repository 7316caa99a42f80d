"""One fetch for many calls: over a real database, with fetches that end when the test says."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.storage.world import World
from tests.unit.dispatch.scripted import HandClock

from outdial.dispatch.audio_source import Content, Failed, NotModified
from outdial.dispatch.url_audio import UrlAudio, UrlAudioOptions
from outdial.domain.call import ClaimedCall
from outdial.errors import DatabaseUnavailable
from outdial.storage import audio_urls, held_calls
from outdial.storage.audio_urls import Busy, FetchedSound, Ready, Taken, Unusable
from outdial.storage.database import Database
from outdial.storage.tables import calls

URL = "https://example.com/hello.mp3"
GONE = Failed("example.com answered HTTP 404 (Not Found).", temporary=False)
AWAY = Failed("example.com answered HTTP 503 (Service Unavailable).", temporary=True)


class Fetches:
    """Fetches that wait for their results."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Taken]] = []
        self.results: asyncio.Queue[Content | NotModified | Failed | Exception | None] = asyncio.Queue()
        self.tidied = 0
        self.seconds = 30.0

    def most_s(self, url: str) -> float:
        return self.seconds

    async def fetch(self, url: str, known: Taken, *, sound_id: str) -> Content | NotModified | Failed:
        self.asked.append((url, known))
        result = await self.results.get()
        if isinstance(result, Exception):
            raise result
        return result or content(sound_id)

    async def tidy(self, database: Database, *, now: int) -> None:
        self.tidied += 1


def content(sound_id: str) -> Content:
    return Content(
        FetchedSound(id=sound_id, duration_ms=1, source_format="mp3", bytes=1, etag='"1"', last_modified=None)
    )


class Dialer:
    """What one dialer has of audio by URL."""

    def __init__(self, world: World, name: str, **options: object) -> None:
        self.world = world
        self.name = name
        self.fetches = Fetches()
        self.clock = HandClock(world.now)
        self.number = 0
        self.audio = UrlAudio(
            world.database,
            self.fetches,  # type: ignore[arg-type]
            self.clock,
            new_id=self.new_id,
            options=UrlAudioOptions(**options),  # type: ignore[arg-type]
        )

    def new_id(self) -> str:
        self.number += 1
        return f"{self.name}-{self.number}"

    async def find(self, url: str = URL, account_id: int = 1) -> Ready | Unusable | Busy:
        async with asyncio.timeout(10):
            return await self.audio.find(url, account_id)

    async def find_or_hold(self, claimed: ClaimedCall) -> Ready | Unusable | Busy:
        """As the runner does."""
        assert claimed.call.audio_url is not None
        found = await self.audio.find(claimed.call.audio_url, claimed.call.account_id)
        if isinstance(found, Busy):
            await self.world.database.run(
                held_calls.hold, claimed.lease, claimed.call.audio_url, until=found.until, now=self.clock()
            )
        return found

    async def asked(self, count: int = 1) -> None:
        async with asyncio.timeout(10):
            while len(self.fetches.asked) < count:
                await asyncio.sleep(0.001)

    async def landed(self) -> None:
        async with asyncio.timeout(10):
            while self.audio._flights:
                await asyncio.sleep(0.001)
        await self.world.database.run(lambda conn: None)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with Database(sqlite_url) as database:
        yield await World.make(database)


@pytest.fixture
async def dialer(world: World) -> AsyncIterator[Dialer]:
    made = Dialer(world, "a")
    await made.audio.start()
    yield made
    await made.audio.stop()


def due_times(conn: sa.Connection) -> list[int]:
    return list(conn.scalars(sa.select(calls.c.due_at).order_by(calls.c.seq)))


async def test_many_calls_one_fetch_and_none_of_them_waits_in_line(world: World, dialer: Dialer) -> None:
    await world.queue(300, sound_id=None, audio_url=URL)
    await world.queue(1)
    await world.dialer()
    first = await world.claim("dialer", limit=30)
    found = await asyncio.gather(*map(dialer.find_or_hold, first))
    assert all(isinstance(each, Busy) for each in found)
    [other] = await world.claim("dialer")  # nothing of the URL is in its way
    assert other.call.sound_id == "sound"
    await dialer.asked()
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    assert set(await world.database.read(due_times)) == {world.now}
    again = await world.claim("dialer", limit=1000, free=1000)
    assert len(again) == 300
    assert {await dialer.find_or_hold(each) for each in again} == {Ready("a-1", world.now + 300_000)}
    assert len(dialer.fetches.asked) == 1


async def test_two_dialers_fetch_once(world: World, dialer: Dialer) -> None:
    other = Dialer(world, "b")
    await other.audio.start()
    await world.queue(2, sound_id=None, audio_url=URL)
    await world.dialer()
    [mine, others] = await world.claim("dialer")
    assert isinstance(await dialer.find_or_hold(mine), Busy)
    await dialer.asked()
    assert await other.find_or_hold(others) == Busy(world.now + 35_000)
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    assert set(await world.database.read(due_times)) == {world.now}
    assert await other.find() == await dialer.find() == Ready("a-1", world.now + 300_000)
    assert other.fetches.asked == []
    await other.audio.stop()


async def test_what_is_old_is_asked_for_again_by_its_etag(world: World, dialer: Dialer) -> None:
    await dialer.find()
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    dialer.clock.now += 300_000
    assert isinstance(await dialer.find(), Busy)
    await dialer.asked(2)
    assert dialer.fetches.asked[1] == (URL, Taken("a-1", '"1"', None, 0))
    dialer.fetches.results.put_nowait(NotModified())
    await dialer.landed()
    assert await dialer.find() == Ready("a-1", dialer.clock.now + 300_000)
    dialer.clock.now += 300_000
    await dialer.find()
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    assert await dialer.find() == Ready("a-3", dialer.clock.now + 300_000)


async def test_a_failure_that_stays_is_known_for_a_while(world: World, dialer: Dialer) -> None:
    await world.queue(2, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed, _] = await world.claim("dialer")
    await dialer.find_or_hold(claimed)
    dialer.fetches.results.put_nowait(GONE)
    await dialer.landed()
    assert (await world.database.read(due_times))[0] == world.now
    assert await dialer.find() == Unusable(GONE.problem, world.now + 60_000)
    dialer.clock.now += 60_000
    assert isinstance(await dialer.find(), Busy)
    await dialer.asked(2)


async def test_a_failure_that_may_pass_is_tried_again_a_few_times(world: World, dialer: Dialer) -> None:
    await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    for number, delay_ms in enumerate((2_000, 10_000, 30_000), start=1):
        world.now = dialer.clock.now
        [claimed] = await world.claim("dialer")
        assert claimed.lease.number == 1  # no attempt was spent
        assert isinstance(await dialer.find_or_hold(claimed), Busy)
        dialer.fetches.results.put_nowait(AWAY)
        await dialer.landed()
        assert len(dialer.fetches.asked) == number
        assert await world.database.read(due_times) == [dialer.clock.now + delay_ms]
        assert await dialer.find() == Busy(dialer.clock.now + delay_ms, AWAY.problem)
        dialer.clock.now += delay_ms - 1
        assert isinstance(await dialer.find(), Busy)
        assert len(dialer.fetches.asked) == number
        dialer.clock.now += 1
    await dialer.find()
    dialer.fetches.results.put_nowait(AWAY)
    await dialer.landed()
    assert await dialer.find() == Unusable(AWAY.problem, dialer.clock.now + 60_000)
    assert len(dialer.fetches.asked) == 4


async def test_an_outage_of_ours_is_waited_out_for_a_bounded_time(world: World, dialer: Dialer) -> None:
    out_of_order = Failed("The speech server failed.", temporary=True, wait_s=180.0)
    await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    for delay_ms in (2_000, 10_000, 30_000, 60_000, 60_000, 60_000):
        world.now = dialer.clock.now
        [claimed] = await world.claim("dialer")
        assert claimed.lease.number == 1  # no attempt was spent
        assert isinstance(await dialer.find_or_hold(claimed), Busy)
        dialer.fetches.results.put_nowait(out_of_order)
        await dialer.landed()
        assert await world.database.read(due_times) == [dialer.clock.now + delay_ms]
        dialer.clock.now += delay_ms
    await dialer.find()
    dialer.fetches.results.put_nowait(out_of_order)
    await dialer.landed()
    assert await dialer.find() == Unusable(out_of_order.problem, dialer.clock.now + 60_000)


async def test_a_store_that_is_away_is_waited_for_without_end(world: World, dialer: Dialer) -> None:
    for _ in range(20):
        await dialer.find()
        dialer.fetches.results.put_nowait(Failed.store_away())
        await dialer.landed()
        found = await dialer.find()
        assert isinstance(found, Busy)
        dialer.clock.now = found.until
    await dialer.find()
    dialer.fetches.results.put_nowait(None)  # and it comes back by itself
    await dialer.landed()
    assert isinstance(await dialer.find(), Ready)


async def test_a_fetch_that_takes_too_long(world: World) -> None:
    dialer = Dialer(world, "a", retry_delays_s=())
    dialer.fetches.seconds = 0.05
    await dialer.audio.start()
    await dialer.find()
    await dialer.landed()
    assert await dialer.find() == Unusable(
        "example.com could not be fetched and decoded within 0.05 seconds.", world.now + 60_000
    )
    await dialer.audio.stop()


async def test_calls_are_held_again_while_a_fetch_waits_for_its_turn(world: World) -> None:
    dialer = Dialer(world, "a", at_once=1)
    await dialer.audio.start()
    await dialer.find("https://slow.example/")
    await dialer.asked()
    first = await dialer.find()
    assert first == Busy(world.now + 30_000)
    dialer.clock.now += 29_600
    second = await dialer.find()
    assert second == Busy(dialer.clock.now + 30_000)
    await world.queue(1, sound_id=None, audio_url=URL, due_at=first.until)
    await world.queue(1, sound_id=None, audio_url=URL, due_at=second.until)
    await world.queue(1, sound_id=None, audio_url=URL, due_at=second.until + 1)  # waits for something else
    dialer.fetches.results.put_nowait(None)
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    now = dialer.clock.now
    assert await world.database.read(due_times) == [now, now, second.until + 1]
    await dialer.audio.stop()


async def test_one_accounts_slow_urls_do_not_stop_anothers(world: World) -> None:
    dialer = Dialer(world, "a", at_once=3, of_one_account=2)
    await dialer.audio.start()
    for number in range(10):
        await dialer.find(f"https://slow{number}.example/", account_id=1)
    await dialer.asked(2)
    await dialer.find(URL, account_id=2)
    await dialer.asked(3)
    assert dialer.fetches.asked[-1][0] == URL
    await dialer.audio.stop()


async def test_who_stops_leaves_the_fetch_to_others_at_once(world: World, dialer: Dialer) -> None:
    await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    await dialer.find_or_hold(claimed)
    await dialer.asked()
    await dialer.audio.stop()
    await dialer.audio.stop()
    assert await world.database.read(due_times) == [world.now]
    other = Dialer(world, "b")
    await other.audio.start()
    await other.audio.start()
    await other.find()
    await other.asked()
    await other.audio.stop()
    with pytest.raises(RuntimeError):
        await other.find("https://other.example/")


async def test_a_fault_of_one_url_is_not_the_others(
    world: World, dialer: Dialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dialer.find()
    dialer.fetches.results.put_nowait(ValueError("a fault"))
    await dialer.landed()

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(world.database, "read", away)
        assert isinstance(await dialer.find("https://other.example/"), Busy)
    assert isinstance(await dialer.find("https://third.example/"), Busy)
    await dialer.asked(2)
    # The URL that failed is free again when its time is over.
    dialer.clock.now += 35_000
    await dialer.find()
    await dialer.asked(3)


async def test_a_result_that_comes_too_late_changes_nothing(world: World, dialer: Dialer) -> None:
    await dialer.find()
    await dialer.asked()
    later = world.now + 40_000
    taken = await world.database.run(audio_urls.take, URL, fetcher="b", now=later, busy_until=later + 1)
    assert isinstance(taken, Taken)
    dialer.fetches.results.put_nowait(None)
    await dialer.landed()
    assert await world.database.read(audio_urls.look, URL, now=later) == Busy(later + 1)


async def test_little_is_remembered(dialer: Dialer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("outdial.dispatch.url_audio._MOST_REMEMBERED", 2)
    for number in range(5):
        await dialer.find(f"https://example.com/{number}")
        dialer.fetches.results.put_nowait(None)
        await dialer.landed()
    assert len(dialer.audio._known) <= 2
    assert dialer.fetches.tidied == 1
