"""Retention as a whole: batch after batch, recordings out of the blob store before they leave the CDR."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from outdial.errors import OutdialError
from outdial.storage import recordings, retention
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.retention import Kind, Mark

_DAY_MS = 24 * 60 * 60 * 1000
_TURN_MS = 60 * 60 * 1000
_LOOK_S = 300.0
_PAUSE_S = 0.05
"""Between batches, so that calls in progress do not wait behind them."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionOptions:
    """How long what is kept, in milliseconds; None for ever."""

    traces_ms: int | None = 30 * _DAY_MS
    recordings_ms: int | None = 90 * _DAY_MS
    personal_ms: int | None = None
    audit_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Removed:
    """How much a run removed, or would have removed."""

    traces: int = 0
    """Calls whose traces went."""
    recordings: int = 0
    """Calls whose recordings went."""
    personal: int = 0
    """Calls whose personal data went."""
    audit: int = 0
    """Entries of the audit log."""
    idempotency_keys: int = 0
    waiting: int = 0
    """Calls that are old enough, but of which a webhook is still to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What `forget` did."""

    calls: int
    left: int
    """Calls that are not done, or of which a webhook is still to be told."""


class Retention:
    """Removes what is old. Raises DatabaseUnavailable and BlobsUnavailable; what was done stays done."""

    def __init__(
        self, database: Database, blobs: Blobs, options: RetentionOptions, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._options = options
        self._clock = clock

    async def run(self, *, dry_run: bool = False, from_start: bool = True) -> Removed:
        """Go through everything that is old enough, from the first call or where the last run came to."""
        removed = Removed()
        await self._logs(removed, dry_run=dry_run)
        options = self._options
        # Recordings last: a blob store that is away keeps nothing else from being removed.
        for kind, keep_ms in (
            (Kind.TRACES, options.traces_ms),
            (Kind.RECORDINGS, options.recordings_ms),
            (Kind.PERSONAL, options.personal_ms),
        ):
            if keep_ms is not None:
                before = self._clock() - keep_ms
                await self._calls(kind, before, removed, dry_run=dry_run, from_start=from_start)
        if not dry_run:
            await self._erase()
        return removed

    async def _erase(self) -> None:
        """Take the audio of recordings out of the blob store that could not be had when they were deleted."""
        while keys := await self._database.read(recordings.to_erase):
            await self._blobs.delete(keys)
            await self._database.run(recordings.note_erased, keys, now=self._clock())

    async def forget(self, number: str) -> Forgotten:
        """Remove the personal data of all calls to a number, given as digits, however new they are."""
        forgotten = 0
        while ids := await self._database.read(retention.calls_to, number):
            forgotten += await self._remove(Kind.PERSONAL, ids)
        left = await self._database.read(retention.count_calls_to, number)
        return Forgotten(calls=forgotten, left=left)

    async def keep_running(self) -> None:
        """Run once an hour, in one of all processes of the database, until cancelled."""
        while True:
            try:
                now = self._clock()
                if await self._database.run(retention.take_turn, now=now, next_at=now + _TURN_MS):
                    removed = await self.run(from_start=False)
                    _log.info("retention_ran", **asdict(removed))
            except OutdialError as error:
                _log.warning("retention_failed", error=str(error))
            except Exception:  # noqa: BLE001 - whoever runs this has more to do; the next turn tries again
                _log.exception("retention_failed")
            await asyncio.sleep(_LOOK_S)

    async def _calls(
        self, kind: Kind, before: int, removed: Removed, *, dry_run: bool, from_start: bool
    ) -> None:
        place = Mark() if from_start else await self._database.read(retention.mark, kind)
        first_waiting: Mark | None = None
        count = 0
        while batch := await self._database.read(retention.ended_calls, kind, after=place, before=before):
            ids = [call.id for call in batch if call.has_any and not call.waits]
            count += len(ids) if dry_run or not ids else await self._remove(kind, ids)
            removed.waiting += sum(call.has_any and call.waits for call in batch)
            if first_waiting is None and any(call.waits for call in batch):
                # The next run begins here again.
                first_waiting = place
            place = batch[-1].mark
            await asyncio.sleep(_PAUSE_S)
        setattr(removed, kind.value, count)
        if not dry_run:
            await self._database.run(retention.set_mark, kind, first_waiting or place)

    async def _remove(self, kind: Kind, ids: list[str]) -> int:
        if kind is not Kind.TRACES:
            await self._blobs.delete(await self._database.read(retention.recording_keys, ids))
        return await self._database.run(retention.remove, kind, ids)

    async def _logs(self, removed: Removed, *, dry_run: bool) -> None:
        now = self._clock()
        database = self._database
        if dry_run:
            removed.idempotency_keys = await database.read(retention.count_keys, now=now)
        else:
            while gone := await database.run(retention.prune_keys, now=now):
                removed.idempotency_keys += gone
        if self._options.audit_ms is None:
            return
        before = now - self._options.audit_ms
        if dry_run:
            removed.audit = await database.read(retention.count_audit, before=before)
        else:
            while gone := await database.run(retention.prune_audit, before=before):
                removed.audit += gone
