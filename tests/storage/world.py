"""What every storage test needs around its calls: an account, a trunk, a dialer."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import sqlalchemy as sa

from outdial.domain.call import AttemptOutcome, CallState, ClaimedCall, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.storage import accounts, administration, bridges, calls, claims, leases, rescue, trunks
from outdial.storage.audit import Actor
from outdial.storage.database import Database
from outdial.storage.tables import calls as calls_table
from outdial.storage.tables import dialers

BRIDGE = "12025550199"
CALLEE = "12025550100"
LEASE_MS = 30_000


@dataclass
class World:
    """One account with a trunk and a bridge; time starts at 1,000,000 and is set by hand."""

    database: Database
    account_id: int
    trunk_id: int
    now: int = 1_000_000
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @classmethod
    async def make(cls, database: Database) -> "World":
        account = await database.run(accounts.insert, name="test", now=1)
        wide = trunks.NewTrunk(
            name="trunk", host="192.0.2.1", calls_per_second=10_000.0, max_concurrent=10_000
        )
        trunk = await database.run(trunks.insert, wide, now=1)
        await database.run(bridges.insert, number=BRIDGE, account_id=account.id, trunk_id=trunk.id, now=1)
        return cls(database, account.id, trunk.id)

    def new_call(self, **changes: object) -> NewCall:
        values: dict[str, object] = {
            "id": f"call:{next(self.numbers)}",
            "account_id": self.account_id,
            "bridge": BRIDGE,
            "trunk_id": self.trunk_id,
            "to": CALLEE,
            "submitted_at": self.now,
            "due_at": self.now,
            "sound_id": "sound",
        }
        return NewCall(**(values | changes))  # type: ignore[arg-type]

    async def queue(self, number: int = 1, **changes: object) -> list[NewCall]:
        new_calls = [self.new_call(**changes) for _ in range(number)]
        await self.database.run(calls.insert_calls, new_calls)
        return new_calls

    async def dialer(self, name: str = "dialer") -> str:
        await self.database.run(
            leases.register, name, host="host", pid=1, now=self.now, lease_until=self.now + LEASE_MS
        )
        return name

    async def lose(self, dialer_id: str = "dialer") -> None:
        """Somebody declares a dialer lost, and has not looked after its calls yet."""
        self.now += LEASE_MS
        await self.database.run(leases.give_up, dialer_id, now=self.now)

    async def claim(self, dialer_id: str, limit: int = 100, free: int = 100) -> list[ClaimedCall]:
        claimed = await self.database.run(
            claims.claim_due,
            dialer_id=dialer_id,
            now=self.now,
            limit=limit,
            free_by_trunk={self.trunk_id: free},
        )
        return claimed.calls


def switch_trunk(conn: sa.Connection, trunk_id: int, *, enabled: bool) -> None:
    """As an administrator does."""
    administration.change_trunk(conn, Actor(name="test"), trunk_id, {"enabled": enabled}, now=1)


def count_by_state(conn: sa.Connection) -> Counter[CallState]:
    """How many calls are in each state."""
    return Counter(CallState(state) for state in conn.execute(sa.select(calls_table.c.state)).scalars())


def rescue_lost(conn: sa.Connection, *, now: int, limit: int = rescue.BATCH) -> rescue.Rescued:
    """Rescue by one who has seen no beat of a dialer since its last renewal, however long that is ago."""
    silent = sa.select(dialers.c.id, dialers.c.beats).where(
        dialers.c.lost_at.is_(None), dialers.c.lease_until <= now
    )
    return rescue.rescue_lost(
        conn, silent={row.id: row.beats for row in conn.execute(silent)}, now=now, limit=limit
    )


def outcome(ended_at: int, **changes: object) -> AttemptOutcome:
    """A plain answered outcome."""
    values: dict[str, object] = {
        "disposition": Disposition.ANSWER,
        "reason": EndReason.COMPLETED,
        "hangup_by": HangupBy.SYSTEM,
        "ended_at": ended_at,
        "dialing_at": ended_at - 3,
        "answered_at": ended_at - 1,
    }
    return AttemptOutcome(**(values | changes))  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Poll until `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
