"""Make a set of recorded words: `python -m tools.record_words en FOLDER --voice ID` or `--recordings FOLDER`.

Takes the words of `outdial.domain.saying` from a speech engine, or from a folder that has a wav file for each
(`forty.wav`); brings them to one level, cuts the silence around them and encodes them as Opus.
"""

import argparse
import asyncio
import json
import tempfile
import unicodedata
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from outdial.audio.wire import Pcm
from outdial.domain.saying import GRAMMARS
from outdial.egress.client import EgressClient
from outdial.speech.level import normalised, trimmed
from outdial.speech.recorded import MANIFEST
from outdial.speech.setup import SpeechOptions, open_voices
from outdial.speech.wav import Speech, parse_wav

_OPUS_RATE = 48_000
_OPUS_BITS = 32_000


async def spoken(voice_id: str, words: list[str], folder: Path) -> None:
    """Have a voice say each word into a wav file of its own."""
    engine, voice = open_voices(SpeechOptions(), EgressClient()).find(voice_id)
    for word in words:
        await engine.speak(f"{word}.", voice, folder / f"{word}.wav")


def write_opus(speech: Speech, file: Path) -> None:
    """Encode one word."""
    with av.open(str(file), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=_OPUS_RATE)
        stream.bit_rate = _OPUS_BITS
        stream.layout = "mono"
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_OPUS_RATE, frame_size=960)
        frame = av.AudioFrame.from_ndarray(speech.pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = speech.rate, Fraction(1, speech.rate), 0
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def prepared(file: Path) -> Speech:
    """One word at its level, without the silence around it."""
    raw = parse_wav(file.read_bytes(), "recordings")
    pcm: Pcm = normalised(trimmed(raw.pcm, raw.rate), raw.rate)
    return Speech(pcm.astype(np.int16), raw.rate)


def file_name(word: str, position: int) -> str:
    """A name of ASCII letters, whatever the word is written in."""
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return f"{plain if plain.isalpha() else 'word'}-{position:03}.ogg"


def main() -> None:
    """Make one set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=sorted(GRAMMARS))
    parser.add_argument("folder", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--voice")
    source.add_argument("--recordings", type=Path)
    parser.add_argument("--gender", default="female", choices=["female", "male", "neutral"])
    parser.add_argument("--origin", default="", help="What the manifest says about where they come from.")
    arguments = parser.parse_args()
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)] if arguments.language == "en" else []
    words = sorted(
        {*GRAMMARS[arguments.language].vocabulary, *letters}, key=lambda word: (word.lower(), word)
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        recordings = arguments.recordings or Path(made)
        if arguments.recordings is None:
            asyncio.run(spoken(arguments.voice, words, recordings))
        names = {word: file_name(word, position) for position, word in enumerate(words)}
        for word, name in names.items():
            write_opus(prepared(recordings / f"{word}.wav"), arguments.folder / name)
    manifest = {
        "language": arguments.language,
        "gender": arguments.gender,
        "origin": arguments.origin or f"The voice {arguments.voice}.",
        "words": names,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (arguments.folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
