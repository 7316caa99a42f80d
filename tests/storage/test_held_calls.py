"""Calls that wait for their audio hold neither a lease nor an attempt."""

import asyncio

import sqlalchemy as sa

from outdial.domain.call import CallState
from outdial.storage import attempts, audio_urls, calls, giving_back, held_calls, wake
from outdial.storage.tables import calls as calls_table
from tests.storage.test_wake import listening
from tests.storage.world import World

URL = "https://example.com/hello.mp3"
OTHER = "https://example.com/bye.mp3"


def due_times(conn: sa.Connection) -> list[int]:
    return list(conn.scalars(sa.select(calls_table.c.due_at).order_by(calls_table.c.seq)))


async def test_all_due_calls_with_the_url_wait_together(world: World) -> None:
    run, read, now = world.database.run, world.database.read, world.now
    await world.queue(4, sound_id=None, audio_url=URL)
    await world.queue(1, sound_id=None, audio_url=OTHER)
    await world.queue(1)
    await world.queue(1, sound_id=None, audio_url=URL, due_at=now + 5)  # a retry, in its own time
    await world.dialer()
    [first, second] = await world.claim("dialer", limit=2)
    assert await run(held_calls.hold, first.lease, URL, until=now + 30, now=now)
    assert await run(held_calls.hold, second.lease, URL, until=now + 30, now=now)
    assert await read(due_times) == [*[now + 30] * 4, now, now, now + 5]
    call = await read(calls.get, first.call.id)
    assert call is not None
    assert (call.state, call.attempts_started, call.attempts_spent) == (CallState.QUEUED, 0, 0)
    assert await read(attempts.of_call, first.call.id) == []
    rest = await world.claim("dialer")
    assert [each.call.audio_url for each in rest] == [OTHER, None]

    assert await run(held_calls.let_go, URL, [now + 30, now + 99], due_at=now + 2) == 4
    assert await read(due_times) == [*[now + 2] * 4, now, now, now + 5]
    assert await run(held_calls.let_go, URL, [], due_at=now + 2) == 0
    world.now += 2
    again = await world.claim("dialer")
    assert [each.call.id for each in again] == [f"call:{number}" for number in (1, 2, 3, 4)]


async def test_a_call_that_was_dialled_or_lost_is_not_held(world: World) -> None:
    run, now = world.database.run, world.now
    await world.queue(2, sound_id=None, audio_url=URL)
    await world.dialer()
    [dialled, lost] = await world.claim("dialer")
    await run(attempts.mark_dialing, dialled.lease, now=now)
    assert not await run(held_calls.hold, dialled.lease, URL, until=now + 30, now=now)
    await run(giving_back.release, lost.lease, now=now)
    assert not await run(held_calls.hold, lost.lease, URL, until=now + 30, now=now)
    assert (await world.database.read(due_times))[1] == now


async def test_a_cancelled_call_does_not_wait(world: World) -> None:
    run, now = world.database.run, world.now
    [new] = await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    await run(calls.request_cancel, new.id, now=now)
    assert await run(held_calls.hold, claimed.lease, URL, until=now + 30, now=now)
    call = await world.database.read(calls.get, new.id)
    assert call is not None
    assert call.state is CallState.DONE


async def test_held_calls_can_be_cancelled(world: World) -> None:
    [new] = await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    await world.database.run(held_calls.hold, claimed.lease, URL, until=world.now + 30, now=world.now)
    assert await world.database.run(calls.request_cancel, new.id, now=world.now) is CallState.DONE


async def test_ten_thousand_calls_are_held_at_once(world: World) -> None:
    now = world.now
    await world.queue(10_000, sound_id=None, audio_url=URL)
    await world.dialer()
    claimed = await world.claim("dialer", limit=50)
    await asyncio.gather(
        *(world.database.run(held_calls.hold, each.lease, URL, until=now + 30, now=now) for each in claimed)
    )
    assert set(await world.database.read(due_times)) == {now + 30}
    assert await world.claim("dialer") == []
    assert await world.database.run(held_calls.let_go, URL, [now + 30], due_at=now) == 10_000


async def test_who_comes_when_the_fetch_is_over_does_not_wait_for_it(world: World) -> None:
    run, now = world.database.run, world.now
    await world.queue(2, sound_id=None, audio_url=URL)
    await world.dialer()
    [first, second] = await world.claim("dialer")
    await run(audio_urls.take, URL, fetcher="a", now=now, busy_until=now + 9_000)
    await run(held_calls.hold, first.lease, URL, until=now + 30_000, now=now)
    assert await world.database.read(due_times) == [now + 9_000, now]
    await run(audio_urls.fail, URL, "It is gone.", fetcher="a", now=now, fresh_until=now + 60_000)
    await run(held_calls.hold, second.lease, URL, until=now + 9_000, now=now)
    assert (await world.database.read(due_times))[1] == now + 500


async def test_a_call_is_held_for_half_a_second_at_least(world: World) -> None:
    run, now = world.database.run, world.now
    await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    await run(audio_urls.take, URL, fetcher="a", now=now, busy_until=now + 20)
    await run(held_calls.hold, claimed.lease, URL, until=now + 30_000, now=now)
    assert await world.database.read(due_times) == [now + 500]


async def test_dialers_are_woken_when_calls_are_let_go(world: World) -> None:
    run, now = world.database.run, world.now
    await world.queue(1, sound_id=None, audio_url=URL)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    await run(held_calls.hold, claimed.lease, URL, until=now + 30_000, now=now)
    async with listening(world.database.url, wake.CALLS) as listener:
        await run(held_calls.let_go, URL, [now + 30_000], due_at=now)
        assert await listener.wait(5) == {wake.CALLS}


AWAY = "Waits: its sounds cannot be had just now."


async def test_all_due_calls_of_the_queue_that_play_the_same_wait_together(world: World) -> None:
    run, read, now = world.database.run, world.database.read, world.now
    await world.queue(3)
    await world.queue(1, sound_id="other")
    await world.queue(1, due_at=now + 5)  # a retry, in its own time
    await world.queue(1, bridge="12025550198")
    await world.queue(2, sound_id=None, ivr_id="7", flow_version=1)
    await world.dialer()
    claimed = await world.claim(
        "dialer", limit=5
    )  # one each of the bridges in turn, the others by their time
    of_sound = next(each for each in claimed if each.call.id == "call:1")
    for each in claimed:
        if each is not of_sound:
            await run(giving_back.release, each.lease, now=now)
    until = now + 2_000
    assert await run(held_calls.hold_alike, of_sound.lease, of_sound.call, until=until, why=AWAY, now=now)
    assert await read(due_times) == [until, until, until, now, now + 5, now, now, now]
    call = await read(calls.get, "call:2")
    assert call is not None
    assert (call.held_why, call.attempts_started, call.attempts_spent) == (AWAY, 0, 0)
    of_flow = next(each for each in await world.claim("dialer") if each.call.id == "call:7")
    assert await run(held_calls.hold_alike, of_flow.lease, of_flow.call, until=until, why=AWAY, now=now)
    assert (await read(due_times))[6] == until
    world.now = until
    again = {each.call.id: each.call for each in await world.claim("dialer")}
    assert (again["call:2"].held_why, again["call:2"].attempts_started) == (None, 1)


async def test_a_call_that_was_dialled_or_lost_is_not_held_with_its_like(world: World) -> None:
    await world.queue(1)
    await world.dialer()
    [dialled] = await world.claim("dialer")
    await world.queue(1)
    await world.database.run(attempts.mark_dialing, dialled.lease, now=world.now)
    assert not await world.database.run(
        held_calls.hold_alike, dialled.lease, dialled.call, until=world.now + 9, why=AWAY, now=world.now
    )
    assert (await world.database.read(due_times))[1] == world.now
