"""Accepting, finding and cancelling calls."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outdial.domain.call import CallState
from outdial.domain.disposition import Disposition
from outdial.storage import calls
from tests.storage.plans import explain
from tests.storage.world import BRIDGE, World, count_by_state


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
    assert sum((await world.database.read(count_by_state)).values()) == 0


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


async def test_the_log_finds_by_bridge_campaign_outcome_and_state(world: World) -> None:
    database = world.database
    first, second = await world.queue(2, name="diwali", customid1="b")
    (third,) = await world.queue(bridge="12025550198")
    await database.run(calls.request_cancel, second.id, now=5)

    async def found(**filters: object) -> list[str]:
        wanted = calls.CallFilter(**filters)  # type: ignore[arg-type]
        rows = await database.read(calls.find, world.account_id, wanted)
        assert await database.read(calls.count, world.account_id, wanted) == len(rows)
        return [call.id for call in rows]

    assert await found(name="diwali") == [second.id, first.id]
    assert await found(name="") == []
    assert await found(customid1="b") == [second.id, first.id]
    assert await found(bridge="12025550198") == [third.id]
    assert await found(disposition=Disposition.CANCEL) == [second.id]
    assert await found(disposition=Disposition.BUSY) == []
    assert await found(state=CallState.QUEUED) == [third.id, first.id]
    assert await found(state=CallState.DONE, name="diwali") == [second.id]


async def test_a_list_goes_on_behind_a_place(world: World) -> None:
    """Calls of one millisecond, too, come once each, and new ones in between change nothing."""
    database = world.database
    wanted = [call.id for call in reversed(await world.queue(5))]
    seen: list[str] = []
    place = None
    while rows := await database.read(calls.find, world.account_id, limit=2, after=place):
        seen += [call.id for call in rows]
        place = await database.read(calls.place, world.account_id, seen[-1])
        await world.queue()
    assert seen == wanted
    assert await database.read(calls.place, world.account_id + 1, wanted[0]) is None
    assert await database.read(calls.place, world.account_id, "nobody:1") is None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (calls.ANY_CALL, "ix_calls_account_id_submitted_at"),
        (calls.CallFilter(submitted_from=5, submitted_before=9), "ix_calls_account_id_submitted_at"),
        (calls.CallFilter(name="diwali"), "ix_calls_log_name"),
        (calls.CallFilter(bridge=BRIDGE), "ix_calls_log_bridge"),
        (calls.CallFilter(disposition=Disposition.BUSY), "ix_calls_log_disposition"),
        (calls.CallFilter(disposition=Disposition.BUSY, submitted_before=9), "ix_calls_log_disposition"),
    ],
)
async def test_the_log_reads_an_index_and_does_not_sort(
    world: World, wanted: calls.CallFilter, index: str
) -> None:
    await world.queue(3)
    statements: list[tuple[str, Any]] = []

    def keep(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    def plan(conn: sa.Connection) -> str:
        sa.event.listen(conn, "before_cursor_execute", keep)
        calls.find(conn, world.account_id, wanted, limit=2, after=(7, 7))
        sa.event.remove(conn, "before_cursor_execute", keep)
        return explain(conn, *statements[0])

    text = await world.database.run(plan)
    assert index in text
    assert "SCAN calls" not in text
    assert "Seq Scan" not in text
    assert "TEMP B-TREE" not in text
    assert '"Sort"' not in text


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


async def test_all_that_is_open_is_cancelled_however_much_it_is(world: World) -> None:
    many = 66_000  # more than the parameters of one statement: 32,766 on SQLite, 65,535 on PostgreSQL
    await world.database.run(calls.insert_calls, [world.new_call() for _ in range(many)])
    assert await world.database.run(calls.all_open, cancel_at=world.now) == many
    assert await world.database.read(count_by_state) == {CallState.DONE: many}
