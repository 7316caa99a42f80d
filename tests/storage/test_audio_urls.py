"""Audio by URL: one fetch at a time, what it found is good for everybody for a while."""

import asyncio
from dataclasses import replace

import pytest

from outdial.storage import audio_urls
from outdial.storage.audio_urls import Busy, FetchedSound, Ready, Taken, Unusable
from tests.storage.world import World

URL = "https://example.com/hello.mp3"
SOUND = FetchedSound(
    id="sound-1", duration_ms=1200, source_format="mp3", bytes=20_000, etag='"1"', last_modified="Mon"
)
FIRST = Taken(None, None, None, 0)


async def take(world: World, fetcher: str, *, now: int = 100, until: int = 200, url: str = URL) -> object:
    return await world.database.run(audio_urls.take, url, fetcher=fetcher, now=now, busy_until=until)


async def test_of_many_who_ask_one_fetches(world: World) -> None:
    found = await asyncio.gather(*(take(world, f"f{number}") for number in range(20)))
    assert found.count(FIRST) == 1
    assert found.count(Busy(200)) == 19
    assert await take(world, "other", url=f"{URL}?2") == FIRST


async def test_a_fetch_that_takes_too_long_is_somebody_elses(world: World) -> None:
    run = world.database.run
    await take(world, "a")
    assert await take(world, "b", now=199) == Busy(200)
    assert await take(world, "b", now=200, until=300) == FIRST
    assert not await run(audio_urls.replace, URL, SOUND, fetcher="a", now=210, fresh_until=500)
    assert not await run(audio_urls.keep, URL, fetcher="a", now=210, fresh_until=500)
    assert not await run(audio_urls.fail, URL, "no", fetcher="a", now=210, fresh_until=500)
    assert not await run(audio_urls.retry, URL, "no", fetcher="a", now=210, retry_at=500)
    assert await take(world, "c", now=210) == Busy(300)
    assert await run(audio_urls.replace, URL, SOUND, fetcher="b", now=211, fresh_until=500)
    assert await take(world, "c", now=211) == Ready("sound-1", 500)


async def test_what_was_fetched_is_looked_at_again_when_it_is_old(world: World) -> None:
    run = world.database.run
    await take(world, "a")
    await run(audio_urls.replace, URL, SOUND, fetcher="a", now=110, fresh_until=500)
    assert await take(world, "b", now=499) == Ready("sound-1", 500)
    assert await take(world, "b", now=500, until=600) == Taken("sound-1", '"1"', "Mon", 0)
    assert await run(audio_urls.keep, URL, fetcher="b", now=510, fresh_until=900)
    assert await take(world, "c", now=899) == Ready("sound-1", 900)
    assert await run(audio_urls.replaced, before=10_000) == []
    await take(world, "c", now=900, until=1000)
    changed = replace(SOUND, id="sound-2", etag=None, last_modified=None)
    assert await run(audio_urls.replace, URL, changed, fetcher="c", now=910, fresh_until=1500)
    assert await take(world, "d", now=1500, until=1600) == Taken("sound-2", None, None, 0)
    assert await run(audio_urls.replaced, before=910) == []
    assert await run(audio_urls.replaced, before=911) == ["sound-1"]


async def test_failures(world: World) -> None:
    run = world.database.run
    await take(world, "a")
    assert await run(audio_urls.retry, URL, "It was away.", fetcher="a", now=110, retry_at=1110)
    assert await take(world, "b", now=1109) == Busy(1110, "It was away.")
    assert await world.database.read(audio_urls.look, URL, now=1109) == Busy(1110, "It was away.")
    assert await world.database.read(audio_urls.look, URL, now=1110) is None
    assert await take(world, "b", now=1110, until=1200) == Taken(None, None, None, 1)
    assert await run(audio_urls.fail, URL, "It is gone.", fetcher="b", now=1120, fresh_until=2000)
    assert await take(world, "c", now=1999) == Unusable("It is gone.", 2000)
    assert await take(world, "c", now=2000, until=2100) == FIRST
    assert await run(audio_urls.replace, URL, SOUND, fetcher="c", now=2010, fresh_until=3000)
    assert await take(world, "d", now=2011) == Ready("sound-1", 3000)
    assert await take(world, "d", now=3000, until=3100) == Taken("sound-1", '"1"', "Mon", 0)
    await run(audio_urls.fail, URL, "It is gone.", fetcher="d", now=3010, fresh_until=4000)
    assert await take(world, "e", now=3011) == Unusable("It is gone.", 4000)


async def test_whoever_stops_lets_go(world: World) -> None:
    await take(world, "a")
    await take(world, "b", url="http://other/")
    await world.database.run(audio_urls.give_up, "a")
    assert await take(world, "c", until=300) == FIRST
    assert await take(world, "c", url="http://other/") == Busy(200)


@pytest.mark.parametrize("used", [True, False])
async def test_what_nobody_asks_for_is_forgotten(world: World, used: bool) -> None:
    run = world.database.run
    await take(world, "a")
    await run(audio_urls.replace, URL, SOUND, fetcher="a", now=110, fresh_until=500)
    if used:
        await take(world, "b", now=600, until=700)
        await run(audio_urls.keep, URL, fetcher="b", now=610, fresh_until=900)
    await run(audio_urls.forget_unused, now=2000, checked_before=600)
    assert await run(audio_urls.delete_unused, now=2000, checked_before=600) == 0
    if used:
        assert await run(audio_urls.replaced, before=9999) == []
        assert await take(world, "c", now=899) == Ready("sound-1", 900)
        return
    assert await run(audio_urls.replaced, before=9999) == ["sound-1"]
    await run(audio_urls.delete_sounds, ["sound-1"])
    assert await run(audio_urls.delete_unused, now=2000, checked_before=600) == 1
    assert await take(world, "c", now=2000) == FIRST
