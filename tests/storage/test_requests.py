"""The calls of one request together: found, cancelled."""

import sqlalchemy as sa

from outdial.domain.call import CallState
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import Done
from outdial.storage import attempts, calls, credit, endings, giving_back, requests
from outdial.storage.credit import Kind
from outdial.storage.requests import Cancelled, Request
from outdial.storage.tables import outbox
from tests.storage.test_outbox import endpoint
from tests.storage.world import World, outcome

REQUEST = "70fa87e0-9df9-4327-bc80-a561c48703d8"
OTHER = "80fa87e0-9df9-4327-bc80-a561c48703d8"
RESERVED = 700


async def accept(world: World, count: int, *, first: int = 1, of: str = REQUEST, **changes: object) -> None:
    new = [world.new_call(id=f"{of}:{n}", **changes) for n in range(first, first + count)]
    await world.database.run(calls.insert_calls, new)


async def told(world: World) -> list[str]:
    """The calls of which webhooks are told, in order."""

    def read(conn: sa.Connection) -> list[str]:
        return list(conn.scalars(sa.select(outbox.c.call_id).order_by(outbox.c.id)))

    return await world.database.read(read)


async def found(world: World, request_id: str = REQUEST) -> Request:
    request = await world.database.read(requests.find, request_id, most=2_000)
    assert request is not None
    return request


async def test_a_request_is_found_by_any_of_its_calls(world: World) -> None:
    await accept(world, 2, first=1_203)
    assert await found(world) == Request(REQUEST, world.account_id, world.now)
    assert await world.database.read(requests.find, OTHER, most=2_000) is None
    assert await world.database.read(requests.find, REQUEST, most=1_202) is None


async def test_cancelling_ends_what_waits_and_marks_what_runs_and_nothing_else(world: World) -> None:
    await world.database.run(credit.add, world.account_id, 100_000, kind=Kind.TOP_UP, note="", now=world.now)
    webhook = await endpoint(world)
    await accept(world, 4, reserved=RESERVED, webhook_id=str(webhook.id))
    await accept(world, 1, of=OTHER, reserved=RESERVED)
    await world.database.run(credit.reserve, world.account_id, 5 * RESERVED, call_id=REQUEST, now=world.now)
    dialer = await world.dialer()
    running, over = await world.claim(dialer, limit=2)
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    assert await world.database.run(attempts.finish, over.lease, busy, Done(), now=world.now)
    request = await found(world)
    assert await requests.cancel(world.database, request, now=world.now) == Cancelled(2, 1, 1)
    assert await world.database.read(calls.cancelling, dialer) == [running.call.id]
    stored = [await world.database.read(calls.get, f"{REQUEST}:{n}") for n in (3, 4)]
    assert {(each.state, each.disposition, each.reason) for each in stored if each} == {
        (CallState.DONE, "CANCEL", "cancelled")
    }
    other = await world.database.read(calls.get, f"{OTHER}:1")
    assert other is not None
    assert other.state is CallState.QUEUED
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert account.reserved == 2 * RESERVED, "of the one that runs and of the other request"
    release = (await world.database.read(credit.entries, world.account_id))[0]
    assert (release.kind, release.reserved, release.call_id, release.note) == (
        Kind.RELEASE,
        -2 * RESERVED,
        REQUEST,
        "2 calls",
    )
    assert await told(world) == [over.call.id, f"{REQUEST}:3", f"{REQUEST}:4"]
    assert await requests.cancel(world.database, request, now=world.now + 1) == Cancelled(0, 1, 3)
    assert len(await told(world)) == 3


async def test_ten_thousand_calls_are_cancelled_in_bounded_transactions(world: World) -> None:
    await accept(world, 10_000)
    before = world.database.commits
    request = await found(world)
    waiting = requests.cancel(world.database, request, now=world.now)
    assert await waiting == Cancelled(10_000, 0, 0)
    assert world.database.commits - before == 10_000 // endings.BATCH
    assert await world.claim(await world.dialer()) == []


async def test_a_claimed_call_of_a_cancelled_request_ends_when_it_is_given_back(world: World) -> None:
    await accept(world, 1)
    (claimed,) = await world.claim(await world.dialer())
    await requests.cancel(world.database, await found(world), now=world.now)
    assert await world.database.run(giving_back.release, claimed.lease, now=world.now)
    stored = await world.database.read(calls.get, claimed.call.id)
    assert stored is not None
    assert (stored.state, stored.disposition) == (CallState.DONE, "CANCEL")
