"""Retention as the settings want it, for the role that runs it and for the commands."""

from outdial.config import Settings
from outdial.storage.database import Database
from outdial.storage.retention_run import Retention, RetentionOptions
from outdial.supervisor.parts import open_blobs, wall_clock_ms

_DAY_MS = 24 * 60 * 60 * 1000


def open_retention(settings: Settings, database: Database) -> Retention:
    """What removes old data from this database and from the blob store of the settings."""
    return Retention(database, open_blobs(settings), retention_options(settings), wall_clock_ms)


def retention_options(settings: Settings) -> RetentionOptions:
    """The part of the settings that retention reads."""
    section = settings.retention
    return RetentionOptions(
        traces_ms=_ms(section.traces_days),
        recordings_ms=_ms(section.recordings_days),
        personal_ms=_ms(section.personal_days),
        audit_ms=_ms(section.audit_days),
    )


def _ms(days: float | None) -> int | None:
    return None if days is None else int(days * _DAY_MS)
