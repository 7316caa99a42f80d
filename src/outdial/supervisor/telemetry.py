"""The metrics of a role's process: what keeps them up to date, who is told, and where."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog

from outdial.config import Settings
from outdial.supervisor.metrics_port import MetricsPort
from outdial.telemetry import metrics, process, sockets
from outdial.telemetry.exposition import Snapshot

log = structlog.get_logger()

Look = Callable[[], Awaitable[None]]
"""Brings some of the instruments up to date before they are told."""


@asynccontextmanager
async def telling_metrics(settings: Settings, role: str, *looks: Look) -> AsyncIterator[None]:
    """Tell this process's metrics while the block runs; `looks` are asked whenever somebody wants them."""
    metrics.INFO.set(1, version("outdial"))
    metrics.PROCESS_START.set(process.started_at())

    async def tell() -> Snapshot:
        process.note_process(settings.data_dir)
        await _look(looks)
        return Snapshot(role, metrics.CATALOGUE.snapshot())

    told = sockets.MetricsSocket(settings.data_dir / sockets.FOLDER, f"{role}-{os.getpid()}", tell)
    async with asyncio.TaskGroup() as helpers:
        watching = helpers.create_task(process.watch_loop())
        await told.start()
        port = None
        if settings.metrics.port is not None:
            port = helpers.create_task(MetricsPort(settings).keep())
        try:
            yield
        finally:
            watching.cancel()
            if port is not None:
                port.cancel()
            await told.stop()


async def _look(looks: Sequence[Look]) -> None:
    for look in looks:
        try:
            await look()
        except Exception as error:  # noqa: BLE001 - what can be told is told
            log.warning("metrics_incomplete", error=str(error), kind=type(error).__name__)
