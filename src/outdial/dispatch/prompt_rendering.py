"""One prompt: said by its engine in a process of its own, then decoded and stored like any sound."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from outdial.audio.decode import DecodeLimits, prepare_sound
from outdial.dispatch.audio_source import Content, Failed, NotModified
from outdial.dispatch.clips import STORE_S, are_stored, store
from outdial.domain.prompt import SCHEME, Prompt, key_of
from outdial.errors import AudioError, BlobsUnavailable, SpeechAway, SpeechError
from outdial.speech.render import render
from outdial.speech.voices import Voices
from outdial.storage import audio_urls, prompts
from outdial.storage.audio_urls import FetchedSound, Taken
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database

_DAY_MS = 24 * 60 * 60 * 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRenderingOptions:
    """Bounds and places."""

    work_dir: Path
    """Prompts are rendered and decoded here before they go into the blob store."""
    most_s: float = 60.0
    """For one prompt, with the wait for a free process."""
    wait_s: float = 3_600.0
    """For about so long calls wait for an engine that is away or too slow, before they end."""
    processes: int = 2
    """Prompts that are rendered at once."""
    sound_ms: int = 600_000
    keep_unused_days: float = 7.0
    """Prompts often hold what concerns one person and are never asked for again."""


class PromptRendering:
    """Renders prompts; one object serves all of a dialer's."""

    def __init__(
        self, database: Database, voices: Voices, blobs: Blobs, options: PromptRenderingOptions
    ) -> None:
        self._database = database
        self._voices = voices
        self._blobs = blobs
        self._options = options
        self.most_s = options.most_s + 2 * STORE_S
        self._processes = asyncio.Semaphore(options.processes)

    async def fetch(self, address: str, known: Taken, *, sound_id: str) -> Content | NotModified | Failed:
        """Render the prompt at `address`, unless its clips are `known`, and store them under `sound_id`."""
        prompt = await self._database.read(prompts.get, key_of(address))
        if prompt is None:
            return Failed("The text of this prompt is not stored any more.", temporary=False)
        folder = self._options.work_dir / sound_id
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            if known.sound_id is not None and await are_stored(self._blobs, known.sound_id):
                return NotModified()
            async with asyncio.timeout(self._options.most_s), self._processes:
                made = await self._render(prompt, sound_id, folder)
            await store(self._blobs, sound_id, folder)
        except TimeoutError:
            return Failed.slow(address, self._options.most_s, wait_s=self._options.wait_s)
        except BlobsUnavailable as error:
            _log.warning("prompt_not_stored", error=str(error))
            return Failed.store_away()
        except SpeechAway as error:
            return Failed(str(error), error.temporary, self._options.wait_s)
        except SpeechError as error:
            return Failed(str(error), error.temporary)
        except AudioError as error:
            return Failed(f"What the voice {prompt.voice} said cannot be played: {error}.", temporary=False)
        except Exception as error:  # noqa: BLE001 - a full disk, say: it has an end that callers are told
            _log.exception("prompt_not_rendered", error=str(error))
            return Failed("The text could not be spoken for a fault of ours.", temporary=True)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return Content(made)

    async def tidy(self, database: Database, *, now: int) -> None:
        """Let go of the sounds of prompts that nobody has asked for lately; the blobs go later."""
        unused = now - int(self._options.keep_unused_days * _DAY_MS)
        await database.run(audio_urls.forget_unused, now=now, checked_before=unused, scheme=SCHEME)
        await database.run(prompts.delete_unused, asked_before=unused)

    async def _render(self, prompt: Prompt, sound_id: str, folder: Path) -> FetchedSound:
        engine, voice = self._voices.find(prompt.voice)
        source = await render(prompt, engine, voice, folder, most_ms=self._options.sound_ms)
        size = source.stat().st_size
        info = await prepare_sound(
            source, folder, DecodeLimits(max_duration_ms=self._options.sound_ms + 1_000, wall_seconds=20.0)
        )
        return FetchedSound(
            id=sound_id,
            duration_ms=info.duration_ms,
            source_format="speech",
            bytes=size,
            etag=None,
            last_modified=None,
        )
