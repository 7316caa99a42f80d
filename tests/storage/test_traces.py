"""Traces are bounded, and say so."""

import json

from outdial.domain.call import Lease
from outdial.storage import traces
from outdial.storage.traces import MAX_BYTES, MAX_ENTRIES
from tests.storage.world import World


async def leased(world: World) -> Lease:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    return claimed.lease


async def test_chunks_come_back_in_order_by_attempt(world: World) -> None:
    lease = await leased(world)
    run = world.database.run
    await run(traces.append, lease.call_id, 1, [{"at": 1, "text": "ä"}, {"at": 2}])
    await run(traces.append, lease.call_id, 1, [])
    await run(traces.append, lease.call_id, 1, [{"at": 3}])
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert trace == traces.AttemptTrace(1, [{"at": 1, "text": "ä"}, {"at": 2}, {"at": 3}], cut=False)
    assert await world.database.read(traces.read, "nobody:1") == []


async def test_too_many_entries_are_cut(world: World) -> None:
    lease = await leased(world)
    entries = [{"at": index} for index in range(MAX_ENTRIES + 5)]
    for start in range(0, len(entries), 90):
        await world.database.run(traces.append, lease.call_id, 1, entries[start : start + 90])
    await world.database.run(traces.append, lease.call_id, 1, [{"at": -1}])
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert trace.cut
    assert trace.entries == entries[:MAX_ENTRIES]


async def test_exactly_full_is_not_cut(world: World) -> None:
    lease = await leased(world)
    await world.database.run(traces.append, lease.call_id, 1, [{"at": 1}] * MAX_ENTRIES)
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert not trace.cut
    await world.database.run(traces.append, lease.call_id, 1, [{"at": 1}])
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert trace.cut
    assert len(trace.entries) == MAX_ENTRIES


async def test_too_many_bytes_are_cut(world: World) -> None:
    lease = await leased(world)
    entry = {"at": 1, "text": "é" * 5_000}
    await world.database.run(traces.append, lease.call_id, 1, [entry] * 20)
    await world.database.run(traces.append, lease.call_id, 1, [{"at": 2}])
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert trace.cut
    assert len(trace.entries) == 6
    assert sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in trace.entries) <= MAX_BYTES + 100
