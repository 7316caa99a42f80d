"""A dialer that sleeps through two lease times beside another one on the same database."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.disposition import EndReason
from outdial.supervisor.parts import wall_clock_ms
from tests.chaos.campaign import Campaign
from tests.chaos.frozen import frozen_attempts
from tests.chaos.scale import CALLS
from tests.chaos.world import LEASE_S, World
from tests.helpers.poll import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

Rows = list[tuple[Any, ...]]


async def test_a_dialer_that_slept_too_long_writes_nothing_and_dials_nobody_again(
    world: World, rng: Random
) -> None:
    campaign = Campaign(world, "dialer frozen")
    sleeper = world.system.pid_of("dialer")
    async with _another_dialer(world):
        sleeper_id = world.system.registered_dialers()[sleeper]
        await campaign.send(world.numbers.mix(CALLS, rng), rng)
        await until(lambda: _active(world, sleeper_id) >= rng.randrange(5, 25), "it is busy", every_s=0)
        # Between two of its transactions: SQLite has one lock for all, which must not sleep with it.
        with frozen_attempts(world.system):
            os.kill(sleeper, signal.SIGSTOP)
        try:
            slept_until = wall_clock_ms() + 2 * LEASE_S * 1000
            await campaign.drain()
            await until(lambda: wall_clock_ms() > slept_until, "two leases are over")
            before = _written_by(world, sleeper_id)
        finally:
            os.kill(sleeper, signal.SIGCONT)
        await until(
            lambda: world.system.registered_dialers().get(sleeper, sleeper_id) != sleeper_id,
            "the sleeper comes back under another name",
        )
        await _works_again(world, rng)
        assert _written_by(world, sleeper_id) == before

    assert campaign.problems(EndReason.INTERRUPTED) == []
    reasons = campaign.reasons()
    assert reasons[EndReason.INTERRUPTED] > 0
    assert reasons[EndReason.COMPLETED] > 0


@asynccontextmanager
async def _another_dialer(world: World) -> AsyncIterator[None]:
    """`outdial serve --role dialer`, as it runs on a second machine."""
    other = world.system.serve("--role", "dialer", settings={"sip.port": 5061})
    await until(lambda: len(world.system.registered_dialers()) == 2, "a second dialer is there")
    yield
    assert await other.stop() == 0


async def _works_again(world: World, rng: Random) -> None:
    """Both dialers take calls."""
    campaign = Campaign(world, "after a dialer slept")
    await campaign.send(world.numbers.mix(20, rng, ("listens", "busy")), rng)
    await campaign.drain()
    assert campaign.problems() == []


def _active(world: World, dialer_id: str) -> int:
    query = sa.text("SELECT count(*) FROM attempts WHERE dialer_id = :id AND state <> 'ended'")
    count: int = world.system.read(lambda conn: conn.execute(query, {"id": dialer_id}).scalar_one())
    return count


def _written_by(world: World, dialer_id: str) -> dict[str, Rows]:
    """All rows that hang on the attempts of a dialer."""
    queries = {
        "attempts": "SELECT * FROM attempts WHERE dialer_id = :id ORDER BY call_id, number",
        "cdrs": "SELECT * FROM cdrs WHERE dialer_id = :id ORDER BY call_id, number",
        "calls": "SELECT calls.* FROM calls JOIN attempts ON attempts.call_id = calls.id"
        " WHERE attempts.dialer_id = :id ORDER BY calls.id",
        "traces": "SELECT traces.* FROM traces JOIN attempts ON attempts.call_id = traces.call_id"
        " AND attempts.number = traces.number WHERE attempts.dialer_id = :id",
    }

    def look(conn: sa.Connection) -> dict[str, Rows]:
        return {
            name: sorted((tuple(row) for row in conn.execute(sa.text(query), {"id": dialer_id})), key=repr)
            for name, query in queries.items()
        }

    return world.system.read(look)
