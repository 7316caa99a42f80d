"""The figures that are read from the database, for the metrics; once for many who ask."""

import asyncio
import time

from outdial.errors import DatabaseUnavailable
from outdial.storage import gauges
from outdial.storage.database import Database
from outdial.supervisor.parts import wall_clock_ms
from outdial.telemetry import metrics

_FRESH_S = 5.0
_TIMEOUT_S = 1.5
"""Whoever gathers the metrics waits for 2 s."""


class QueueFigures:
    """Reads them at most every five seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fresh_until = 0.0

    async def note(self) -> None:
        """Bring the instruments up to date; with the database away only `outdial_database_up` is."""
        if time.monotonic() < self._fresh_until:
            return
        now = wall_clock_ms()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                found = await self._database.read(gauges.look, now=now)
        except (DatabaseUnavailable, TimeoutError):
            metrics.DATABASE_UP.set(0)
            return
        self._fresh_until = time.monotonic() + _FRESH_S
        note_gauges(found, now)


def note_gauges(found: gauges.Gauges, now: int) -> None:
    """Write figures of the database, as of `now` (Unix milliseconds), into the instruments."""
    metrics.DATABASE_UP.set(1)
    metrics.DIALERS.set(found.dialers)
    metrics.QUEUE_CALLS.replace({(name,): each.calls for name, each in found.by_trunk.items()})
    metrics.QUEUE_AGE.replace(
        {(name,): _age(each.oldest_due_at, now) for name, each in found.by_trunk.items()}
    )
    counts: dict[tuple[str, ...], float] = {}
    ages: dict[tuple[str, ...], float] = {}
    for place, (name, each) in enumerate(found.by_account.items()):
        label = (name if place < metrics.ACCOUNTS else metrics.OTHER,)
        counts[label] = counts.get(label, 0) + each.calls
        ages[label] = max(ages.get(label, 0), _age(each.oldest_due_at, now))
    metrics.QUEUE_ACCOUNT_CALLS.replace(counts)
    metrics.QUEUE_ACCOUNT_AGE.replace(ages)
    states = ("claimed", "dialing", "ringing", "answered")
    metrics.ATTEMPTS_ACTIVE.replace({(state,): found.active_attempts.get(state, 0) for state in states})
    metrics.WEBHOOK_PENDING.set(found.pending_events)
    metrics.WEBHOOK_AGE.set(_age(found.oldest_event_due_at, now))
    metrics.WEBHOOKS_OFF.set(found.webhooks_off)


def _age(since: int | None, now: int) -> float:
    return 0.0 if since is None else max(0, now - since) / 1000
