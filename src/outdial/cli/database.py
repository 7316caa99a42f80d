"""Work on the server's database directly, for commands that run where the server runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from outdial.config import load_settings
from outdial.storage.database import Database
from outdial.supervisor.prepare import prepare_database

T = TypeVar("T")


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work` on the database of the settings, made ready first as `outdial serve` would."""
    settings = load_settings()
    prepare_database(settings)

    async def run() -> T:
        async with Database(settings.resolved_database_url) as database:
            return await work(database)

    return asyncio.run(run())
