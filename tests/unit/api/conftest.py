from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.helpers.http_api import Api, running_api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path, upload_bytes=200_000, sound_ms=5_000, recipients=20) as running:
        yield running
