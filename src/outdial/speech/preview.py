"""A flow's prompt as one WAV file, for whoever writes it: as a callee would hear it, but for the line."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

import numpy as np

from outdial.audio.g722 import decode
from outdial.audio.tone import beep
from outdial.audio.wire import Pcm
from outdial.errors import Unspeakable
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
from outdial.speech.flow_prompt import prompt_of
from outdial.speech.recorded import RATE, read_sound
from outdial.speech.render import render
from outdial.speech.voices import Voices
from outdial.speech.wav import write_wav

CODEC = "G722"
"""The codec whose clips of sounds are taken: they carry most."""
MOST_MS = 120_000
"""Of what is made: people who listen to a draft wait for it."""
FindClip = Callable[[str], Awaitable[Path | None]]
"""The clip of a stored sound in CODEC; None if there is no such sound."""


async def preview(prompt: Prompt, voices: Voices, find_clip: FindClip, folder: Path) -> Path:
    """Write the prompt into `folder`, which exists; return the file, 16-bit PCM of 16,000 samples a second.

    Raises Unspeakable and what engines raise. The audio file of a URL is refused: only dialers fetch.
    """
    pieces = [
        await _sound_of(item, voices, find_clip, folder, position) for position, item in enumerate(prompt)
    ]
    pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if not len(pcm):
        raise Unspeakable("There is nothing to hear in this prompt.")
    if len(pcm) > MOST_MS * RATE // 1_000:
        raise Unspeakable(f"The prompt lasts longer than the {MOST_MS // 1_000} seconds of a preview.")
    out = folder / "preview.wav"
    await asyncio.to_thread(write_wav, out, pcm.astype("<i2").tobytes(), RATE)
    return out


async def _sound_of(item: Item, voices: Voices, find_clip: FindClip, folder: Path, position: int) -> Pcm:
    match item:
        case Pause(duration_ms=duration_ms):
            return np.zeros(duration_ms * RATE // 1_000, np.int16)
        case Beep():
            return beep(RATE)
        case Sound(sound=sound):
            clip = await find_clip(sound)
            if clip is None:
                raise Unspeakable(f"There is no sound {sound[:60]!r}.")
            return await asyncio.to_thread(lambda: decode(clip.read_bytes()))
        case Url(url=url):
            raise Unspeakable(f"The file {url[:200]} is fetched for calls only; listen to it at its address.")
        case Text() | Digits() | Number() | Date() | Time() | Currency():
            spoken = prompt_of(item, voices)
            engine, voice = voices.find(spoken.voice)
            inner = folder / str(position)
            await asyncio.to_thread(inner.mkdir)
            return await asyncio.to_thread(
                read_sound, await render(spoken, engine, voice, inner, most_ms=MOST_MS)
            )
        case _:
            assert_never(item)
