"""A prompt as one WAV file: its texts said once each, brought to one level, with its pauses between."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from outdial.audio.wire import Pcm
from outdial.domain.prompt import Prompt
from outdial.errors import SpeechFailed, Unspeakable
from outdial.speech.engine import LONGEST_TEXT, SpeechEngine, Voice
from outdial.speech.level import normalised, trimmed
from outdial.speech.wav import Speech, parse_wav, write_wav


async def render(
    prompt: Prompt, engine: SpeechEngine, voice: Voice, folder: Path, *, most_ms: int = 600_000
) -> Path:
    """Write the prompt as a WAV file into `folder`, which exists; return the file.

    Raises what the engine raises, and Unspeakable if the prompt holds no text or would last over `most_ms`.
    """
    said: dict[str, Speech] = {}
    for position, text in enumerate(dict.fromkeys(prompt.texts)):
        said[text] = await _say(text, engine, voice, folder / f"part-{position}.wav")
    if not said:
        raise Unspeakable("There is nothing to say: the prompt holds no text.")
    rates = {speech.rate for speech in said.values()}
    if len(rates) > 1:
        raise SpeechFailed(f"The speech engine {engine.name} answers in several sample rates.")
    out = folder / "prompt.wav"
    await asyncio.to_thread(_write, prompt, said, rates.pop(), out, most_ms)
    return out


async def _say(text: str, engine: SpeechEngine, voice: Voice, file: Path) -> Speech:
    if len(text) > LONGEST_TEXT:
        raise Unspeakable(f"The text is {len(text)} characters long; {LONGEST_TEXT} are said at once.")
    await engine.speak(text, voice, file)
    return await asyncio.to_thread(_read, file, engine.name)


def _read(file: Path, engine: str) -> Speech:
    raw = parse_wav(file.read_bytes(), engine)
    pcm = trimmed(raw.pcm, raw.rate)
    if not len(pcm):
        raise Unspeakable(f"The speech engine {engine} answers with silence to this text.")
    return Speech(normalised(pcm, raw.rate), raw.rate)


def _write(prompt: Prompt, said: dict[str, Speech], rate: int, out: Path, most_ms: int) -> None:
    once = [said[part].pcm if isinstance(part, str) else _pause(part, rate) for part in prompt.parts]
    delay = _pause(prompt.delay_ms, rate)
    total = _length(once) * prompt.tries + len(delay) * (prompt.tries - 1)
    if total > most_ms * rate // 1_000:
        raise Unspeakable(
            f"The prompt would last longer than the {most_ms / 1000:g} seconds that are allowed."
        )
    pieces = [piece for turn in range(prompt.tries) for piece in ([delay, *once] if turn else once)]
    write_wav(out, np.concatenate(pieces).astype("<i2").tobytes(), rate)


def _pause(milliseconds: int, rate: int) -> Pcm:
    return np.zeros(milliseconds * rate // 1_000, np.int16)


def _length(pieces: Sequence[Pcm]) -> int:
    return sum(len(piece) for piece in pieces)
