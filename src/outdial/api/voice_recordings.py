"""`voice/recordings`: what callees said. List, show, fetch as WAV, delete."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from outdial.api.actor import actor_of
from outdial.api.answers import Page, family_duration, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.byte_range import UnsatisfiableRangeError, read_range
from outdial.api.call_filter import LOG_NAMES, PARAMETERS, read_call_filter
from outdial.api.context import ApiContext, context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import errors, family, page_of, success
from outdial.api.errors import ApiError
from outdial.api.links import link
from outdial.api.permissions import PREFIX
from outdial.audio.wav import Stored, Wav
from outdial.errors import NotFound
from outdial.storage import recordings
from outdial.storage.calls import ANY_CALL
from outdial.storage.recordings import Recording

router = APIRouter(prefix="/voice/recordings", tags=["voice"])

_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8-1-1"
_MEDIA_TYPE = "audio/wav"
_COMES_IN_S = 10
_EXAMPLE = {
    "id": _ID,
    "call_id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
    "attempt": 1,
    "type": "call",
    "call_from": "918068280000",
    "call_to": "918867135000",
    "bridge": "918068280000",
    "name": "obd_api_call",
    "duration": "00:00:19",
    "recorded_at": "2019-08-16 15:10:14",
    "audio": f"{PREFIX}/voice/recordings/{_ID}/audio",
}
_WAV: dict[str, Any] = {
    "description": "16-bit PCM with 8,000 samples a second, or 16,000 of a call in G.722.",
    "content": {_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}
_BYTES = [
    {
        "name": "Range",
        "in": "header",
        "required": False,
        "description": "A part of the file, as in `bytes=0-65535`.",
        "schema": {"type": "string"},
    }
]


@router.get(
    "",
    summary="List recordings",
    responses=success("The newest first.", page_of("recordings", _EXAMPLE)) | errors(401, 422),
    openapi_extra={"parameters": [*PARAMETERS, *PAGES]},
)
async def list_recordings(request: Request) -> Response:
    """Show the recordings of the account's calls, page by page; the filters are those of the call log.

    `type` is `call` for what the callee said in a whole attempt (`dispatch.record`), `message` for what a
    step `record` of a flow asked for, `talk` for callee and agent (left and right) in a step that connects.
    """
    principal = await authenticate(request)
    page = Page(request)
    wanted = read_call_filter(request.query_params, LOG_NAMES) or ANY_CALL
    found, total = await context_of(request).database.read(
        recordings.find, principal.account_id, wanted, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} recordings.", [_row(each) for each in found], total)


@router.get(
    "/{recording_id}",
    summary="Show one recording",
    responses=success("The recording.", family("The recording.", _EXAMPLE)) | errors(401, 404),
)
async def get_recording(request: Request, recording_id: str) -> Response:
    """Show whose voice it is, from when, and how long."""
    return ok(
        "The recording.", _row(await _the_recording(request, await authenticate(request), recording_id))
    )


@router.get(
    "/{recording_id}/audio",
    summary="Fetch a recording",
    response_class=Response,
    responses=errors(401, 404, 409, 416)
    | {200: _WAV, 206: _WAV | {"description": "The part of the file that `Range` names."}},
    openapi_extra={"parameters": _BYTES},
)
async def get_audio(request: Request, recording_id: str) -> Response:
    """Fetch the audio as a WAV file, or a part of it.

    The audio of a call that has just ended may not be in the store yet: then the answer is 409, and
    `Retry-After` says when to ask again.
    """
    recording = await _the_recording(request, await authenticate(request), recording_id)
    try:
        path = await context_of(request).blobs.local_path(recording.key)
        wav = await asyncio.to_thread(_open, path, recording.codec)
    except (NotFound, FileNotFoundError):
        raise _not_there_yet(recording) from None
    etag = f'"{recording.id}"'
    # What was begun with another file has to be fetched anew (RFC 9110 §13.1.5).
    same_file = request.headers.get("if-range", etag) == etag
    try:
        part = read_range(request.headers.get("range"), wav.size) if same_file else None
    except UnsatisfiableRangeError:
        raise ApiError(
            416,
            f"The recording has {wav.size} bytes; the part that Range names lies behind them.",
            headers={"Content-Range": f"bytes */{wav.size}"},
        ) from None
    begin, end = part or (0, wav.size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - begin),
        "Content-Disposition": f'inline; filename="{recording.id}.wav"',
        "ETag": etag,
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{wav.size}"
    status = 200 if part is None else 206
    return StreamingResponse(wav.read(begin, end), status, headers, media_type=_MEDIA_TYPE)


@router.delete(
    "/{recording_id}",
    summary="Delete a recording",
    responses=success("It is gone.", family("The recording is deleted.", {"id": _ID})) | errors(401, 404),
)
async def delete(request: Request, recording_id: str) -> Response:
    """Delete a recording and its audio for good. Once it is gone, deleting it again does no harm.

    The call, its outcome and its charge stay as they are. The audit log says who deleted it.
    """
    context = context_of(request)
    principal = await authenticate(request)
    recording = await context.database.read(recordings.get, principal.account_id, recording_id)
    if recording is None:
        raise _no_such(recording_id)
    await _delete(context, request, principal, recording)
    return ok("The recording is deleted.", {"id": recording.id})


async def _delete(context: ApiContext, request: Request, principal: Principal, recording: Recording) -> None:
    """The mark comes first: what a dialer stores later finds it, and what it stored before goes now."""
    actor = actor_of(request, principal)
    await context.database.run(recordings.delete, actor, recording, now=context.now_ms())
    await context.blobs.delete([recording.key])
    await context.database.run(recordings.note_erased, [recording.key], now=context.now_ms())


async def _the_recording(request: Request, principal: Principal, recording_id: str) -> Recording:
    found = await context_of(request).database.read(recordings.get, principal.account_id, recording_id)
    if found is None or found.deleted_at is not None:
        raise _no_such(recording_id)
    return found


def _open(path: Path, codec: str) -> Stored | Wav:
    return Stored(path) if codec == recordings.WAV else Wav(path, codec)


def _no_such(recording_id: str) -> ApiError:
    return ApiError(404, f"There is no recording {recording_id[:120]}.")


def _not_there_yet(recording: Recording) -> ApiError:
    return ApiError(
        409,
        f"The audio of {recording.id} is not in the store: a dialer that has it stores it when it can.",
        headers={"Retry-After": str(_COMES_IN_S)},
    )


def audio_url(key: str | None) -> str | None:
    """Where the recording with this key is fetched; None without one."""
    return None if key is None else link(f"{PREFIX}/voice/recordings/{recordings.id_of(key)}/audio")


def _row(recording: Recording) -> dict[str, Any]:
    return {
        "id": recording.id,
        "call_id": recording.call_id,
        "attempt": recording.number,
        "type": recording.kind,
        "call_from": recording.bridge,
        "call_to": recording.to,
        "bridge": recording.bridge,
        "name": recording.name,
        "duration": family_duration(recording.duration_ms),
        "recorded_at": family_time(recording.recorded_at),
        "audio": audio_url(recording.key),
    }
