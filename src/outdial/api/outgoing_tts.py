"""POST `outgoing/tts`: like `outgoing/send`, with a text that is spoken in place of audio."""

from fastapi import APIRouter, Request, Response

from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, success
from outdial.api.idempotency import key_of, replayed
from outdial.api.outgoing_send import EXAMPLE, PARAMETERS, accept_all
from outdial.api.tts_request import read_speech

router = APIRouter(tags=["outgoing"])

_PARAMETERS = {
    **{name: value for name, value in PARAMETERS.items() if name not in ("audio", "ivr_id", "flow_id")},
    "text": {
        "type": "string",
        "description": "What is said. Liquid variables are filled in for each number: `{{to}}`, `{{name}}`."
        " `{{otp@digits}}` is said digit by digit, `{{n@number}}` as a number.",
    },
    "break.identifier": {
        "type": "string",
        "description": "A mark in the text, such as `|`, that stands for a pause. Also `break[identifier]`.",
    },
    "break.time": {
        "type": "number",
        "default": 0.5,
        "description": "The length of these pauses, in seconds.",
    },
    "voice.language": {
        "type": "string",
        "description": "Language to speak: `en`, `en-GB`, `es` … Also `voice[language]`.",
    },
    "voice.gender": {
        "type": "string",
        "enum": ["female", "male", "neutral"],
        "description": "A wish: a language that has no such voice is spoken in another one.",
    },
    "voiceid": {"type": "string", "description": "A voice of `GET voice/voices`, in place of the two above."},
    "iteration_tries": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": 1,
        "description": "How often the text is said.",
    },
    "iteration_delay": {
        "type": "number",
        "default": 0.5,
        "description": "The pause between one time and the next, in seconds.",
    },
}
_EXAMPLE_BODY = {
    "bridge": "918068280000",
    "to": "918867135000",
    "text": "Hello {{name}}. Your code is {{otp@digits}}.",
    "variables": {"name": "Asha", "otp": "4711"},
    "voice.language": "en-GB",
    "iteration_tries": 2,
}


@router.post(
    "/outgoing/tts",
    summary="Call a number and say a text",
    responses=success("Accepted, and on disk.", EXAMPLE, nullable={"id": "string"})
    | errors(400, 401, 402, 409, 413, 415, 422, 503),
    openapi_extra=body(_PARAMETERS, ["bridge", "to", "text"], _EXAMPLE_BODY)
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def tts(request: Request) -> Response:
    """Accept one call, or one for each number of a list, that says a text.

    The text is spoken and stored before the call is dialled; a call whose text cannot be spoken ends without
    being dialled, and `outgoing/callstatus` says why. Equal texts are spoken once, however many calls say
    them.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    key = key_of(request, principal, form)
    if (again := await replayed(context, key)) is not None:
        return again
    return await accept_all(
        context,
        principal,
        form,
        read_speech(form, context.voices),
        key=key,
        traceparent=request.headers.get("traceparent"),
    )
