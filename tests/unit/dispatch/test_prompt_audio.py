"""Clips of prompts while what they need is away: the flow goes on, the call is not lost."""

from pathlib import Path
from typing import Any, cast

import pytest

from outdial.dispatch.prompt_audio import CannotPlay, PromptAudio
from outdial.errors import BlobsUnavailable, DatabaseUnavailable
from outdial.flow.speakable import Sound, Text
from outdial.speech.engine import Voice
from outdial.storage.audio_urls import Ready

HELLO = Text("Hello.", "en", None)


class Voices:
    def choose(self, language: str) -> Voice:
        return Voice("pico", "en-US", "en-US", "female")

    def revision_of(self, voice: Voice) -> str:
        return "1"


class Rendered:
    async def find(self, url: str, account_id: int) -> Ready:
        return Ready("sound", 0)


class Store:
    def __init__(self) -> None:
        self.away = False
        self.writes = 0

    async def run(self, *_: Any, **__: Any) -> None:
        if self.away:
            raise DatabaseUnavailable("away")
        self.writes += 1


class Clips:
    away = False

    async def find(self, sound_id: str, codec: str) -> Path:
        if self.away:
            raise BlobsUnavailable("the blob store refused it")
        return Path(sound_id)


@pytest.fixture
def parts() -> tuple[PromptAudio, Store, Clips]:
    store, clips = Store(), Clips()
    anything: Any = store
    nothing, voices = cast("Any", None), cast("Any", Voices())
    return PromptAudio(anything, clips, Rendered(), voices, nothing, lambda: 5_000_000), store, clips


async def test_a_text_is_stored_once_and_then_needs_no_database(parts: Any) -> None:
    audio, store, _ = parts
    for _ in range(3):
        assert await audio.clips_of((HELLO,), "PCMA", 1) == [Path("sound")]
        store.away = True
    assert store.writes == 1


async def test_a_database_that_is_away_costs_a_prompt_and_not_the_call(parts: Any) -> None:
    audio, store, _ = parts
    store.away = True
    with pytest.raises(CannotPlay, match="away"):
        await audio.clips_of((HELLO,), "PCMA", 1)


async def test_a_blob_store_that_is_away_costs_a_prompt_and_not_the_call(parts: Any) -> None:
    audio, _, clips = parts
    clips.away = True
    with pytest.raises(CannotPlay, match="refused"):
        await audio.clips_of((Sound("sound"),), "PCMA", 1)
