"""The engines that an installation uses, from plain options."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outdial.egress.client import EgressClient
from outdial.speech import espeak
from outdial.speech.engine import SpeechEngine
from outdial.speech.espeak import Espeak
from outdial.speech.openai_server import OpenAiServer, SpeechServer
from outdial.speech.pico import Pico
from outdial.speech.recorded import RecordedWords
from outdial.speech.voices import Voices


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOptions:
    """Which engines there are."""

    engines: Sequence[str] = ("http", "pico", "espeak")
    """By preference."""
    voice: str | None = None
    """Id of the default voice."""
    server: SpeechServer | None = None
    words_dir: Path | None = None
    """Further sets of recorded words."""


def open_voices(options: SpeechOptions, client: EgressClient) -> Voices:
    """All voices of the engines that are there. `client` asks the server, and has to be started for that."""
    engines: list[SpeechEngine] = []
    for name in options.engines:
        match name:
            case "http" if options.server is not None:
                engines.append(OpenAiServer(client, options.server))
            case "pico":
                engines.append(Pico())
            case "espeak" if espeak.is_installed():
                engines.append(Espeak())
    engines.append(RecordedWords(options.words_dir))
    return Voices(engines, default=options.voice)
