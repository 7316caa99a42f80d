"""Many dialers, rescuers and cancels at once, in random order: no call twice at a time, none lost.

The schedule is random but each step is checked against a model of what may happen on the wire: a dialer
"dials" only after `mark_dialing` said yes, and "talks" only after `mark_answered` did.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from outdial.domain.call import AttemptState, CallState, ClaimedCall
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import attempts, calls, cdrs, claims, giving_back, leases
from outdial.storage.database import Database
from tests.storage.world import World, count_by_state, outcome, rescue_lost

LEASE_MS = 1_000
CALLS = 60


@dataclass
class Wire:
    """What really happened to each callee's phone."""

    dials: Counter[str] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    dialling: dict[str, str] = field(default_factory=dict)

    def dial(self, call_id: str, dialer: str) -> None:
        assert call_id not in self.answered, "somebody who answered was called again"
        assert call_id not in self.dialling, "a call was dialled twice at the same time"
        self.dialling[call_id] = dialer
        self.dials[call_id] += 1


class RandomDialer:
    """Claims, dials, answers, finishes, stands still beyond its lease, dies and comes back."""

    def __init__(
        self, world: World, database: Database, name: str, wire: Wire, chance: random.Random
    ) -> None:
        self.world = world
        self.database = database
        self.name = name
        self.wire = wire
        self.chance = chance
        self.starts = 0
        self.id = ""

    async def run(self) -> None:
        while not await self._over():
            self.starts += 1
            self.id = f"{self.name}-{self.starts}"
            now = self.world.now
            await self.database.run(
                leases.register, self.id, host="h", pid=1, now=now, lease_until=now + LEASE_MS
            )
            await self._life()

    async def _over(self) -> bool:
        counts = await self.database.read(count_by_state)
        return counts[CallState.QUEUED] == 0 and counts[CallState.LEASED] == 0

    async def _life(self) -> None:
        for _ in range(self.chance.randint(1, 6)):
            self.world.now += self.chance.randint(0, 60)
            now = self.world.now
            await self.database.run(rescue_lost, now=now)
            if not await self.database.run(leases.renew, self.id, now=now, lease_until=now + LEASE_MS):
                return
            found = await self.database.run(
                claims.claim_due,
                dialer_id=self.id,
                now=now,
                limit=self.chance.randint(1, 5),
                free_by_trunk={self.world.trunk_id: 10},
            )
            await asyncio.gather(*(self._attempt(claimed) for claimed in found.calls))
            if self.chance.random() < 0.1:
                return  # dies: its lease runs out

    async def _attempt(self, claimed: ClaimedCall) -> None:
        run, lease, chance = self.database.run, claimed.lease, self.chance
        if chance.random() < 0.1:
            self.world.now += LEASE_MS  # stands still: everybody's lease may be over
        if chance.random() < 0.1:
            await run(giving_back.release, lease, now=self.world.now)
            return
        if chance.random() < 0.1 or not await run(attempts.mark_dialing, lease, now=self.world.now):
            return
        # From here on the callee's phone may ring. Others may only have dialled before us.
        self.wire.dial(lease.call_id, self.id)
        await asyncio.sleep(0)
        fate = chance.random()
        if fate < 0.15:
            self.wire.dialling.pop(lease.call_id)
            return  # dies here
        if fate < 0.6:
            at = self.world.now
            if await run(attempts.mark_answered, lease, at=at):
                self.wire.answered.add(lease.call_id)
            if chance.random() < 0.2:
                self.wire.dialling.pop(lease.call_id)
                return
            done = outcome(self.world.now)
            self.wire.dialling.pop(lease.call_id)
            await run(attempts.finish, lease, done, Done(), now=self.world.now)
            return
        busy = outcome(
            self.world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None
        )
        again = lease.number < 3
        self.wire.dialling.pop(lease.call_id)
        decision = Retry(self.world.now + chance.randint(0, 50), spends_attempt=True) if again else Done()
        await run(attempts.finish, lease, busy, decision, now=self.world.now)


@pytest.mark.parametrize("seed", range(4))
async def test_no_call_is_dialled_twice_at_a_time_and_none_is_lost(
    world: World, database_url: str, seed: int
) -> None:
    chance, wire = random.Random(seed), Wire()
    accepted = await world.queue(CALLS, retries=2)
    databases = [Database(database_url) for _ in range(3)]
    for database in databases:
        await database.start()
    dialers = [
        RandomDialer(world, database, f"dialer{index}", wire, random.Random(seed * 10 + index))
        for index, database in enumerate(databases)
    ]

    async def cancel_some() -> None:
        for call in chance.sample(accepted, 8):
            await world.database.run(calls.request_cancel, call.id, now=world.now)
            await asyncio.sleep(0.002)

    async with asyncio.timeout(60):
        await asyncio.gather(*(dialer.run() for dialer in dialers), cancel_some())
    for database in databases:
        await database.stop()

    # What is recorded is what happened.
    for call in accepted:
        stored = await world.database.read(calls.get, call.id)
        assert stored is not None
        assert stored.state is CallState.DONE
        assert stored.disposition is not None
        made = await world.database.read(attempts.of_call, call.id)
        records = await world.database.read(cdrs.of_call, call.id)
        assert {attempt.state for attempt in made} <= {AttemptState.ENDED}
        assert [cdr.number for cdr in records] == [attempt.number for attempt in made]
        assert [attempt.number for attempt in made] == list(range(1, len(made) + 1))
        assert wire.dials[call.id] <= len(made) <= 3
        assert (call.id in wire.answered) == any(
            cdr.outcome.disposition is Disposition.ANSWER for cdr in records
        )
        answers = [cdr.number for cdr in records if cdr.outcome.disposition is Disposition.ANSWER]
        assert answers in ([], [len(records)])
    assert await world.database.read(_leftovers) == 0


def _leftovers(conn: sa.Connection) -> int:
    count: int = conn.execute(sa.text("SELECT count(*) FROM attempts WHERE state <> 'ended'")).scalar_one()
    return count
