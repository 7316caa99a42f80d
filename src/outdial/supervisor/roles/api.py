"""The api role: uvicorn, the application and a database; it also removes what is old."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import structlog
import uvicorn

from outdial.api.app import create_app
from outdial.api.auth import TokenCache
from outdial.api.context import ApiContext, ApiOptions, MetricsReader
from outdial.config import Settings
from outdial.egress.client import EgressClient
from outdial.egress.guard import Guard
from outdial.errors import ConfigurationError
from outdial.speech.setup import open_voices
from outdial.storage.database import Database
from outdial.supervisor.http_protocol import BoundedProtocol
from outdial.supervisor.parts import (
    UuidSource,
    collect_garbage_rarely,
    egress_options,
    open_blobs,
    sweep_old_uploads,
    wall_clock_ms,
    why,
)
from outdial.supervisor.queue_figures import QueueFigures
from outdial.supervisor.retention import open_retention
from outdial.supervisor.speech import speech_client, speech_options
from outdial.supervisor.telemetry import telling_metrics
from outdial.supervisor.tracing import tracing
from outdial.telemetry import sockets
from outdial.telemetry.access import MetricsAccess
from outdial.webhooks.endpoint_checks import EndpointChecks

log = structlog.get_logger()

_BACKLOG = 2048
_GRACE_S = 10
"""For requests in progress when the server is told to stop."""


async def serve_api(settings: Settings, stop: asyncio.Event) -> None:
    """Serve HTTP until `stop` is set. Raises ConfigurationError when the address cannot be listened on."""
    listener = listen(settings.api.host, settings.api.port)
    options = api_options(settings)
    sweep_old_uploads(options.work_dir, now_s=wall_clock_ms() / 1000)
    async with (
        Database(settings.resolved_database_url) as database,
        EgressClient(egress_options(settings)) as client,
        telling_metrics(settings, "api", QueueFigures(database).note),
        tracing(settings, "api") as tracer,
    ):
        context = ApiContext(
            database=database,
            blobs=open_blobs(settings),
            tokens=TokenCache(database, wall_clock_ms),
            options=options,
            now_ms=wall_clock_ms,
            new_uuid=UuidSource(),
            voices=open_voices(speech_options(settings), speech_client(settings)),
            metrics=metrics_reader(settings),
            tracer=tracer,
            endpoints=EndpointChecks(client, wall_clock_ms, timeout_s=settings.webhooks.timeout_seconds),
        )
        config = uvicorn.Config(
            create_app(context),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=bool(settings.api.trusted_proxies),
            forwarded_allow_ips=[
                str(ip_network(each, strict=False)) for each in settings.api.trusted_proxies
            ],
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config)
        collect_garbage_rarely()
        host, port = listener.getsockname()[:2]
        log.info("api_listening", url=f"http://{host}:{port}")
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listener]))
            retaining = group.create_task(open_retention(settings, database).keep_running())
            await _first_of(stop, serving)
            server.should_exit = True
            retaining.cancel()


def metrics_reader(settings: Settings) -> MetricsReader:
    """The metrics of all processes that share this data folder."""
    section = settings.metrics
    token = None if section.token is None else section.token.get_secret_value()
    folder = settings.data_dir / sockets.FOLDER
    return MetricsReader(lambda: sockets.gather(folder), MetricsAccess(section.allow, token))


def api_options(settings: Settings) -> ApiOptions:
    """The part of the settings that the application reads."""
    return ApiOptions(
        public_url=settings.api.public_url,
        requests_per_second=settings.api.requests_per_second,
        upload_bytes=settings.limits.upload_bytes,
        sound_ms=int(settings.limits.sound_seconds * 1000),
        recipients=settings.limits.recipients,
        retries=settings.limits.retries,
        reserve_ms=int(settings.billing.reserve_seconds * 1000),
        work_dir=settings.data_dir / "work",
        guard=Guard(egress_options(settings).allow),
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises ConfigurationError with what to change when that is not possible."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"api.host = {host!r}, api.port = {port}: cannot listen there ({why(error)});"
            " set api.port or OUTDIAL_API__PORT to a free port."
        ) from None
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """The role handles the signals itself, so that every part stops in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _first_of(stop: asyncio.Event, serving: "asyncio.Task[None]") -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(stop.wait())
        await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
