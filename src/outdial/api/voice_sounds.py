"""`voice/sounds`: announcements. Upload, list, show, fetch, delete."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from outdial.api.answers import Page, family_body, family_duration, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import MULTIPART
from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import IDEMPOTENCY_KEY, errors, family, query, success
from outdial.api.errors import ApiError, invalid
from outdial.api.idempotency import REPLAYED, key_of, once, replayed
from outdial.api.links import link
from outdial.api.uploads import Upload, uploaded
from outdial.audio.clip import CODECS, clip_file_name
from outdial.audio.decode import DecodeLimits, SoundInfo, prepare_sound
from outdial.errors import AudioError, NotFound
from outdial.storage import sounds
from outdial.storage.idempotency import IdempotencyKey
from outdial.storage.sounds import Sound

router = APIRouter(prefix="/voice/sounds", tags=["sounds"])

_LONGEST_NAME = 255
_MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "mov": "audio/mp4",
    "flac": "audio/flac",
}
_EXAMPLE_ROW = {
    "id": "39888925-718e-43bb-a8b1-d4a3e1f0c2b7",
    "name": "welcome.mp3",
    "duration": "00:00:12",
    "duration_ms": 11840,
    "format": "mp3",
    "bytes": 189440,
    "created_at": "2019-08-16 15:00:00",
    "audio_url": "/api/v1/voice/sounds/39888925-718e-43bb-a8b1-d4a3e1f0c2b7/audio",
}
_UPLOAD_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "audio": {
                            "type": "string",
                            "format": "binary",
                            "description": "mp3, wav, ogg, m4a, flac …",
                        },
                        "name": {"type": "string", "description": "Unset: the name of the file."},
                    },
                    "required": ["audio"],
                }
            }
        },
    }
}
_LIST_EXAMPLE = family(
    "1 sounds.",
    [_EXAMPLE_ROW],
    links={"first": "…?page=1&per_page=15", "last": "…?page=1&per_page=15", "prev": None, "next": None},
    meta={"current_page": 1, "from": 1, "last_page": 1, "path": "…", "per_page": 15, "to": 1, "total": 1},
)


@router.post(
    "",
    summary="Upload a sound",
    responses=success("Ready to be played.", family("The sound is ready.", _EXAMPLE_ROW))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=_UPLOAD_SCHEMA | {"parameters": [IDEMPOTENCY_KEY]},
)
async def upload(request: Request) -> Response:
    """Take a sound file, decode it once, and keep it in every form that a call may need."""
    context = context_of(request)
    principal = await authenticate(request)
    limit = context.options.upload_bytes
    async with uploaded(request, "audio", limit=limit, what="the sound file") as sent:
        return await _take(request, context, principal, sent)


async def _take(request: Request, context: ApiContext, principal: Principal, sent: Upload) -> Response:
    sound_id, folder = context.new_uuid(), sent.folder
    name = _name_of(sent)
    sha256 = await asyncio.to_thread(_sha256, sent.file)
    key = key_of(request, principal, {"name": name, "audio": sha256})
    if (again := await replayed(context, key)) is not None:
        return again
    try:
        async with context.decoders:
            info = await prepare_sound(
                sent.file, folder, DecodeLimits(max_duration_ms=context.options.sound_ms)
            )
    except AudioError as error:
        sentence = str(error)
        raise invalid({"audio": [f"{sentence[:1].upper()}{sentence[1:]}."]}) from error
    sound = Sound(
        id=sound_id,
        account_id=principal.account_id,
        name=name,
        duration_ms=info.duration_ms,
        source_format=_format_of(info),
        bytes=sent.file_bytes,
        sha256=sha256,
        created_at=context.now_ms(),
    )
    return await _store(context, sound, folder, key)


async def _store(context: ApiContext, sound: Sound, folder: Path, key: IdempotencyKey | None) -> Response:
    """Blobs first, row last: a row always names blobs that are there."""
    await context.blobs.put(sounds.source_key(sound.id), folder / "source")
    for codec in CODECS:
        await context.blobs.put(sounds.clip_key(sound.id, codec), folder / clip_file_name(codec))
    try:
        answer = await once(
            context,
            key,
            lambda conn: sounds.insert(conn, sound),
            lambda _: family_body("The sound is ready.", _row(sound)),
        )
    except BaseException:
        await context.blobs.delete(_keys(sound.id))
        raise
    if REPLAYED in answer.headers:  # another request with the key was faster
        await context.blobs.delete(_keys(sound.id))
    return answer


@router.get(
    "",
    summary="List sounds",
    responses=success("The newest first.", _LIST_EXAMPLE) | errors(401, 422),
    openapi_extra={
        "parameters": [
            query("page", "From 1.", required=False, kind="integer"),
            query("per_page", "1 to 100, 15 by default.", required=False, kind="integer"),
        ]
    },
)
async def list_sounds(request: Request) -> Response:
    """Show the account's sounds, page by page."""
    context = context_of(request)
    principal = await authenticate(request)
    page = Page(request)
    found, total = await context.database.read(_read_page, principal.account_id, page.size, page.offset)
    return page.answer(f"{total} sounds.", [_row(sound) for sound in found], total)


@router.get(
    "/{sound_id}",
    summary="Show one sound",
    responses=success("The sound.", family("The sound.", _EXAMPLE_ROW)) | errors(401, 404),
)
async def get_sound(request: Request, sound_id: str) -> Response:
    """Show name, length and format of one sound."""
    return ok("The sound.", _row(await _the_sound(request, sound_id)))


@router.get(
    "/{sound_id}/audio",
    summary="Fetch the audio",
    responses=errors(401, 404)
    | {200: {"description": "The file as it was uploaded.", "content": {"audio/*": {}}}},
)
async def get_audio(request: Request, sound_id: str) -> Response:
    """Fetch the file as it was uploaded; ranges are supported."""
    sound = await _the_sound(request, sound_id)
    try:
        path = await context_of(request).blobs.local_path(sounds.source_key(sound.id))
    except NotFound:
        raise _no_such_sound(sound_id) from None
    media_type = _MEDIA_TYPES.get(sound.source_format, "application/octet-stream")
    return FileResponse(path, media_type=media_type, filename=sound.name)


@router.delete(
    "/{sound_id}",
    summary="Delete a sound",
    responses=success("It is gone.", family("The sound is deleted.", {"id": _EXAMPLE_ROW["id"]}))
    | errors(401, 404),
)
async def delete_sound(request: Request, sound_id: str) -> Response:
    """Delete a sound and its audio. A call that was accepted with it and is still to be dialled will fail."""
    context = context_of(request)
    sound = await _the_sound(request, sound_id)
    if not await context.database.run(sounds.delete, sound.account_id, sound.id, now=context.now_ms()):
        raise _no_such_sound(sound_id)
    await context.blobs.delete(_keys(sound.id))
    return ok("The sound is deleted.", {"id": sound.id})


async def _the_sound(request: Request, sound_id: str) -> Sound:
    principal = await authenticate(request)
    try:
        canonical = str(UUID(sound_id))
    except ValueError:
        raise _no_such_sound(sound_id) from None
    sound = await context_of(request).database.read(sounds.get, principal.account_id, canonical)
    if sound is None:
        raise _no_such_sound(sound_id)
    return sound


def _read_page(conn: sa.Connection, account_id: int, limit: int, offset: int) -> tuple[list[Sound], int]:
    return sounds.of_account(conn, account_id, limit=limit, offset=offset), sounds.count(conn, account_id)


def _name_of(sent: Upload) -> str:
    given = sent.parameters.get("name", "")
    if not isinstance(given, str):
        raise invalid({"name": ["name should be a single text."]})
    name = given.strip() or sent.file_name or "sound"
    if len(name) > _LONGEST_NAME:
        raise invalid({"name": [f"name is {len(name)} characters long; {_LONGEST_NAME} are accepted."]})
    return name


def _format_of(info: SoundInfo) -> str:
    """FFmpeg names a container with all its synonyms (`mov,mp4,m4a,…`): the first is enough."""
    return info.container.partition(",")[0]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _keys(sound_id: str) -> list[str]:
    return [sounds.source_key(sound_id), *(sounds.clip_key(sound_id, codec) for codec in CODECS)]


def _no_such_sound(sound_id: str) -> ApiError:
    return ApiError(404, f"There is no sound {sound_id[:80]}.")


def _row(sound: Sound) -> dict[str, Any]:
    return {
        "id": sound.id,
        "name": sound.name,
        "duration": family_duration(sound.duration_ms),
        "duration_ms": sound.duration_ms,
        "format": sound.source_format,
        "bytes": sound.bytes,
        "created_at": family_time(sound.created_at),
        "audio_url": link(f"/api/v1/voice/sounds/{sound.id}/audio"),
    }
