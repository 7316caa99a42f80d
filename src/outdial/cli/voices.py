"""`outdial voices`: the voices of the engines of the settings; no server is needed."""

from typing import Annotated, Any

import typer

from outdial.cli.output import JsonOption, print_json, print_rows
from outdial.config import load_settings
from outdial.speech.engine import Voice
from outdial.speech.setup import open_voices
from outdial.supervisor.speech import speech_client, speech_options

app = typer.Typer(add_completion=False)

_COLUMNS = {"id": "id", "language": "language", "gender": "gender", "says": "says"}


@app.command()
def voices(
    language: Annotated[str | None, typer.Option(help="Only voices of this language: en, en-GB …")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the voices that texts can be spoken in, those of the preferred engine first."""
    settings = load_settings()
    found = open_voices(speech_options(settings), speech_client(settings))
    wanted = "" if language is None else language.replace("_", "-").lower()
    rows = [
        _row(voice)
        for voice in found.all
        if f"{voice.language.lower()}-".startswith(f"{wanted}-" if wanted else "")
    ]
    if as_json:
        print_json(rows)
    else:
        print_rows(
            rows, _COLUMNS, empty=f"No voice speaks {wanted}." if wanted else "There is no speech engine."
        )


def _row(voice: Voice) -> dict[str, Any]:
    return {
        "id": voice.id,
        "engine": voice.engine,
        "name": voice.name,
        "language": voice.language,
        "gender": voice.gender,
        "for_words": voice.for_words,
        "says": "numbers and dates" if voice.for_words else "any text",
    }
