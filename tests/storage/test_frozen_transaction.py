"""A dialer that freezes in the middle of a transaction, with its locks (PostgreSQL; SQLite has one lock)."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from outdial.domain.call import CallState
from outdial.storage import attempts, calls, claims, leases
from outdial.storage.database import Database
from outdial.storage.engine import writer_engine
from tests.storage.world import LEASE_MS, World, rescue_lost

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with Database(postgres_url) as started:
        yield started


@pytest.fixture
async def frozen(postgres_url: str) -> AsyncIterator[sa.Connection]:
    """The connection of the frozen dialer, in a transaction that nobody ends."""
    engine = writer_engine(postgres_url)
    with engine.connect() as conn:
        conn.begin()
        yield conn
    engine.dispose()


async def _impatient(database: Database) -> None:
    """Let waiting for a lock fail at once, instead of after half a minute."""

    def set_timeout(conn: sa.Connection) -> None:
        conn.execute(sa.text("SET lock_timeout = '500ms'"))

    await database.run(set_timeout)


async def test_its_locks_do_not_stop_the_rescue_of_its_other_calls(
    world: World, frozen: sa.Connection
) -> None:
    run, lost_at = world.database.run, world.now + LEASE_MS
    await world.queue(3)
    locked, other, claimed = [claim.lease for claim in await world.claim(await world.dialer())]
    assert await run(attempts.mark_dialing, other, now=world.now)
    assert attempts.mark_dialing(frozen, locked, now=world.now)
    await _impatient(world.database)

    rescued = await run(rescue_lost, now=lost_at)
    assert (rescued.requeued, rescued.interrupted) == ([claimed], [other])

    frozen.rollback()  # PostgreSQL ends the session of a client that sleeps in a transaction
    rescued = await run(rescue_lost, now=lost_at)
    assert (rescued.requeued, rescued.interrupted) == ([locked], [])
    call = await world.database.read(calls.get, locked.call_id)
    assert call is not None
    assert call.state is CallState.QUEUED


async def test_a_renewal_in_the_air_does_not_stop_the_rescue_of_others(
    world: World, frozen: sa.Connection
) -> None:
    run, lost_at = world.database.run, world.now + LEASE_MS
    await world.queue(2)
    await world.dialer("frozen")
    (slow,) = [claim.lease for claim in await world.claim("frozen", limit=1)]
    await world.dialer("dead")
    (dead,) = [claim.lease for claim in await world.claim("dead", limit=1)]
    assert leases.renew(frozen, "frozen", now=world.now, lease_until=lost_at)
    await _impatient(world.database)

    assert (await run(rescue_lost, now=lost_at)).requeued == [dead]
    frozen.rollback()
    assert (await run(rescue_lost, now=lost_at)).requeued == [slow]


async def test_calls_in_a_claim_that_never_ends_are_left_alone(world: World, frozen: sa.Connection) -> None:
    (first, _) = await world.queue(2)
    await world.dialer("frozen")
    await world.dialer("other")
    claimed = claims.claim_due(
        frozen, dialer_id="frozen", now=world.now, limit=1, free_by_trunk={world.trunk_id: 1}
    )
    assert [claim.call.id for claim in claimed.calls] == [first.id]
    await _impatient(world.database)
    assert [claim.call.id for claim in await world.claim("other")] != [first.id]


async def test_postgresql_ends_a_session_that_sleeps_in_a_transaction_within_seconds(
    frozen: sa.Connection,
) -> None:
    shown = frozen.execute(sa.text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    assert shown == "10s"
