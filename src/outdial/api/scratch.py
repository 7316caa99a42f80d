"""A folder of a request's own, which goes with the request."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from outdial.api.context import ApiContext


@asynccontextmanager
async def scratch_folder(context: ApiContext) -> AsyncIterator[Path]:
    """Make a new folder for what a request needs on disk, and remove it with all that is in it."""
    folder = context.options.work_dir / context.new_uuid()
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
