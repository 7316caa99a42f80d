"""The webhooks role: one deliverer over one database."""

import asyncio
import secrets

import structlog

from outdial.config import Settings
from outdial.egress.client import EgressClient
from outdial.storage.database import Database
from outdial.supervisor.parts import collect_garbage_rarely, egress_options, wall_clock_ms
from outdial.supervisor.telemetry import telling_metrics
from outdial.supervisor.tracing import tracing
from outdial.webhooks.deliverer import Deliverer
from outdial.webhooks.options import WebhookOptions

log = structlog.get_logger()

_HOUR_MS = 60 * 60 * 1000


async def serve_webhooks(settings: Settings, stop: asyncio.Event) -> None:
    """Deliver events until `stop` is set; then requests under way may end.

    Raises whatever the deliverer died of: then the supervisor starts the role anew.
    """
    async with (
        Database(settings.resolved_database_url) as database,
        EgressClient(egress_options(settings)) as client,
        tracing(settings, "webhooks") as tracer,
    ):
        deliverer = Deliverer(
            database,
            client,
            wall_clock_ms,
            random=secrets.SystemRandom().random,
            options=webhook_options(settings),
            tracer=tracer,
        )
        await deliverer.start()
        collect_garbage_rarely()
        log.info("webhooks_ready")

        async def look() -> None:
            deliverer.note_figures()

        async with telling_metrics(settings, "webhooks", look):
            await _until(stop, deliverer)
        await deliverer.stop()


def webhook_options(settings: Settings) -> WebhookOptions:
    """The part of the settings that the deliverer reads."""
    section = settings.webhooks
    return WebhookOptions(
        timeout_s=section.timeout_seconds,
        per_endpoint=section.per_endpoint,
        max_concurrent=section.max_concurrent,
        off_after_ms=int(section.off_after_hours * _HOUR_MS),
        keep_ms=int(section.keep_days * 24 * _HOUR_MS),
        public_url=settings.api.public_url,
        drain_s=section.timeout_seconds,
    )


async def _until(stop: asyncio.Event, deliverer: Deliverer) -> None:
    """Wait until told to stop, or until the deliverer died."""
    async with asyncio.TaskGroup() as group:
        waits = {group.create_task(stop.wait()), group.create_task(deliverer.finished())}
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
