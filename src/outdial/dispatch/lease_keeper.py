"""Keeping this dialer's lease, and clearing up after dialers that lost theirs."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

import structlog

from outdial.dispatch.calls_in_progress import CallsInProgress
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.ports import Clock
from outdial.domain.call import Lease
from outdial.errors import DatabaseUnavailable
from outdial.storage import leases, rescue
from outdial.storage.database import Database

_RENEWALS_A_LEASE = 3
_KEEP_LOST_DIALERS_MS = 24 * 60 * 60 * 1000

_log = structlog.get_logger(__name__)


class LeaseKeeper:
    """This dialer's identity in the database. `dialer_id` changes when a lease was lost."""

    def __init__(
        self,
        database: Database,
        calls: CallsInProgress,
        options: DispatchOptions,
        clock: Clock,
        *,
        new_dialer_id: Callable[[], str],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._calls = calls
        self._lease_s = options.lease_s
        self._lease_ms = int(options.lease_s * 1000)
        self._interval_s = options.lease_s / _RENEWALS_A_LEASE
        self._clock = clock
        self._monotonic = monotonic
        self._new_dialer_id = new_dialer_id
        self._unknown: set[Lease] = set()
        self._until: float | None = None
        """When our lease runs out by our monotonic clock; None while we have none."""
        self._seen: dict[str, tuple[int, float]] = {}
        """How often each of the others had renewed its lease, and since when we have seen no more."""
        self.dialer_id = ""

    async def register(self) -> None:
        """Get a lease under a new id. Raises DatabaseUnavailable."""
        dialer_id, now, until = self._new_dialer_id(), self._clock(), self._monotonic() + self._lease_s
        await self._database.run(
            leases.register,
            dialer_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            now=now,
            lease_until=now + self._lease_ms,
        )
        self.dialer_id, self._until = dialer_id, until
        self._unknown.clear()
        _log.info("dialer_registered", dialer_id=dialer_id)

    async def keep(self) -> None:
        """Renew the lease until cancelled; give all calls up at the moment when it runs out."""
        while True:
            await asyncio.sleep(self._interval_s)
            left_s = None if self._until is None else self._until - self._monotonic()
            try:
                async with asyncio.timeout(left_s):
                    await self._renew()
            except (DatabaseUnavailable, TimeoutError) as error:
                _log.warning(
                    "lease_not_renewed", dialer_id=self.dialer_id, error=str(error) or "no answer in time"
                )
                if self._until is not None and self._monotonic() >= self._until:
                    self._lose()

    async def keep_rescuing(self) -> None:
        """Rescue what dialers left behind, now and then until cancelled."""
        while True:
            try:
                await self.rescue()
            except DatabaseUnavailable as error:
                _log.warning("rescue_failed", error=str(error))
            await asyncio.sleep(self._interval_s)

    async def give_up(self) -> None:
        """End the lease, at a stop: what is left is rescued by others at once."""
        await self._database.run(leases.give_up, self.dialer_id, now=self._clock())

    async def rescue(self) -> None:
        """Clear up after lost dialers, and after attempts of ours that nothing here runs any more."""
        now, silent = self._clock(), self._silent(await self._database.read(leases.beats))
        rescued = await self._database.run(rescue.rescue_lost, silent=silent, now=now)
        while len(rescued.requeued) + len(rescued.interrupted) == rescue.BATCH:
            _report(rescued)
            rescued = await self._database.run(rescue.rescue_lost, silent={}, now=now)
        _report(rescued)
        await self._rescue_own(now)
        await self._database.run(leases.prune, lost_before=now - _KEEP_LOST_DIALERS_MS)

    def _silent(self, beats: Mapping[str, int]) -> dict[str, int]:
        """The others that stand at the same count for as long as a lease lasts, with that count.

        A lease began to run before its renewal could be seen, so its dialer has given up by then.
        """
        now = self._monotonic()
        self._seen = {
            dialer_id: seen if (seen := self._seen.get(dialer_id)) and seen[0] == count else (count, now)
            for dialer_id, count in beats.items()
            if dialer_id != self.dialer_id
        }
        return {
            dialer_id: count
            for dialer_id, (count, since) in self._seen.items()
            if now - since >= self._lease_s
        }

    async def _renew(self) -> None:
        if self._until is None:
            await self.register()
            return
        now, until = self._clock(), self._monotonic() + self._lease_s
        lease_until = now + self._lease_ms
        if not await self._database.run(leases.renew, self.dialer_id, now=now, lease_until=lease_until):
            self._lose()
            await self.register()
            return
        self._until = until

    def _lose(self) -> None:
        if self._until is not None:
            _log.error("lease_lost", dialer_id=self.dialer_id, calls=len(self._calls))
            self._calls.lose(self.dialer_id)
            self._until = None

    async def _rescue_own(self, now: int) -> None:
        """End what is leased to us but not run by us: a claim whose answer was lost, a fault of ours.

        Only what was unknown twice in a row, because a claim is in the database before it is in memory.
        """
        held = await self._database.read(leases.active, self.dialer_id)
        unknown = {lease for lease in held if not self._calls.holds(lease)}
        lost = [lease for lease in held if lease in unknown & self._unknown]
        self._unknown = unknown
        if lost:
            _report(await self._database.run(rescue.rescue_leases, lost, now=now))


def _report(rescued: rescue.Rescued) -> None:
    if rescued.requeued or rescued.interrupted:
        _log.warning("calls_rescued", requeued=len(rescued.requeued), interrupted=len(rescued.interrupted))
