"""Prompts become sounds: once for all dialers, stored like uploads, and every failure is a sentence."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from math import inf
from pathlib import Path

import pytest
from tests.storage.world import World
from tests.unit.dispatch.scripted import HandClock

from outdial.audio.clip import CODECS
from outdial.dispatch.audio_source import AudioSources, Content, Failed, NotModified
from outdial.dispatch.prompt_rendering import PromptRendering, PromptRenderingOptions
from outdial.dispatch.url_audio import UrlAudio
from outdial.domain.prompt import Prompt
from outdial.errors import BlobsUnavailable, SpeechAway, SpeechFailed, Unspeakable
from outdial.speech.engine import Voice
from outdial.speech.voices import Voices
from outdial.speech.wav import write_wav
from outdial.storage import audio_urls, prompts
from outdial.storage.audio_urls import Busy, FetchedSound, Ready, Taken, Unusable
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.sounds import clip_key

HELLO = Prompt(voice="fake:a", parts=("Hello.", 200, "Bye."))
FIRST = Taken(None, None, None, 0)
DAY_MS = 86_400_000


class FakeEngine:
    """Says a tone for every text; what it said is counted."""

    name = "fake"
    revision = "1"
    voices: Sequence[Voice] = (Voice("fake", "a", "en", "neutral"),)

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fails: list[Exception] = []
        self.hangs = False

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        self.said.append(text)
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails.pop(0)
        samples = b"".join(
            (8_000 if at // 20 % 2 else -8_000).to_bytes(2, "little", signed=True) for at in range(8_000)
        )
        await asyncio.to_thread(write_wav, out, samples, 16_000)


class Dialer:
    """What one dialer has to render prompts."""

    def __init__(self, world: World, folder: Path, name: str) -> None:
        self.world = world
        self.engine = FakeEngine()
        self.blobs = Blobs(f"file://{folder}/blobs")
        self.work = folder / "work" / name
        self.rendering = PromptRendering(
            world.database, Voices([self.engine]), self.blobs, PromptRenderingOptions(work_dir=self.work)
        )
        numbers = iter(range(1_000))
        self.audio = UrlAudio(
            world.database,
            AudioSources(self.rendering, self.rendering),
            HandClock(world.now),
            new_id=lambda: f"{name}-{next(numbers)}",
        )

    async def find(self, prompt: Prompt) -> Ready | Unusable | Busy:
        return await self.audio.find(prompt.address, 1)

    async def landed(self) -> None:
        async with asyncio.timeout(30):
            while self.audio._flights:
                await asyncio.sleep(0.001)
        await self.world.database.run(lambda conn: None)  # what it found is written after it landed


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with Database(sqlite_url) as database:
        world = await World.make(database)
        await database.run(prompts.put, [HELLO], now=world.now)
        yield world


@pytest.fixture
def dialer(world: World, tmp_path: Path) -> Dialer:
    return Dialer(world, tmp_path, "a")


async def test_two_dialers_and_many_calls_render_a_prompt_once(world: World, tmp_path: Path) -> None:
    dialers = [Dialer(world, tmp_path, name) for name in ("a", "b")]
    for each in dialers:
        await each.audio.start()
    try:
        found = await asyncio.gather(*(each.find(HELLO) for each in dialers for _ in range(20)))
        assert all(isinstance(known, Busy) for known in found)
        for each in dialers:
            await each.landed()
        for each in dialers:
            await each.find(HELLO)
            await each.landed()
        [first, second] = [await each.find(HELLO) for each in dialers]
        assert isinstance(first, Ready)
        assert isinstance(second, Ready)
        assert first.sound_id == second.sound_id
        assert sorted(text for each in dialers for text in each.engine.said) == ["Bye.", "Hello."]
        for codec in CODECS:
            assert (await dialers[0].blobs.local_path(clip_key(first.sound_id, codec))).is_file()
    finally:
        for each in dialers:
            await each.audio.stop()


async def test_a_prompt_that_is_stored_is_not_rendered_again(dialer: Dialer) -> None:
    made = await dialer.rendering.fetch(HELLO.address, FIRST, sound_id="s1")
    assert isinstance(made, Content)
    assert made.sound.source_format == "speech"
    assert made.sound.duration_ms == pytest.approx(1_200, abs=30)
    known = Taken("s1", None, None, 0)
    assert await dialer.rendering.fetch(HELLO.address, known, sound_id="s2") == NotModified()
    assert dialer.engine.said == ["Hello.", "Bye."]
    await dialer.blobs.delete([clip_key("s1", "PCMA")])
    assert isinstance(await dialer.rendering.fetch(HELLO.address, known, sound_id="s2"), Content)
    assert list(dialer.work.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "temporary", "sentence"),
    [
        (Unspeakable("It cannot say this."), False, "It cannot say this."),
        (SpeechFailed("It broke down."), True, "It broke down."),
        (OSError("disk full"), True, "The text could not be spoken for a fault of ours."),
        (SpeechAway("It is out of order."), True, "It is out of order."),
        (BlobsUnavailable("no route to host"), True, "The store of sounds cannot be reached just now."),
    ],
)
async def test_every_failure_is_a_sentence(
    dialer: Dialer, error: Exception, temporary: bool, sentence: str
) -> None:
    dialer.engine.fails.append(error)
    waited: dict[type[Exception], float] = {SpeechAway: 3_600.0, BlobsUnavailable: inf}
    found = await dialer.rendering.fetch(HELLO.address, FIRST, sound_id="s1")
    assert found == Failed(sentence, temporary, waited.get(type(error), 0.0))
    assert list(dialer.work.iterdir()) == []


async def test_an_engine_that_hangs_is_waited_for(world: World, dialer: Dialer) -> None:
    options = PromptRenderingOptions(work_dir=dialer.work, most_s=0.05, wait_s=600.0)
    rendering = PromptRendering(world.database, Voices([dialer.engine]), dialer.blobs, options)
    dialer.engine.hangs = True
    found = await rendering.fetch(HELLO.address, FIRST, sound_id="s1")
    assert found == Failed("The text could not be spoken within 0.05 seconds.", temporary=True, wait_s=600.0)
    assert list(dialer.work.iterdir()) == []


async def test_a_voice_that_this_dialer_does_not_have_is_named(world: World, dialer: Dialer) -> None:
    other = Prompt(voice="kokoro:x", parts=("Hello.",))
    await world.database.run(prompts.put, [other], now=1)
    found = await dialer.rendering.fetch(other.address, FIRST, sound_id="s1")
    assert isinstance(found, Failed)
    assert "no voice 'kokoro:x'" in found.problem
    gone = await dialer.rendering.fetch("speech:0", FIRST, sound_id="s1")
    assert gone == Failed("The text of this prompt is not stored any more.", temporary=False)


async def test_a_slow_prompt_is_told_apart_from_a_slow_host() -> None:
    assert Failed.slow(HELLO.address, 60.0).problem == "The text could not be spoken within 60 seconds."
    assert Failed.slow("https://a.example/x", 30.0).problem.startswith("a.example could not be fetched")


async def test_prompts_that_nobody_asks_for_are_forgotten(world: World, dialer: Dialer) -> None:
    run = world.database.run
    sound = FetchedSound(
        id="s1", duration_ms=1, source_format="speech", bytes=1, etag=None, last_modified=None
    )
    await run(audio_urls.take, HELLO.address, fetcher="f", now=world.now, busy_until=world.now + 1)
    await run(audio_urls.replace, HELLO.address, sound, fetcher="f", now=world.now, fresh_until=world.now + 1)
    await dialer.rendering.tidy(world.database, now=world.now + 6 * DAY_MS)
    assert await world.database.read(prompts.get, HELLO.key) == HELLO
    later = world.now + 8 * DAY_MS
    await dialer.rendering.tidy(world.database, now=later)
    assert await world.database.read(prompts.get, HELLO.key) is None
    assert await world.database.read(audio_urls.replaced, before=later + 1) == ["s1"]
