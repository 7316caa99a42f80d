"""GET `voice/voices`: the voices that texts can be spoken in."""

from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import ok
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.documentation import errors, family, query, success
from outdial.api.errors import invalid
from outdial.speech.voices import Voices

router = APIRouter(prefix="/voice/voices", tags=["voices"])

_EXAMPLE_ROW = {
    "id": "pico:en-US",
    "engine": "pico",
    "name": "en-US",
    "language": "en-US",
    "gender": "female",
    "default": True,
}


@router.get(
    "",
    summary="List voices",
    responses=success("Those of the preferred engine first.", family("1 voices.", [_EXAMPLE_ROW]))
    | errors(401, 422),
    openapi_extra={
        "parameters": [
            query("language", "Only voices of this language: `en`, `en-GB` …", required=False),
            query("gender", "Only female, male or neutral voices.", required=False),
        ]
    },
)
async def list_voices(request: Request) -> Response:
    """Show all voices of the speech engines in use; `id` is what `voiceid` takes."""
    await authenticate(request)
    language = request.query_params.get("language", "").replace("_", "-").lower()
    gender = request.query_params.get("gender", "").lower()
    if gender and gender not in ("female", "male", "neutral"):
        raise invalid({"gender": [f"gender should be female, male or neutral, not {gender[:40]!r}."]})
    rows = [
        row
        for row in rows_of(context_of(request).voices)
        if gender in ("", row["gender"])
        and f"{row['language'].lower()}-".startswith(f"{language}-" if language else "")
    ]
    return ok(f"{len(rows)} voices.", rows)


def rows_of(voices: Voices) -> list[dict[str, Any]]:
    """All voices as they are shown."""
    return [
        {
            "id": voice.id,
            "engine": voice.engine,
            "name": voice.name,
            "language": voice.language,
            "gender": voice.gender,
            "default": voice == voices.default,
        }
        for voice in voices.all
    ]
