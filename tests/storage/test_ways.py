"""Bridges with several trunks: which of them a call goes by, on both databases."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.call import AttemptOutcome, CallState
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Done, Retry, RetryDecision
from outdial.storage import (
    accounts,
    attempts,
    bridges,
    calls,
    cdrs,
    claims,
    due_queues,
    paces,
    schema,
    trunks,
    ways,
)
from outdial.storage.database import Database
from outdial.storage.paces import Hold
from outdial.storage.ways import Detour
from tests.storage.plans import plan_of, steps_of
from tests.storage.world import BRIDGE, World, outcome, switch_trunk

LATER = Retry(due_at=1_060_000, spends_attempt=False)


def fault(now: int, **changes: object) -> AttemptOutcome:
    values: dict[str, object] = {
        "disposition": Disposition.CHANUNAVAIL,
        "reason": EndReason.REJECTED,
        "hangup_by": HangupBy.NETWORK,
        "sip_code": 503,
        "answered_at": None,
    }
    return outcome(now, **(values | changes))


async def further(world: World, *names: str, **settings: object) -> list[int]:
    """Add trunks, by which the calls of the bridge go when the first takes none."""
    wide = trunks.NewTrunk(name="", host="192.0.2.2", calls_per_second=10_000.0, max_concurrent=10_000)
    added = [
        (await world.database.run(trunks.insert, replace(wide, name=name, **settings), now=1)).id  # type: ignore[arg-type]
        for name in names
    ]
    bridge = await world.database.read(bridges.get_by_number, BRIDGE)
    assert bridge is not None
    await world.database.run(bridges.update, bridge.id, {"further_trunk_ids": tuple(added)})
    return added


async def claim(
    world: World, free: dict[int, int], detours: ways.Detours = ways.NO_DETOURS, dialer: str = "dialer"
) -> claims.Claims:
    return await world.database.run(
        claims.claim_due,
        dialer_id=dialer,
        now=world.now,
        limit=100,
        free_by_trunk=free,
        detours=detours,
    )


async def ended(world: World, result: AttemptOutcome, decision: RetryDecision, trunk: int) -> RetryDecision:
    """Claim the one call that is due on `trunk` and end its attempt."""
    ((one,),) = [(await claim(world, {trunk: 9})).calls]
    assert one.call.trunk_id == trunk
    assert await world.database.run(attempts.mark_dialing, one.lease, now=world.now)
    decided = await world.database.run(attempts.finish, one.lease, result, decision, now=world.now)
    assert decided is not None
    return decided


async def trunk_of(world: World, call_id: str) -> int:
    call = await world.database.read(calls.get, call_id)
    assert call is not None
    return call.trunk_id


async def test_a_bridge_is_the_same_however_it_is_found(world: World) -> None:
    await further(world, "second")
    bridge = await world.database.read(bridges.get_by_number, BRIDGE)
    assert await world.database.read(bridges.of_account, world.account_id, limit=9) == [bridge]


async def test_a_trunk_that_takes_no_call_leads_to_the_next_and_a_round_is_one_fault(world: World) -> None:
    second, third = await further(world, "second", "third")
    (call,) = await world.queue()
    await world.dialer()
    at_once = Retry(due_at=world.now, spends_attempt=False)
    assert await ended(world, fault(world.now), LATER, world.trunk_id) == at_once
    assert await ended(world, fault(world.now), LATER, second) == at_once
    waiting = await world.database.read(calls.get, call.id)
    assert waiting is not None
    assert (waiting.trunk_id, waiting.attempts_spent, waiting.trunk_faults) == (third, 0, 0)
    # The last one fails, too: now it waits, for the first, and that was one fault of the call's trunks.
    assert await ended(world, fault(world.now), LATER, third) == LATER
    waiting = await world.database.read(calls.get, call.id)
    assert waiting is not None
    assert (waiting.trunk_id, waiting.due_at) == (world.trunk_id, LATER.due_at)
    assert (waiting.attempts_spent, waiting.trunk_faults) == (0, 1)
    assert [each.number for each in await world.database.read(attempts.of_call, call.id)] == [1, 2, 3]


async def test_the_last_fault_of_a_call_still_leads_to_the_next_trunk(world: World) -> None:
    (second,) = await further(world, "second")
    (call,) = await world.queue()
    await world.dialer()
    decided = await ended(world, fault(world.now), Done(), world.trunk_id)
    assert isinstance(decided, Retry)
    assert await ended(world, outcome(world.now), Done(), second) == Done()
    done = await world.database.read(calls.get, call.id)
    assert done is not None
    assert (done.state, done.disposition) == (CallState.DONE, "ANSWER")


@pytest.mark.parametrize(
    "changes",
    [
        {"ringing_at": 999_999},
        {"sip_code": 486, "disposition": Disposition.BUSY},
        {"sip_code": 603, "disposition": Disposition.BUSY},
        {"sip_code": 404, "disposition": Disposition.CONGESTION},
        {"sip_code": 488},
        {"sip_code": 606},
        {"sip_code": 302},
        {"q850": 31},
        {"reason": EndReason.INTERRUPTED, "sip_code": None},
        {"reason": EndReason.INTERNAL_ERROR, "sip_code": None},
        {"reason": EndReason.NO_MEDIA_PORT, "sip_code": None},
        {"reason": EndReason.INCOMPATIBLE_MEDIA, "sip_code": 200},
    ],
    ids=str,
)
async def test_whose_phone_may_have_rung_or_who_refused_is_not_called_by_another(
    world: World, changes: dict[str, object]
) -> None:
    await further(world, "second")
    (call,) = await world.queue()
    await world.dialer()
    assert await ended(world, fault(world.now, **changes), LATER, world.trunk_id) == LATER
    assert await trunk_of(world, call.id) == world.trunk_id


@pytest.mark.parametrize("closed", ["off", "held"])
async def test_a_trunk_that_takes_no_calls_is_passed_over(world: World, closed: str) -> None:
    second, third = await further(world, "second", "third")
    if closed == "off":
        await world.database.run(switch_trunk, second, enabled=False)
    else:
        await world.database.run(paces.note_hold, second, Hold(world.now + 1, "broken"), now=world.now)
    (call,) = await world.queue()
    await world.dialer()
    await ended(world, fault(world.now), LATER, world.trunk_id)
    assert await trunk_of(world, call.id) == third


async def test_a_retry_begins_with_the_first_trunk_again(world: World) -> None:
    (second,) = await further(world, "second")
    (call,) = await world.queue(retries=1)
    await world.dialer()
    await ended(world, fault(world.now), LATER, world.trunk_id)
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    retry = Retry(due_at=world.now + 5, spends_attempt=True)
    assert await ended(world, busy, retry, second) == retry
    waiting = await world.database.read(calls.get, call.id)
    assert waiting is not None
    assert (waiting.trunk_id, waiting.attempts_spent) == (world.trunk_id, 1)


async def test_a_cancelled_call_goes_nowhere(world: World) -> None:
    await further(world, "second")
    (call,) = await world.queue()
    dialer = await world.dialer()
    (one,) = await world.claim(dialer)
    await world.database.run(calls.request_cancel, call.id, now=world.now)
    await world.database.run(attempts.finish, one.lease, fault(world.now), LATER, now=world.now)
    done = await world.database.read(calls.get, call.id)
    assert done is not None
    assert done.state is CallState.DONE


async def test_the_record_names_the_trunk_and_why_it_was_not_the_first(world: World) -> None:
    (call,) = await world.queue()
    await world.dialer()
    why = "It went by the trunk second, not by trunk: it is switched off."
    await ended(world, outcome(world.now, trunk="second", detour=why), Done(), world.trunk_id)
    (record,) = await world.database.read(cdrs.of_call, call.id)
    assert (record.outcome.trunk, record.outcome.detour) == ("second", why)


class TestClosedTrunk:
    """The first trunk takes no calls: what waits for it goes by the second."""

    async def test_its_due_calls_are_claimed_for_the_other_and_the_rest_stays(self, world: World) -> None:
        (second,) = await further(world, "second")
        due = await world.queue(3)
        (later,) = await world.queue(due_at=world.now + 5000)
        await world.dialer()
        found = await claim(world, {second: 9}, {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]})
        assert [(each.call.id, each.call.trunk_id) for each in found.calls] == [(e.id, second) for e in due]
        assert await trunk_of(world, later.id) == world.trunk_id
        assert found.next_due_at[second] <= later.due_at

    async def test_when_the_next_is_due_is_known(self, world: World) -> None:
        (second,) = await further(world, "second")
        (later,) = await world.queue(due_at=world.now + 5000)
        await world.dialer()
        found = await claim(world, {second: 9}, {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]})
        assert (found.calls, found.next_due_at) == ([], {second: later.due_at})

    async def test_other_bridges_wait(self, world: World) -> None:
        (second,) = await further(world, "second")
        other = await world.database.run(
            bridges.insert, number="12025550177", account_id=world.account_id, trunk_id=world.trunk_id, now=1
        )
        await world.queue(2, bridge=other.number)
        (ours,) = await world.queue()
        await world.dialer()
        found = await claim(world, {second: 9}, {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]})
        assert [each.call.id for each in found.calls] == [ours.id]

    async def test_the_limits_of_the_other_hold_and_it_is_not_flooded(self, world: World) -> None:
        (second,) = await further(world, "second", max_concurrent=4, calls_per_second=1000.0)
        queued = await world.queue(50)
        await world.dialer()
        detours = {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]}
        claimed = []
        for _ in range(10):
            claimed += (await claim(world, {second: 9}, detours)).calls
            world.now += 1000
        assert len(claimed) == 4
        moved = [each for each in queued if await trunk_of(world, each.id) == second]
        assert len(moved) == 9, "as many as it was said to take, and no more while those wait"

    async def test_calls_per_second_of_the_other_hold_over_dialers(
        self, world: World, database_url: str
    ) -> None:
        (second,) = await further(world, "second", max_concurrent=1000, calls_per_second=20.0)
        await world.queue(120)
        await world.queue(60, trunk_id=second)
        names = [await world.dialer(name) for name in ("a", "b")]
        detours = {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]}
        async with Database(database_url) as other:
            worlds = [world, World(other, world.account_id, world.trunk_id, world.now)]
            started: list[int] = []
            seen: set[str] = set()
            for _ in range(60):
                worlds[1].now = world.now
                found = await asyncio.gather(
                    *(
                        claim(each, {second: 9}, detours, name)
                        for each, name in zip(worlds, names, strict=True)
                    )
                )
                ids = [one.call.id for each in found for one in each.calls]
                assert not seen.intersection(ids)
                seen.update(ids)
                started += [world.now] * len(ids)
                world.now += 50
        assert 55 <= len(started) <= 61
        assert all(sum(at <= each < at + 1000 for each in started) <= 20 for at in started)

    async def test_accounts_take_turns_as_on_any_trunk(self, world: World) -> None:
        (second,) = await further(world, "second")
        account = await world.database.run(accounts.insert, name="other", now=1)
        mine = await world.database.run(
            bridges.insert, number="12025550177", account_id=account.id, trunk_id=second, now=1
        )
        await world.queue(100, due_at=world.now - 60_000)
        await world.queue(3, account_id=account.id, bridge=mine.number, trunk_id=second)
        await world.dialer()
        detours = {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]}
        found = await claim(world, {second: 6}, detours)
        assert sum(each.call.account_id == account.id for each in found.calls) == 3
        assert len(found.calls) == 6

    async def test_with_more_queues_than_are_looked_at_each_has_its_turn(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(due_queues, "MOST", 3)
        (second,) = await further(world, "second")
        numbers = {BRIDGE}
        for index in range(7):
            account = await world.database.run(accounts.insert, name=f"a{index}", now=1)
            number = f"1202555020{index}"
            await world.database.run(
                bridges.insert, number=number, account_id=account.id, trunk_id=world.trunk_id, now=1
            )
            await world.queue(20, account_id=account.id, bridge=number)
            numbers.add(number)
        await world.dialer()
        detours = {second: [Detour(world.trunk_id, frozenset(numbers))]}
        served = set()
        for _ in range(12):
            served |= {each.call.account_id for each in (await claim(world, {second: 3}, detours)).calls}
        assert len(served) == 7

    async def test_what_is_paused_is_not_moved(self, world: World) -> None:
        (second,) = await further(world, "second")
        (call,) = await world.queue()
        await world.dialer()
        await world.database.run(bridges.pause, BRIDGE, now=world.now)
        found = await claim(world, {second: 9}, {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]})
        assert found.calls == []
        assert await trunk_of(world, call.id) == world.trunk_id


async def test_moving_reads_the_partial_index(world: World) -> None:
    await world.queue(3)

    values: dict[str, Any] = {"p_now": world.now, "p_from": world.trunk_id, "p_trunk": 7, "p_limit": 5}
    values |= {"p_account": world.account_id, "p_bridge": BRIDGE}
    text = await world.database.run(plan_of, ways.MOVE, values)
    assert "ix_calls_due" in text
    for costly in ("SCAN calls", "Seq Scan", "TEMP B-TREE", '"Sort"'):
        assert costly not in text


async def test_a_detour_takes_as_many_steps_with_a_long_queue_as_with_a_short_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/queue.db"
    schema.upgrade(url)
    async with Database(url) as database:
        world = await World.make(database)
        (second,) = await further(world, "second")
        await world.dialer()
        detours = {second: [Detour(world.trunk_id, frozenset({BRIDGE}))]}

        async def steps() -> int:
            def claim_one(conn: sa.Connection) -> None:
                found = claims.claim_due(
                    conn,
                    dialer_id="dialer",
                    now=world.now,
                    limit=1,
                    free_by_trunk={second: 1},
                    detours=detours,
                )
                assert len(found.calls) == 1

            return await database.run(steps_of, claim_one)

        await world.queue(20)
        await steps()
        short = await steps()
        await world.queue(5_000)
        long = await steps()

    assert 0 < long < 1.5 * short
