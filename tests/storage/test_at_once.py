"""What two processes do about the same row at the same moment (PostgreSQL; SQLite has one writer)."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Self, TypeVar

import psycopg
import pytest
import sqlalchemy as sa

from outdial.domain.disposition import EndReason
from outdial.storage import agent_legs, credit
from outdial.storage.agent_legs import NewLeg
from outdial.storage.agent_places import Refused
from outdial.storage.credit import NotCovered
from outdial.storage.database import Database
from outdial.storage.engine import writer_engine
from tests.storage.test_agent_legs import AGENT, answer, audit, begun, ended, legs, pay
from tests.storage.test_flow_events import talking
from tests.storage.world import BRIDGE, LEASE_MS, World, rescue_lost

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with Database(postgres_url) as started:
        yield started


T = TypeVar("T")


def just_before(slow: sa.Engine, statement: str, work: Callable[[sa.Connection], T]) -> Callable[[], T]:
    """Let another process do `work` before the slow one's first statement of that beginning; what it gave."""
    done: list[T] = []

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Self:
            if str(query).startswith(statement) and not done:
                other = sa.create_engine(slow.url)
                with other.begin() as conn:
                    conn.execute(sa.text("SET LOCAL lock_timeout = '500ms'"))
                    done.append(work(conn))
                other.dispose()
            return super().execute(query, *args, **options)

    def watch(connection: "psycopg.Connection[Any]", _record: object) -> None:
        connection.cursor_factory = Cursor

    sa.event.listen(slow, "connect", watch)
    return lambda: done[0]


@pytest.fixture
def slow(postgres_url: str) -> Iterator[sa.Engine]:
    engine = writer_engine(postgres_url)
    yield engine
    engine.dispose()


async def test_a_leg_is_charged_once_whoever_ends_it(world: World, slow: sa.Engine) -> None:
    await pay(world, 20_000)
    call = await talking(world)
    leg = await begun(world, call)
    assert await answer(world, call, leg)
    answered_at, world.now = world.now, world.now + LEASE_MS

    rescued = just_before(slow, "UPDATE agent_legs", partial(rescue_lost, now=world.now))
    with slow.begin() as conn:
        over = agent_legs.finish(conn, call.lease, leg.leg, ended(world, answered_at), now=world.now)

    assert rescued().interrupted == [call.lease]
    assert not over, "the rescuer was first"
    account = await world.database.read(audit, world.account_id)
    assert (account.balance, account.reserved) == (15_000, 0)
    (row,) = await legs(world, call)
    assert row.outcome is not None
    assert row.outcome.reason is EndReason.INTERRUPTED


async def test_a_leg_that_is_begun_is_not_left_behind_by_a_rescue(world: World, slow: sa.Engine) -> None:
    await pay(world, 20_000)
    call = await talking(world)
    world.now += LEASE_MS
    new = NewLeg(
        account_id=world.account_id,
        trunk_id=world.trunk_id,
        to=AGENT,
        caller_id=BRIDGE,
        callee=call.call.to,
        bridge=BRIDGE,
        sip_call_id="sip",
        talk_ms=58_000,
    )
    rescued = just_before(slow, "INSERT INTO agent_legs", partial(rescue_lost, now=world.now))
    with slow.begin() as conn:
        begun_or_not = agent_legs.begin(conn, call.lease, new, now=world.now)
    await world.database.run(rescue_lost, now=world.now)

    assert rescued().interrupted == [] or isinstance(begun_or_not, Refused)
    assert [row.outcome is None for row in await legs(world, call)] in ([], [False])
    assert (await world.database.read(audit, world.account_id)).reserved == 0


async def test_an_account_that_comes_to_owe_meanwhile_does_not_become_prepaid(
    world: World, slow: sa.Engine
) -> None:
    charge = partial(
        credit.settle,
        account_id=world.account_id,
        call_id="call:1",
        charge=5_000,
        reserved=0,
        now=world.now,
    )
    just_before(slow, "UPDATE accounts", charge)
    with pytest.raises(NotCovered), slow.begin() as conn:
        credit.set_terms(conn, world.account_id, prepaid=True, currency="USD")
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert (account.balance, account.prepaid) == (-5_000, False)
