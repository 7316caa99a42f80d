"""`outdial say`: a text as a sound file, by the engines of the settings; no server is needed."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from outdial.cli.output import JsonOption, console, print_json
from outdial.cli.problems import CommandFailed
from outdial.config import Settings, load_settings
from outdial.domain.prompt import Prompt
from outdial.errors import SpeechError
from outdial.speech.engine import Gender, Voice
from outdial.speech.render import render
from outdial.speech.setup import open_voices
from outdial.speech.voices import Voices
from outdial.speech.wav import parse_wav
from outdial.supervisor import exit_codes
from outdial.supervisor.speech import speech_client, speech_options

app = typer.Typer(add_completion=False)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What is said.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="WAV file to write.", show_default=False)],
    voice: Annotated[
        str | None, typer.Option(help="A voice of `outdial voices`. Unset: the best one of the language.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Language to speak: en, en-GB, es …")] = None,
    gender: Annotated[str | None, typer.Option(help="A wish: female, male or neutral.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Speak a text into a WAV file, at the level at which callees hear it."""
    if output.suffix.lower() != ".wav":
        raise typer.BadParameter(f"{output} should end with .wav", param_hint="--output")
    if gender not in (None, "female", "male", "neutral"):
        raise typer.BadParameter("should be female, male or neutral", param_hint="--gender")
    wish: Gender | None = gender  # type: ignore[assignment]  # checked just above
    settings = load_settings()
    try:
        row = asyncio.run(_say(settings, text, output, voice, language, wish))
    except SpeechError as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        print_json(row)
    else:
        console().print(f"{row['file']}: {row['seconds']:.1f} s, voice {row['voice']}", soft_wrap=True)


async def _say(
    settings: Settings,
    text: str,
    output: Path,
    voice_id: str | None,
    language: str | None,
    gender: Gender | None,
) -> dict[str, str | float]:
    async with speech_client(settings) as client:
        voices = open_voices(speech_options(settings), client)
        voice = _chosen(voices, voice_id, language, gender)
        engine = voices.engine_of(voice)
        prompt = Prompt(voice=voice.id, revision=engine.revision, parts=(text,))
        with tempfile.TemporaryDirectory(prefix="outdial-say-") as folder:
            made = await render(prompt, engine, voice, Path(folder))
            speech = parse_wav(made.read_bytes(), engine.name)
            shutil.copyfile(made, output)
    return {"file": str(output), "voice": voice.id, "seconds": round(len(speech.pcm) / speech.rate, 3)}


def _chosen(voices: Voices, voice_id: str | None, language: str | None, gender: Gender | None) -> Voice:
    if voice_id is not None:
        return voices.find(voice_id)[1]
    voice = voices.choose(language, gender)
    if voice is None:
        known = ", ".join(voices.languages) or "none: no engine is set up"
        raise CommandFailed(f"No voice speaks {language or 'anything'}; there are {known}.", exit_codes.USAGE)
    return voice
