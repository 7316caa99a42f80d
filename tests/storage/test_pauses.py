"""Pauses of campaigns and requests: what is marked, what is not, and that nothing stays marked for ever."""

from outdial.domain.call import CallState
from outdial.storage import calls, endings, pauses, requests
from outdial.storage.pauses import Pause, PauseKind
from tests.storage.world import World

REQUEST = "70fa87e0-9df9-4327-bc80-a561c48703d8"


async def pause(world: World, name: str = "spring") -> int:
    kind = PauseKind.CAMPAIGN
    return await pauses.pause(world.database, world.account_id, kind, name, request=None, now=world.now)


async def resume(world: World, name: str = "spring") -> bool:
    kind = PauseKind.CAMPAIGN
    return await pauses.resume(world.database, world.account_id, kind, name, request=None)


async def test_a_paused_campaign_is_not_claimed_and_the_others_are(world: World) -> None:
    await world.queue(1_200, name="spring")
    await world.queue(2, name="autumn")
    assert await pause(world) == 1_200
    assert await pause(world) == 1_200, "pausing it again is harmless"
    dialer = await world.dialer()
    assert {claimed.call.name for claimed in await world.claim(dialer)} == {"autumn"}
    (found,) = await world.database.read(pauses.find_all, world.account_id)
    assert found == Pause(
        account_id=world.account_id, kind=PauseKind.CAMPAIGN, name="spring", paused_at=world.now
    )
    assert await resume(world)
    assert not await resume(world)
    assert len(await world.claim(dialer)) == 100
    assert await world.database.read(pauses.find_all, world.account_id) == []


async def test_a_paused_call_can_be_cancelled_and_expires(world: World) -> None:
    (cancelled,) = await world.queue(name="spring")
    (expired,) = await world.queue(name="spring", expires_at=world.now + 1)
    await pause(world)
    assert await world.database.run(calls.request_cancel, cancelled.id, now=world.now) is CallState.DONE
    assert not await world.database.read(endings.any_expired, now=world.now)
    world.now += 1
    assert await world.database.read(endings.any_expired, now=world.now)
    assert await world.database.run(endings.expire, now=world.now) == 1
    for call in (cancelled, expired):
        stored = await world.database.read(calls.get, call.id)
        assert stored is not None
        assert (stored.state, stored.paused_by) == (CallState.DONE, None)


async def test_of_two_pauses_one_is_left(world: World) -> None:
    await world.queue(id=f"{REQUEST}:1", name="spring")
    await pause(world)
    request = await world.database.read(requests.find, REQUEST, most=10)
    kind = PauseKind.REQUEST
    this = (world.database, world.account_id, kind, REQUEST)
    assert await pauses.pause(*this, request=request, now=world.now) == 0, "the campaign's mark is enough"
    await resume(world)
    held = await world.database.read(
        pauses.holding, world.account_id, campaign="spring", call_id=f"{REQUEST}:1"
    )
    assert held is not None
    assert held.kind is PauseKind.REQUEST
    assert await pauses.resume(*this, request=request)
    assert len(await world.claim(await world.dialer())) == 1


async def test_a_call_without_a_name_is_of_no_campaign(world: World) -> None:
    await world.queue()
    assert await pause(world) == 0
    assert len(await world.claim(await world.dialer())) == 1


async def test_many_calls_expire_in_bounded_transactions_the_first_ones_first(world: World) -> None:
    late = await world.queue(expires_at=world.now + 2)
    await world.queue(endings.BATCH, expires_at=world.now + 1)
    world.now += 2
    assert await world.database.run(endings.expire, now=world.now) == endings.BATCH
    stored = await world.database.read(calls.get, late[0].id)
    assert stored is not None
    assert stored.state is CallState.QUEUED
    assert await world.database.run(endings.expire, now=world.now) == 1
    assert not await world.database.read(endings.any_expired, now=world.now)
