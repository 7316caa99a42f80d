"""Prompts: stored once by their content, and as long as somebody may need them."""

from outdial.domain.prompt import Prompt
from outdial.storage import audio_urls, prompts
from outdial.storage.audio_urls import FetchedSound, Taken
from tests.storage.world import World

HELLO = Prompt(voice="pico:en-US", parts=("Hello.", 500, "नमस्ते"), tries=2, delay_ms=300)
OTHER = Prompt(voice="pico:en-US", parts=("Good bye.",))


async def test_a_prompt_comes_back_as_it_was(world: World) -> None:
    await world.database.run(prompts.put, [HELLO, HELLO, OTHER], now=1)
    await world.database.run(prompts.put, [HELLO], now=2)
    assert await world.database.read(prompts.get, HELLO.key) == HELLO
    assert await world.database.read(prompts.get, "nothing") is None


async def test_a_prompt_goes_when_nobody_asks_any_more_and_no_call_waits_for_it(world: World) -> None:
    run = world.database.run
    await run(prompts.put, [HELLO, OTHER], now=100)
    await world.queue(audio_url=HELLO.address)
    assert await run(prompts.delete_unused, asked_before=100) == 0
    assert await run(prompts.delete_unused, asked_before=101) == 1
    assert await run(prompts.get, HELLO.key) == HELLO
    assert await run(prompts.get, OTHER.key) is None


async def test_asking_again_keeps_a_prompt(world: World) -> None:
    await world.database.run(prompts.put, [HELLO], now=100)
    await world.database.run(prompts.put, [HELLO], now=200)
    assert await world.database.run(prompts.delete_unused, asked_before=150) == 0


async def _sound(world: World, address: str, sound_id: str, *, now: int, seconds: int = 1) -> None:
    sound = FetchedSound(
        id=sound_id, duration_ms=seconds * 1000, source_format="x", bytes=1, etag=None, last_modified=None
    )
    run = world.database.run
    taken = await run(audio_urls.take, address, fetcher=sound_id, now=now, busy_until=now + 1)
    assert isinstance(taken, Taken)
    assert await run(audio_urls.replace, address, sound, fetcher=sound_id, now=now, fresh_until=now + 10)


async def test_prompts_may_be_forgotten_earlier_than_urls(world: World) -> None:
    await _sound(world, HELLO.address, "spoken", now=100)
    await _sound(world, "https://example.com/a.mp3", "fetched", now=100)
    run = world.database.run
    await run(audio_urls.forget_unused, now=300, checked_before=200, scheme="speech:")
    assert await run(audio_urls.replaced, before=301) == ["spoken"]
    assert isinstance(await run(audio_urls.take, HELLO.address, fetcher="x", now=301, busy_until=302), Taken)
    await run(audio_urls.forget_unused, now=300, checked_before=200)
    assert sorted(await run(audio_urls.replaced, before=301)) == ["fetched", "spoken"]


async def test_beyond_the_limit_of_bytes_what_was_checked_the_longest_ago_goes(world: World) -> None:
    for number in range(4):
        await _sound(world, f"speech:{number}", f"sound-{number}", now=100 + number)
    run = world.database.run
    await run(audio_urls.forget_excess, now=300, most_bytes=5 << 30)
    await run(audio_urls.forget_excess, now=300, most_bytes=4 * 24_000)
    assert await run(audio_urls.replaced, before=301) == []
    await run(audio_urls.forget_excess, now=300, most_bytes=2 * 24_000 + 23_999)
    assert sorted(await run(audio_urls.replaced, before=301)) == ["sound-0", "sound-1"]
    # What somebody is at just now stays.
    await run(audio_urls.take, "speech:2", fetcher="x", now=300, busy_until=400)
    await run(audio_urls.forget_excess, now=301, most_bytes=0)
    assert sorted(await run(audio_urls.replaced, before=302)) == ["sound-0", "sound-1", "sound-3"]
