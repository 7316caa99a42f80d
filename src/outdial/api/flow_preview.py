"""`flows/preview`: listen to a prompt before anybody is called with it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import from_json

from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.documentation import body, errors
from outdial.api.errors import ApiError, invalid
from outdial.api.flow_request import DEEPEST, depth
from outdial.api.scratch import scratch_folder
from outdial.errors import InvalidInput, NotFound, SpeechError, SpeechUnavailable
from outdial.flow.problem import Place, Problem
from outdial.flow.prompt_kind import LANGUAGE_KIND, PROMPT
from outdial.flow.speakable import Prompt
from outdial.flow.templates import Template
from outdial.flow.told import read_given
from outdial.flow.values import Variables
from outdial.speech.preview import CODEC, preview
from outdial.storage import sounds
from outdial.storage.sounds import clip_key

router = APIRouter(prefix="/flows", tags=["flows"])

LONGEST = 2_000
"""Characters that are spoken for one preview."""
_FIELDS = {
    "prompt": {
        "type": ["string", "object", "array"],
        "description": "A prompt as in a flow: a text, a part or a list of parts; in a form, JSON.",
    },
    "language": {"type": "string", "description": "The language of the call; by default `en`."},
    "voice": {"type": "string", "description": "The flow's voice in it, of `GET voice/voices`."},
    "variables": {"type": "object", "description": "The variables of the call, by name."},
}
_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"description": "A WAV file.", "content": {"audio/wav": {"schema": {"type": "string"}}}}
}


@router.post(
    "/preview",
    summary="Listen to a prompt",
    response_class=Response,
    responses=_AUDIO | errors(400, 401, 403, 413, 415, 422, 503),
    openapi_extra=body(
        _FIELDS,
        ["prompt"],
        {"prompt": "Your code is {{otp@digits}}.", "language": "en-US", "variables": {"otp": "4711"}},
    ),
)
async def listen(request: Request) -> Response:
    """Speak a prompt, with its sounds, pauses and beeps, as a WAV file of 16,000 samples a second.

    What does not suit is said as in a call. An audio file of a URL is not fetched here.
    """
    principal = await authenticate(request)
    context = context_of(request)
    form = await read_body(request)
    prompt = _read_prompt(form)

    async def find_clip(sound_id: str) -> Path | None:
        if await context.database.read(sounds.get, principal.account_id, sound_id) is None:
            return None
        try:
            return await context.blobs.local_path(clip_key(sound_id, CODEC))
        except NotFound:
            return None

    async with scratch_folder(context) as folder:
        try:
            async with context.decoders:
                file = await preview(prompt, context.voices, find_clip, folder)
        except SpeechError as error:
            raise _refusal(error) from None
        return Response(await asyncio.to_thread(file.read_bytes), media_type="audio/wav")


def _refusal(error: SpeechError) -> ApiError:
    if error.temporary or isinstance(error, SpeechUnavailable):
        return ApiError(503, str(error))
    sentence = str(error)
    return invalid({"prompt": [f"{sentence[:1].upper()}{sentence[1:]}".rstrip(".") + "."]})


def _read_prompt(form: Mapping[str, Any]) -> Prompt:
    """What is to be heard. Raises ApiError 422."""
    value = form.get("prompt")
    if value is None or value == "":
        raise invalid({"prompt": ["prompt is missing: a text, a part of a prompt, or a list of parts."]})
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and not value.lstrip().startswith("{{"):
        value = _json("prompt", value)
    problems: list[Problem] = []
    if depth(value) > DEEPEST:
        raise invalid({"prompt": [f"prompt is nested more than {DEEPEST} deep."]})
    template = PROMPT.read(value, Place(problems, None, "prompt"))
    language = LANGUAGE_KIND.read(form.get("language") or "en", Place(problems, None, "language"))
    voice = form.get("voice") or None
    if problems:
        raise invalid({(each.field or "prompt"): [str(each)] for each in problems})
    variables = _variables(form.get("variables"))
    wrong: list[str] = []

    def text(source: Template) -> str:
        try:
            return source.render(variables)
        except InvalidInput as error:
            wrong.append(str(error))
            return ""

    rendered = template.render(text, language, None if voice is None else str(voice))
    if wrong:
        raise invalid({"prompt": wrong})
    spoken = sum(len(str(getattr(item, "text", ""))) for item in rendered)
    if spoken > LONGEST:
        sentence = f"prompt has {spoken} characters of text; {LONGEST} are spoken in a preview."
        raise invalid({"prompt": [sentence]})
    return rendered


def _variables(value: object) -> Variables:
    given = _json("variables", value) if isinstance(value, str) and value.strip() else value or None
    try:
        return read_given(given)
    except InvalidInput as error:
        raise invalid({"variables": [str(error)]}) from None


def _json(name: str, value: str) -> Any:
    try:
        return from_json(value)
    except ValueError:
        raise invalid({name: [f"{name} is not JSON."]}) from None
