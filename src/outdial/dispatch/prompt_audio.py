"""From what a flow wants to be heard to clips: sounds are there, URLs are fetched, words are spoken.

What is spoken is kept by its content (`domain.prompt`), so "Your code is" is rendered once for all calls and
only the digits are each call's own.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import assert_never

from outdial.dispatch.clips import Clips
from outdial.dispatch.ports import AudioByUrl, Store
from outdial.dispatch.tones import Tones
from outdial.domain import prompt as spoken
from outdial.errors import OutdialError, StorageError, Unspeakable
from outdial.flow.speakable import (
    Beep,
    Currency,
    Date,
    Digits,
    Item,
    Number,
    Pause,
    Prompt,
    Sound,
    Text,
    Time,
    Url,
)
from outdial.speech.flow_prompt import Spoken, prompt_of
from outdial.speech.voices import Voices
from outdial.storage import prompts
from outdial.storage.audio_urls import Busy, Ready, Unusable

_LONGEST_WAIT_S = 15.0
"""A callee hears silence meanwhile: later than this, the flow goes on without the prompt."""
_LOOK_S = 0.05
_STORED_MS = 3_600_000
"""A text that is asked for is stored anew this often: what nobody asks for goes after some days."""
_MOST_STORED = 20_000


class CannotPlay(OutdialError):  # noqa: N818 - what happened, not a fault
    """Why a prompt cannot be heard, as a sentence for the flow's author."""


class PromptAudio:
    """Makes clips of prompts; one object serves all of a dialer's calls."""

    def __init__(
        self,
        store: Store,
        clips: Clips,
        by_url: AudioByUrl,
        voices: Voices,
        tones: Tones,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._clips = clips
        self._by_url = by_url
        self._voices = voices
        self._tones = tones
        self._clock = clock
        self._stored: dict[str, int] = {}
        """When texts were stored last, by address."""

    async def clips_of(self, prompt: Prompt, codec: str, account_id: int) -> list[Path]:
        """The clips of a prompt, in order. Raises CannotPlay, after 15 seconds at the latest."""
        try:
            await self._addresses(prompt)
            found = await asyncio.gather(*(self._clips_of(item, codec, account_id) for item in prompt))
        except StorageError as error:
            # A database or a blob store that is away costs a callee this prompt, not the call.
            raise CannotPlay(f"what is to be heard cannot be had just now: {error}") from error
        return [clip for clips in found for clip in clips]

    async def prepare(
        self, items: Sequence[Item], account_id: int, codecs: Sequence[str]
    ) -> Busy | str | None:
        """Have spoken and fetched what a call may say: None when all of it is there.

        Otherwise why it never will be, as a sentence, or until when somebody is busy with it. Raises
        BlobsUnavailable where the store cannot say what it has; a sound that it has not is no matter here.
        """
        try:
            addresses = await self._addresses(items)
        except CannotPlay as error:
            return str(error)
        sounds = [item.sound for item in items if isinstance(item, Sound)]
        busy: Busy | None = None
        for address in addresses:
            match await self._by_url.find(address, account_id):
                case Unusable(problem=problem):
                    return problem
                case Ready(sound_id=sound_id):
                    sounds.append(sound_id)
                case Busy() as found if busy is None or found.until > busy.until:
                    busy = found
                case _:
                    pass
        if busy is None:
            for sound in sounds:
                for codec in codecs:
                    await self._clips.find(sound, codec)
        return busy

    async def _addresses(self, items: Sequence[Item]) -> list[str]:
        """Of what is spoken and fetched among `items`; texts that were not stored lately are."""
        now = self._clock()
        spoken_ = {
            prompt.address: prompt
            for prompt in (self._prompt(item) for item in items if isinstance(item, Spoken))
        }
        new = [each for address, each in spoken_.items() if self._stored.get(address, 0) <= now - _STORED_MS]
        if new:
            await self._store.run(prompts.put, new, now=now)
            if len(self._stored) > _MOST_STORED:
                self._stored.clear()
            self._stored |= dict.fromkeys((each.address for each in new), now)
        return [*spoken_, *(item.url for item in items if isinstance(item, Url))]

    def ringing(self, codec: str) -> list[Path]:
        """What one hears while somebody else's phone rings."""
        return [self._tones.ringing(codec)]

    async def _clips_of(self, item: Item, codec: str, account_id: int) -> Sequence[Path]:
        match item:
            case Pause(duration_ms=duration_ms):
                return self._tones.pause(codec, duration_ms)
            case Beep():
                return [self._tones.beep(codec)]
            case Sound(sound=sound):
                return [await self._clip(sound, codec)]
            case Url(url=url):
                return [await self._clip(await self._ready(url, account_id), codec)]
            case Text() | Digits() | Number() | Date() | Time() | Currency():
                sound = await self._ready(self._prompt(item).address, account_id)
                return [await self._clip(sound, codec)]
            case _:
                assert_never(item)

    async def _clip(self, sound: str, codec: str) -> Path:
        clip = await self._clips.find(sound, codec)
        if clip is None:
            raise CannotPlay(f"there is no sound {sound[:60]!r}")
        return clip

    async def _ready(self, address: str, account_id: int) -> str:
        """Wait until somebody has fetched or rendered it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST_WAIT_S
        while True:
            match await self._by_url.find(address, account_id):
                case Ready(sound_id=sound_id):
                    return sound_id
                case Unusable(problem=problem):
                    raise CannotPlay(problem)
                case Busy() if loop.time() >= until:
                    raise CannotPlay(f"it was not ready within {_LONGEST_WAIT_S:g} seconds")
                case Busy():
                    await asyncio.sleep(_LOOK_S)

    def _prompt(self, item: Spoken) -> spoken.Prompt:
        try:
            return prompt_of(item, self._voices)
        except Unspeakable as error:
            raise CannotPlay(str(error)) from None
