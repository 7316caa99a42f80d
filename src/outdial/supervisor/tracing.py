"""Traces of a role's process: on where `tracing.endpoint` is set, else neither cost nor import."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from outdial.config import Settings
from outdial.errors import ConfigurationError
from outdial.telemetry.spans import Tracer


@asynccontextmanager
async def tracing(settings: Settings, role: str) -> AsyncIterator[Tracer | None]:
    """A tracer while the block runs; what waits is sent at its end.

    Raises ConfigurationError when traces are wanted and the extra is not installed.
    """
    section = settings.tracing
    if section.endpoint is None:
        yield None
        return
    try:
        from outdial.telemetry import open_telemetry
    except ImportError as error:
        raise ConfigurationError(
            f"tracing.endpoint is set, and {error.name} is not installed: install Outdial with its extra,"
            " outdial[otel], or unset tracing.endpoint."
        ) from None
    tracer = open_telemetry.open_tracer(
        section.endpoint, sample_ratio=section.sample_ratio, version=version("outdial"), role=role
    )
    try:
        yield tracer
    finally:
        await asyncio.to_thread(tracer.stop)
