"""The ledger always adds up, and a prepaid balance is never overdrawn, whatever runs in parallel."""

import asyncio
import random

import pytest
import sqlalchemy as sa

from outdial.domain.call import CallState
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.rating import Rate
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import attempts, calls, cdrs, claims, credit, giving_back, rates
from outdial.storage.credit import Kind, NotCovered
from outdial.storage.database import Database
from outdial.storage.rates import NewCardRow
from tests.storage.world import LEASE_MS, World, outcome, rescue_lost

RATE = Rate(prefix="1", first_pulse_s=30, next_pulse_s=30, first_price=5000, next_price=5000)
CREDIT = 50_000


async def prepaid(world: World, units: int = CREDIT) -> None:
    run = world.database.run
    await run(credit.add, world.account_id, units, kind=Kind.TOP_UP, note="", now=world.now)
    await run(credit.set_terms, world.account_id, prepaid=True, currency="USD")


def accept(conn: sa.Connection, world: World, call_id: str, units: int) -> None:
    new = world.new_call(id=call_id, rate=RATE, reserved=units)
    calls.insert_calls(conn, [new])
    credit.reserve(conn, world.account_id, units, call_id=call_id, now=world.now)


def audit(conn: sa.Connection, account_id: int) -> credit.Credit:
    """The account, after a look at whether everything adds up."""
    account = credit.get(conn, account_id)
    assert account is not None
    lines = credit.entries(conn, account_id, limit=100_000)
    assert sum(line.amount for line in lines) == account.balance
    assert sum(line.reserved for line in lines) == account.reserved
    open_ = sum(
        call.reserved
        for call in calls.find(conn, account_id, limit=100_000)
        if call.state is not CallState.DONE
    )
    assert open_ == account.reserved
    assert account.available >= 0
    return account


async def test_an_answered_call_is_charged_and_the_rest_is_free_again(world: World) -> None:
    await prepaid(world)
    run = world.database.run
    await run(accept, world, "call:a", 15_000)
    before = await world.database.read(audit, world.account_id)
    assert (before.balance, before.reserved, before.available) == (CREDIT, 15_000, 35_000)
    (claimed,) = await world.claim(await world.dialer())
    assert claimed.covered
    answered = outcome(world.now + 40_000, answered_at=world.now)
    assert await run(attempts.finish, claimed.lease, answered, Done(), now=world.now)
    after = await world.database.read(audit, world.account_id)
    assert (after.balance, after.reserved) == (CREDIT - 10_000, 0)
    (cdr,) = await world.database.read(cdrs.of_call, "call:a")
    assert (cdr.bill.charge, cdr.bill.pulse_s, cdr.bill.billed_ms) == (10_000, 30, 60_000)
    release, charge, *_ = await world.database.read(credit.entries, world.account_id)
    assert (charge.kind, charge.amount, charge.call_id, charge.attempt) == (Kind.CHARGE, -10_000, "call:a", 1)
    assert (release.kind, release.reserved, release.balance_after) == (Kind.RELEASE, -5_000, CREDIT - 10_000)


async def test_a_retry_keeps_what_was_reserved_and_nothing_is_charged_before_an_answer(world: World) -> None:
    await prepaid(world)
    run = world.database.run
    await run(accept, world, "call:a", 15_000)
    (claimed,) = await world.claim(await world.dialer())
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    assert await run(
        attempts.finish, claimed.lease, busy, Retry(world.now, spends_attempt=True), now=world.now
    )
    assert (await world.database.read(audit, world.account_id)).reserved == 15_000
    (again,) = await world.claim("dialer")
    assert await run(attempts.finish, again.lease, busy, Done(), now=world.now)
    account = await world.database.read(audit, world.account_id)
    assert (account.balance, account.reserved) == (CREDIT, 0)


@pytest.mark.parametrize("way", ["queued", "leased", "rescued", "interrupted"])
async def test_whatever_ends_a_call_lets_go_of_its_reservation(world: World, way: str) -> None:
    await prepaid(world)
    run = world.database.run
    await run(accept, world, "call:a", 15_000)
    if way == "queued":
        assert await run(calls.request_cancel, "call:a", now=world.now) is CallState.DONE
    else:
        (claimed,) = await world.claim(await world.dialer())
        if way == "interrupted":
            assert await run(attempts.mark_dialing, claimed.lease, now=world.now)
            assert await run(attempts.mark_answered, claimed.lease, at=world.now)
        else:
            await run(calls.request_cancel, "call:a", now=world.now)
        if way == "leased":
            assert await run(giving_back.release, claimed.lease, now=world.now)
        else:
            await run(rescue_lost, now=world.now + LEASE_MS)
    account = await world.database.read(audit, world.account_id)
    assert account.reserved == 0
    assert account.balance == CREDIT - (5_000 if way == "interrupted" else 0)


async def test_an_account_without_credit_in_advance_may_owe(world: World) -> None:
    await world.queue(rate=RATE)
    (claimed,) = await world.claim(await world.dialer())
    assert claimed.covered
    assert await world.database.run(attempts.finish, claimed.lease, outcome(world.now), Done(), now=world.now)
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert (account.balance, account.reserved) == (-5_000, 0)
    with pytest.raises(NotCovered):
        await world.database.run(credit.set_terms, world.account_id, prepaid=True, currency="USD")


async def test_an_account_that_became_prepaid_does_not_pay_for_what_nothing_was_reserved_for(
    world: World,
) -> None:
    await world.queue(rate=RATE)
    await prepaid(world)
    (claimed,) = await world.claim(await world.dialer())
    assert not claimed.covered


async def test_credit_that_is_reserved_cannot_be_taken_away(world: World) -> None:
    await prepaid(world)
    run = world.database.run
    await run(accept, world, "call:a", 15_000)
    with pytest.raises(NotCovered):
        await run(credit.add, world.account_id, -35_001, kind=Kind.ADJUSTMENT, note="", now=world.now)
    await run(credit.add, world.account_id, -35_000, kind=Kind.ADJUSTMENT, note="", now=world.now)
    assert (await world.database.read(audit, world.account_id)).available == 0


async def test_many_at_once_never_overdraw(world: World, database_url: str) -> None:
    """Several processes' worth of connections accept, end and cancel calls of one account."""
    await prepaid(world)
    accepted: list[str] = []
    await world.dialer()

    async def work(number: int) -> None:
        chance = random.Random(number)
        async with Database(database_url) as database:
            for turn in range(12):
                call_id = f"{number}:{turn}"
                try:
                    await database.run(accept, world, call_id, chance.choice((5_000, 10_000, 15_000)))
                except NotCovered:
                    pass
                else:
                    accepted.append(call_id)
                if accepted and chance.random() < 0.4:
                    await database.run(calls.request_cancel, accepted.pop(), now=world.now)
                found = await database.run(
                    claims.claim_due,
                    dialer_id="dialer",
                    now=world.now,
                    limit=1,
                    free_by_trunk={world.trunk_id: 1},
                )
                for claimed in found.calls:
                    talked = chance.randrange(90_000)
                    end = outcome(world.now + talked, answered_at=world.now)
                    await database.run(attempts.finish, claimed.lease, end, Done(), now=world.now)
                account = await database.read(credit.get, world.account_id)
                assert account is not None
                assert account.available >= 0

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(work(number))
    account = await world.database.read(audit, world.account_id)
    assert account.balance < CREDIT


async def test_the_longest_prefix_and_the_account_s_own_price_win(world: World) -> None:
    run = world.database.run

    def row(prefix: str, price: int, **changes: object) -> NewCardRow:
        rate = Rate(prefix=prefix, first_pulse_s=1, next_pulse_s=1, first_price=price, next_price=price)
        return NewCardRow(**({"rate": rate, "currency": "USD"} | changes))  # type: ignore[arg-type]

    card = [
        row("1", 1),
        row("1202", 2),
        row("1202", 3, account_id=world.account_id),
        row("12025", 4, active=False),
        row("12025", 5, currency="EUR"),
        row("1", 9),
    ]
    await run(rates.put, card, now=world.now)
    await run(rates.put, card, now=world.now)
    assert await world.database.read(rates.count, every=True) == 5
    for numbers in (
        ["12025550100", "13035550100"],
        [*map(str, range(700, 730)), "12025550100", "13035550100"],
    ):
        found = await world.database.read(rates.match_all, world.account_id, "USD", numbers)
        assert {number: rate.first_price for number, rate in found.items()} == {
            "12025550100": 3,
            "13035550100": 9,
        }
    other = await world.database.read(rates.match_all, world.account_id + 1, "USD", ["12025550100"])
    assert other["12025550100"].first_price == 2
    first, *_ = await world.database.read(rates.find, limit=10)
    assert first.rate.prefix == "1"
    assert await run(rates.delete, first.id)
    assert not await run(rates.delete, first.id)


async def test_what_nothing_was_reserved_for_is_charged_to_the_balance_alone(world: World) -> None:
    await world.database.run(
        credit.settle, world.account_id, "call:a", charge=7_000, reserved=0, now=world.now
    )
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert (account.balance, account.reserved) == (-7_000, 0)
    (line,) = await world.database.read(credit.entries, world.account_id)
    assert (line.kind, line.amount, line.reserved) == (Kind.CHARGE, -7_000, 0)


async def test_an_account_cannot_be_prepaid_while_its_calls_reserve_more_than_it_has(world: World) -> None:
    await prepaid(world, 10_000)
    run = world.database.run
    await run(accept, world, "call:a", 10_000)
    await run(credit.set_terms, world.account_id, prepaid=False, currency="USD")
    await run(credit.settle, world.account_id, "call:b", charge=1, reserved=0, now=world.now)
    with pytest.raises(NotCovered):
        await run(credit.set_terms, world.account_id, prepaid=True, currency="USD")
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert not account.prepaid
