"""Parts that several roles and commands build from the settings in the same way."""

import time

from outdial.config import Settings
from outdial.storage.blobs import Blobs


def wall_clock_ms() -> int:
    """Unix milliseconds: the one place where the wall clock is read."""
    return time.time_ns() // 1_000_000


def open_blobs(settings: Settings) -> Blobs:
    """The blob store in the data folder."""
    return Blobs(f"file://{settings.data_dir / 'blobs'}")
