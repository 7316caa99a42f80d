"""The dialer role: user agent, media workers and a dispatcher over one database."""

import asyncio
import os
import socket
import uuid

import structlog

from outdial.config import Settings
from outdial.dispatch.agent_call import Agents
from outdial.dispatch.audio_fetch import AudioFetch, AudioFetchOptions
from outdial.dispatch.audio_source import AudioSources
from outdial.dispatch.clips import StoredClips
from outdial.dispatch.conferences import Conferences
from outdial.dispatch.conversation import Flows
from outdial.dispatch.dispatcher import Dispatcher
from outdial.dispatch.flow_library import FlowLibrary
from outdial.dispatch.lines import Lines
from outdial.dispatch.messages import Messages
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.phones import SipNetwork
from outdial.dispatch.prompt_audio import PromptAudio
from outdial.dispatch.prompt_rendering import PromptRendering, PromptRenderingOptions
from outdial.dispatch.recordings import Recordings
from outdial.dispatch.runner import Runner
from outdial.dispatch.tones import Tones
from outdial.dispatch.url_audio import UrlAudio, UrlAudioOptions
from outdial.egress.client import EgressClient
from outdial.errors import ConfigurationError
from outdial.speech.setup import open_voices
from outdial.storage import cdrs, recordings
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.supervisor.parts import (
    collect_garbage_rarely,
    egress_options,
    open_blobs,
    steady_clock,
    sweep_old_uploads,
    wall_clock_ms,
    why,
)
from outdial.supervisor.speech import speech_client, speech_options
from outdial.supervisor.telemetry import telling_metrics
from outdial.supervisor.tracing import tracing
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.figures import MediaFigures
from outdial.telephony.media.options import MediaOptions
from outdial.telephony.user_agent import UserAgent, UserAgentOptions

log = structlog.get_logger()


async def serve_dialer(settings: Settings, stop: asyncio.Event) -> None:
    """Claim and run calls until `stop` is set, then drain.

    Raises ConfigurationError when the SIP port cannot be bound, and whatever the dispatcher died of: then the
    supervisor starts the role anew.
    """
    media = MediaClient(media_options(settings))
    agent = UserAgent(user_agent_options(settings))
    blobs = open_blobs(settings)
    sweep_old_uploads(settings.data_dir / "work", now_s=wall_clock_ms() / 1000)
    async with (
        Database(settings.resolved_database_url) as database,
        EgressClient(egress_options(settings)) as egress,
        speech_client(settings) as to_speech_server,
        tracing(settings, "dialer") as tracer,
    ):
        voices = open_voices(speech_options(settings), to_speech_server)
        url_audio = UrlAudio(
            database,
            AudioSources(
                AudioFetch(egress, blobs, audio_fetch_options(settings)),
                PromptRendering(database, voices, blobs, prompt_rendering_options(settings)),
            ),
            wall_clock_ms,
            new_id=lambda: str(uuid.uuid4()),
            options=UrlAudioOptions(fresh_s=settings.egress.audio_fresh_seconds),
        )
        kept = _recordings(settings, blobs, database) if settings.dispatch.record else None
        try:
            await _start(agent, settings)
            await media.start()
            await url_audio.start()
            network = SipNetwork(agent, media, wall_clock_ms)
            lines = Lines(most=settings.legs_at_once)
            clips = StoredClips(blobs)
            flows = Flows(
                library=FlowLibrary(database),
                prompts=PromptAudio(
                    database, clips, url_audio, voices, Tones(settings.data_dir / "tones"), wall_clock_ms
                ),
                egress=egress,
                conferences=Conferences(database),
                messages=Messages(settings.data_dir / "messages", blobs),
                agents=Agents(
                    network=network,
                    store=database,
                    lines=lines,
                    clock=wall_clock_ms,
                    new_sip_call_id=lambda: uuid.uuid4().hex,
                    reserve_ms=int(settings.billing.reserve_seconds * 1000),
                ),
            )
            runner = Runner(
                database,
                network,
                clips,
                wall_clock_ms,
                url_audio=url_audio,
                flows=flows,
                new_sip_call_id=lambda: uuid.uuid4().hex,
                recordings=kept,
                attempt_clock=steady_clock,
                tracer=tracer,
            )
            dispatcher = Dispatcher(
                database,
                network,
                runner,
                wall_clock_ms,
                lines=lines,
                new_dialer_id=new_dialer_id,
                options=dispatch_options(settings),
            )
            await dispatcher.start()
            collect_garbage_rarely()
            host, port = agent.address
            log.info(
                "dialer_ready",
                dialer_id=dispatcher.dialer_id,
                sip=f"{host}:{port}",
                workers=media.worker_pids,
            )
            figures = MediaFigures(media, wanted=media_options(settings).workers)

            async def look() -> None:
                dispatcher.note_figures()
                agent.note_figures()
                await figures.note()

            async with asyncio.TaskGroup() as helpers:
                uploads = helpers.create_task(kept.upload()) if kept is not None else None
                async with telling_metrics(settings, "dialer", look):
                    await _until(stop, dispatcher)
                await dispatcher.stop()
                if uploads is not None:
                    uploads.cancel()
            if kept is not None:
                await kept.upload_once()
                kept.close()
        finally:
            await url_audio.stop()
            await agent.stop()
            await media.stop()


class _Attempts:
    """What recordings ask about attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_recording(self, call_id: str, number: int, codec: str, key: str, duration_ms: int) -> bool:
        """See `dispatch.recordings.Attempts`."""
        return await self._database.run(
            cdrs.add_recording, call_id, number, codec, key, duration_ms=duration_ms
        )

    async def is_deleted(self, key: str) -> bool:
        """See `dispatch.recordings.Attempts`."""
        return await self._database.read(recordings.is_deleted, key)


def _recordings(settings: Settings, blobs: Blobs, database: Database) -> Recordings:
    return Recordings(
        settings.data_dir / "recordings",
        blobs,
        _Attempts(database),
        name=f"{os.getpid()}-{uuid.uuid4().hex[:8]}",
    )


def audio_fetch_options(settings: Settings) -> AudioFetchOptions:
    """The part of the settings that fetching audio by URL reads."""
    return AudioFetchOptions(
        work_dir=settings.data_dir / "work",
        most_bytes=settings.limits.upload_bytes,
        sound_ms=int(settings.limits.sound_seconds * 1000),
        total_s=settings.egress.audio_timeout_seconds,
        cache_bytes=settings.egress.audio_cache_bytes,
    )


def prompt_rendering_options(settings: Settings) -> PromptRenderingOptions:
    """The part of the settings that rendering prompts reads."""
    return PromptRenderingOptions(
        work_dir=settings.data_dir / "work",
        most_s=settings.speech.timeout_seconds,
        wait_s=settings.speech.wait_minutes * 60,
        processes=settings.speech.processes,
        sound_ms=int(settings.limits.sound_seconds * 1000),
        keep_unused_days=settings.speech.keep_days,
    )


def user_agent_options(settings: Settings) -> UserAgentOptions:
    """The part of the settings that the user agent reads."""
    return UserAgentOptions(
        bind_address=settings.sip.bind_address,
        port=settings.sip.port,
        public_address=settings.sip.public_address,
        media_address=settings.media.public_address,
    )


def media_options(settings: Settings) -> MediaOptions:
    """The part of the settings that the media client reads."""
    media = settings.media
    return MediaOptions(
        bind_address=media.bind_address,
        port_min=media.port_min,
        port_max=media.port_max,
        workers=media.workers or media_workers_on(len(os.sched_getaffinity(0))),
        fill_to=media.fill_to,
        rtp_timeout_s=media.rtp_timeout_seconds,
    )


def media_workers_on(cores: int) -> int:
    """How many media workers keep audio on time on a machine.

    All but one core, for the dialer's loop and whatever else runs; but two cores have a worker each, because
    audio takes three times as much as all the rest, and goes before it (`kernel.prefer_this_process`).
    """
    return min(cores, max(2, cores - 1))


def dispatch_options(settings: Settings) -> DispatchOptions:
    """The part of the settings that the dispatcher reads."""
    dispatch = settings.dispatch
    return DispatchOptions(lease_s=dispatch.lease_seconds, drain_s=dispatch.drain_seconds)


def new_dialer_id() -> str:
    """Unique with each start, and readable: host, process, a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


async def _start(agent: UserAgent, settings: Settings) -> None:
    try:
        await agent.start()
    except OSError as error:
        raise ConfigurationError(
            f"sip.bind_address = {settings.sip.bind_address!r}, sip.port = {settings.sip.port}:"
            f" cannot bind there"
            f" ({why(error)}); set sip.port or OUTDIAL_SIP__PORT to a free port."
        ) from None


async def _until(stop: asyncio.Event, dispatcher: Dispatcher) -> None:
    """Wait until told to stop, or until the dispatcher died."""
    async with asyncio.TaskGroup() as group:
        waits = {group.create_task(stop.wait()), group.create_task(dispatcher.finished())}
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
