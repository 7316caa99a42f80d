"""Accepting, finding and cancelling calls."""

import pytest
from sqlalchemy.exc import IntegrityError

from outdial.domain.call import CallState
from outdial.storage import calls
from tests.storage.world import World


async def test_what_was_accepted_comes_back(world: World) -> None:
    new = world.new_call(
        id="70fa87e0-9df9-4327-bc80-a561c48703d8:1",
        iso="IN",
        sound_id=None,
        ivr_id="23",
        audio_url=None,
        name="obd_api_call",
        webhook_id="w",
        customid="a",
        customid1="b",
        variables={"otp": "12", "näme": "ü"},
        retries=3,
        interval_minutes=15,
    )
    await world.database.run(calls.insert_calls, [new])
    call = await world.database.read(calls.get, new.id)
    assert call is not None
    for name in type(new).__slots__:
        assert getattr(call, name) == getattr(new, name), name
    assert call.state is CallState.QUEUED
    assert (call.attempts_started, call.attempts_spent, call.trunk_faults) == (0, 0, 0)
    assert (call.cancel_requested_at, call.disposition, call.reason, call.done_at) == (None,) * 4


async def test_an_empty_list_is_nothing(world: World) -> None:
    await world.database.run(calls.insert_calls, [])
    assert sum((await world.database.read(calls.count_by_state)).values()) == 0


async def test_an_unknown_call(world: World) -> None:
    assert await world.database.read(calls.get, "nobody:1") is None
    assert await world.database.run(calls.request_cancel, "nobody:1", now=1) is None


async def test_an_id_is_accepted_once_and_a_list_as_a_whole(world: World) -> None:
    (call,) = await world.queue()
    with pytest.raises(IntegrityError):
        await world.database.run(calls.insert_calls, [world.new_call(id="new:1"), call])
    assert await world.database.read(calls.get, "new:1") is None


@pytest.mark.parametrize("number", [99, 100, 250])
async def test_long_lists(world: World, number: int) -> None:
    """However they are written, they are all there, or none of them."""
    await world.queue(number, customid="tab\there", variables={"a": "line\nbreak \\ back"})
    stored = await world.database.read(calls.find, world.account_id, limit=1000)
    assert len({call.id for call in stored}) == number
    assert stored[0].customid == "tab\there"
    assert stored[0].variables == {"a": "line\nbreak \\ back"}
    again = [world.new_call() for _ in range(number)]
    with pytest.raises(IntegrityError):
        await world.database.run(calls.insert_calls, [*again, stored[0]])
    assert len(await world.database.read(calls.find, world.account_id, limit=1000)) == number


async def test_finding(world: World) -> None:
    first = world.new_call(submitted_at=10, to="12025550101", customid="x")
    second = world.new_call(submitted_at=20, to="12025550102", customid="x")
    third = world.new_call(submitted_at=20, to="12025550101")
    await world.database.run(calls.insert_calls, [first, second, third])

    async def found(**filters: object) -> list[str]:
        wanted = calls.CallFilter(**filters)  # type: ignore[arg-type]
        rows = await world.database.read(calls.find, world.account_id, wanted)
        assert await world.database.read(calls.count, world.account_id, wanted) == len(rows)
        return [call.id for call in rows]

    assert await found() == [third.id, second.id, first.id]
    assert await found(to="12025550101") == [third.id, first.id]
    assert await found(customid="x") == [second.id, first.id]
    assert await found(customid="") == []
    assert await found(submitted_from=11) == [third.id, second.id]
    assert await found(submitted_before=20) == [first.id]
    assert await found(customid="x", to="12025550101") == [first.id]
    (row,) = await world.database.read(calls.find, world.account_id, limit=1, offset=1)
    assert row.id == second.id
    assert await world.database.read(calls.find, world.account_id + 1) == []
    assert await world.database.read(calls.count, world.account_id + 1) == 0


async def test_cancelling_a_queued_call_ends_it(world: World) -> None:
    (call,) = await world.queue()
    assert await world.database.run(calls.request_cancel, call.id, now=77) is CallState.DONE
    stored = await world.database.read(calls.get, call.id)
    assert stored is not None
    assert (stored.state, stored.disposition, stored.reason) == (CallState.DONE, "CANCEL", "cancelled")
    assert (stored.done_at, stored.cancel_requested_at) == (77, 77)
    assert await world.claim(await world.dialer()) == []
    assert await world.database.run(calls.request_cancel, call.id, now=78) is None


async def test_cancelling_a_call_that_is_dialled_tells_its_dialer(world: World) -> None:
    (call,) = await world.queue()
    dialer = await world.dialer()
    await world.claim(dialer)
    assert await world.database.read(calls.cancelling, dialer) == []
    assert await world.database.run(calls.request_cancel, call.id, now=77) is CallState.LEASED
    assert await world.database.run(calls.request_cancel, call.id, now=78) is CallState.LEASED
    assert await world.database.read(calls.cancelling, dialer) == [call.id]
    assert await world.database.read(calls.cancelling, "other") == []
    stored = await world.database.read(calls.get, call.id)
    assert stored is not None
    assert (stored.state, stored.cancel_requested_at) == (CallState.LEASED, 77)


async def test_counts(world: World) -> None:
    await world.queue(3)
    await world.claim(await world.dialer(), limit=2)
    counts = await world.database.read(calls.count_by_state)
    assert counts == {CallState.QUEUED: 1, CallState.LEASED: 2, CallState.DONE: 0}
