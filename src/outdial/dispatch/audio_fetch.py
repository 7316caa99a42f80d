"""One audio URL: asked through the guard, decoded out of process, stored as clips like any sound."""

import asyncio
import shutil
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import structlog

from outdial.audio.clip import CODECS
from outdial.audio.decode import DecodeLimits, prepare_sound
from outdial.dispatch.audio_source import Content, Failed, NotModified
from outdial.dispatch.clips import STORE_S, are_stored, store
from outdial.egress.client import EgressClient
from outdial.egress.message import Answer, EgressRequest
from outdial.egress.urls import parse_target
from outdial.errors import AudioError, BlobsUnavailable, EgressError
from outdial.storage import audio_urls
from outdial.storage.audio_urls import FetchedSound, Taken
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.sounds import clip_key

_DECODERS = 2
_DECODE_S = 20.0
_DAY_MS = 24 * 60 * 60 * 1000
_KEEP_REPLACED_MS = _DAY_MS
"""A call that plays a content that was replaced has ended by then."""
_KEEP_UNUSED_MS = 30 * _DAY_MS
_TEMPORARY = frozenset({408, 425, 429})
_LONGEST_VALIDATOR = 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFetchOptions:
    """Bounds and places."""

    work_dir: Path
    """Downloads are written and decoded here before they go into the blob store."""
    most_bytes: int = 50 * 1024 * 1024
    cache_bytes: int = 10 * 1024 * 1024 * 1024
    """Of clips: past this, what nobody has asked for the longest goes first."""
    sound_ms: int = 600_000
    total_s: float = 20.0
    """For the download."""
    most_s: float = 30.0
    """For fetching and decoding together."""


class AudioFetch:
    """Fetches sounds; one object serves all of a dialer's."""

    def __init__(self, egress: EgressClient, blobs: Blobs, options: AudioFetchOptions) -> None:
        self._egress = egress
        self._blobs = blobs
        self._options = options
        self.most_s = options.most_s + 2 * STORE_S
        self._decoders = asyncio.Semaphore(_DECODERS)

    async def fetch(self, url: str, known: Taken, *, sound_id: str) -> Content | NotModified | Failed:
        """Fetch `url`, unless it is what is `known`, and store its clips under `sound_id`."""
        folder = self._options.work_dir / sound_id
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            conditions = await self._conditions(known)
            async with asyncio.timeout(self._options.most_s):
                found = await self._fetch(url, conditions, sound_id, folder)
            if isinstance(found, Content):
                await store(self._blobs, sound_id, folder)
        except TimeoutError:
            return Failed.slow(url, self._options.most_s)
        except BlobsUnavailable as error:
            _log.warning("audio_not_stored", error=str(error))
            return Failed.store_away()
        except EgressError as error:
            return Failed(str(error), error.temporary)
        except Exception as error:  # noqa: BLE001 - a full disk, say: it has an end that callers are told
            _log.exception("audio_not_fetched", error=str(error))
            host = parse_target(url).host
            return Failed(f"{host} could not be fetched for a fault of ours.", temporary=True)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return found

    async def tidy(self, database: Database, *, now: int) -> None:
        """Delete the sounds of contents that were replaced, or that nobody has asked for in a long time."""
        unused = now - _KEEP_UNUSED_MS
        await database.run(audio_urls.forget_unused, now=now, checked_before=unused)
        await database.run(audio_urls.forget_excess, now=now, most_bytes=self._options.cache_bytes)
        while gone := await database.read(audio_urls.replaced, before=now - _KEEP_REPLACED_MS):
            await self._blobs.delete(clip_key(sound_id, codec) for sound_id in gone for codec in CODECS)
            await database.run(audio_urls.delete_sounds, gone)
        await database.run(audio_urls.delete_unused, now=now, checked_before=unused)

    async def _fetch(
        self, url: str, conditions: dict[str, str], sound_id: str, folder: Path
    ) -> Content | NotModified | Failed:
        source = folder / "source"
        request = EgressRequest(url=url, headers=conditions, total_s=self._options.total_s)
        answer = await self._egress.download(request, source, most_bytes=self._options.most_bytes)
        host = parse_target(url).host
        if answer.status == HTTPStatus.NOT_MODIFIED and conditions:
            return NotModified()
        if not answer.ok:
            temporary = answer.status >= 500 or answer.status in _TEMPORARY
            return Failed(f"{host} answered HTTP {_shown(answer.status)}.", temporary)
        try:
            async with self._decoders:
                info = await prepare_sound(
                    source,
                    folder,
                    DecodeLimits(max_duration_ms=self._options.sound_ms, wall_seconds=_DECODE_S),
                )
        except AudioError as error:
            return Failed(f"what {host} sent cannot be played: {error}.", temporary=False)
        return Content(
            FetchedSound(
                id=sound_id,
                duration_ms=info.duration_ms,
                source_format=info.container.partition(",")[0],
                bytes=answer.size,
                etag=_validator(answer, "ETag"),
                last_modified=_validator(answer, "Last-Modified"),
            )
        )

    async def _conditions(self, known: Taken) -> dict[str, str]:
        """Headers that ask for the content only if it is another one (RFC 9110 §13.1)."""
        if known.sound_id is None or not await are_stored(self._blobs, known.sound_id):
            return {}
        headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        return {name: value for name, value in headers.items() if value is not None}


def _validator(answer: Answer, name: str) -> str | None:
    value = answer.headers.get(name)
    return (
        value
        if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()
        else None
    )


def _shown(status: int) -> str:
    """The status with the words of the standard, not the server's."""
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)
