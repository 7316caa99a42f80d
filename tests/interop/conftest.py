"""Far ends as real processes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.options import MediaOptions
from tests.helpers.sipp import Sipp
from tests.interop.caller import PATIENT, Caller

StartSipp = Callable[..., Awaitable[Sipp]]


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[StartSipp]:
    """Start sipp with a scenario of `tests/integration/sipp`; keywords of the scenario are arguments."""
    started: list[Sipp] = []

    async def start(scenario: str, **options: Any) -> Sipp:
        process = Sipp(scenario, tmp_path, **options)
        started.append(process)
        await process.start()
        return process

    yield start
    for process in started:
        await process.stop()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A user agent without media."""
    async with Caller() as ready:
        yield ready


@pytest.fixture
async def talker() -> AsyncIterator[Caller]:
    """A user agent with a real media worker."""
    media = MediaClient(MediaOptions(port_min=43_000, port_max=44_000))
    await media.start()
    async with Caller(timer_values=PATIENT, media=media) as ready:
        yield ready
    await media.stop()
