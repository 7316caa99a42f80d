"""Legs to agents: a place, money and a row before the dial; charged at the end, whoever lives to see it."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.agent_leg import AgentLeg, AgentLegOutcome
from outdial.domain.call import ClaimedCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.storage import (
    accounts,
    agent_legs,
    agent_places,
    bridges,
    credit,
    paces,
    rates,
    recordings,
    trunks,
)
from outdial.storage.agent_legs import Begun, NewLeg
from outdial.storage.agent_places import Full, Refused
from outdial.storage.audit import Actor
from outdial.storage.calls import ANY_CALL
from outdial.storage.credit import Kind
from outdial.storage.rates import NewCardRow
from tests.storage.test_credit import RATE, prepaid
from tests.storage.test_flow_events import talking
from tests.storage.test_limits import OTHER_BRIDGE, limit_trunk, other_account
from tests.storage.test_outbox import finish
from tests.storage.world import BRIDGE, LEASE_MS, World, rescue_lost

AGENT = "12025550151"


async def begin(
    world: World, call: ClaimedCall, wait: int | None = None, **changes: Any
) -> Begun | Full | Refused:
    values: dict[str, Any] = {
        "account_id": world.account_id,
        "trunk_id": world.trunk_id,
        "to": AGENT,
        "caller_id": BRIDGE,
        "callee": call.call.to,
        "bridge": call.call.bridge,
        "sip_call_id": "sip",
        "talk_ms": 58_000,
    }
    new = NewLeg(**(values | changes))
    begun: Begun | Full | Refused = await world.database.run(
        agent_legs.begin, call.lease, new, now=world.now, wait=wait
    )
    return begun


async def begun(world: World, call: ClaimedCall, wait: int | None = None, **changes: Any) -> Begun:
    leg = await begin(world, call, wait, **changes)
    assert isinstance(leg, Begun), leg
    return leg


async def full(world: World, call: ClaimedCall, **changes: Any) -> Full:
    leg = await begin(world, call, **changes)
    assert isinstance(leg, Full), leg
    return leg


async def answer(world: World, call: ClaimedCall, leg: Begun) -> bool:
    noted: bool = await world.database.run(agent_legs.mark_answered, call.lease, leg.leg, at=world.now)
    return noted


def ended(world: World, answered_at: int | None) -> AgentLegOutcome:
    return AgentLegOutcome(
        disposition=Disposition.BUSY if answered_at is None else Disposition.ANSWER,
        reason=EndReason.REJECTED if answered_at is None else EndReason.CALLEE_HUNG_UP,
        hangup_by=HangupBy.CALLEE,
        ended_at=world.now,
        answered_at=answered_at,
    )


async def end(world: World, call: ClaimedCall, leg: Begun, answered_at: int | None = None) -> bool:
    outcome = ended(world, answered_at)
    over: bool = await world.database.run(agent_legs.finish, call.lease, leg.leg, outcome, now=world.now)
    return over


async def legs(world: World, call: ClaimedCall) -> list[AgentLeg]:
    return await world.database.read(agent_legs.of_calls, [call.call.id])


async def pay(world: World, units: int) -> None:
    """A prepaid account with a price for the agent."""
    await prepaid(world, units)
    await world.database.run(rates.put, [NewCardRow(rate=RATE, currency="USD")], now=1)


def audit(conn: sa.Connection, account_id: int) -> credit.Credit:
    """The account, after a look at whether its ledger adds up."""
    account = credit.get(conn, account_id)
    assert account is not None
    lines = credit.entries(conn, account_id, limit=100_000)
    assert sum(line.amount for line in lines) == account.balance
    assert sum(line.reserved for line in lines) == account.reserved
    return account


async def test_a_leg_leaves_a_row_from_its_dial_to_its_end(world: World) -> None:
    call = await talking(world)
    leg = await begun(world, call)
    (row,) = await legs(world, call)
    assert (row.leg, row.to, row.caller_id, row.dialing_at, row.outcome) == (
        1,
        AGENT,
        BRIDGE,
        world.now,
        None,
    )
    assert await answer(world, call, leg)
    answered_at = world.now
    world.now += 5_000
    assert await end(world, call, leg, answered_at)
    assert not await end(world, call, leg, answered_at)
    (row,) = await legs(world, call)
    assert row.outcome == ended(world, answered_at)
    assert row.outcome is not None
    assert row.outcome.talk_ms == 5_000
    assert (await begun(world, call)).leg == 2


async def test_what_was_said_is_listed_until_it_is_deleted(world: World) -> None:
    call = await talking(world)
    leg = await begun(world, call)
    key = "recordings/talk.wav"
    outcome = replace(ended(world, world.now - 5_000), recording_key=key)
    assert await world.database.run(agent_legs.finish, call.lease, leg.leg, outcome, now=world.now)
    (talk,), _ = await world.database.read(recordings.find, world.account_id, ANY_CALL)
    assert (talk.key, talk.codec, talk.kind, talk.duration_ms) == (key, recordings.WAV, "talk", 5_000)
    (row,) = await legs(world, call)
    assert row.outcome == outcome
    await world.database.run(recordings.delete, Actor(name="test"), talk, now=world.now)
    (row,) = await legs(world, call)
    assert row.outcome == replace(outcome, recording_key=None)


async def test_what_it_may_cost_is_reserved_and_what_it_cost_is_charged_to_its_call(world: World) -> None:
    await pay(world, 20_000)
    call = await talking(world)
    leg = await begun(world, call)
    # A minute, in pulses of 30 seconds.
    assert (leg.reserved, leg.rate) == (10_000, RATE)
    assert (await world.database.read(audit, world.account_id)).available == 10_000
    await answer(world, call, leg)
    answered_at, world.now = world.now, world.now + 20_000
    assert await end(world, call, leg, answered_at)
    account = await world.database.read(audit, world.account_id)
    assert (account.balance, account.reserved) == (15_000, 0)
    lines = await world.database.read(credit.entries, world.account_id)
    assert [(line.call_id, line.amount) for line in lines if line.kind is Kind.CHARGE] == [
        (call.call.id, -5_000)
    ]
    (row,) = await legs(world, call)
    assert (row.bill.charge, row.bill.pulse_s, row.bill.billed_ms) == (5_000, 30, 30_000)


async def test_a_leg_that_nobody_answered_costs_nothing(world: World) -> None:
    await pay(world, 20_000)
    call = await talking(world)
    assert await end(world, call, await begun(world, call))
    account = await world.database.read(audit, world.account_id)
    assert (account.balance, account.reserved) == (20_000, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"caller_id": "12025550188"}, "is no bridge of the account"),
        ({"to": "4915112345678"}, "has no price"),
        ({"talk_ms": 600_000}, "balance does not cover"),
    ],
    ids=["whose number", "no price", "too dear"],
)
async def test_what_cannot_be_called_leaves_nothing(world: World, change: dict[str, Any], why: str) -> None:
    await pay(world, 20_000)
    call = await talking(world)
    refused = await begin(world, call, **change)
    assert isinstance(refused, Refused)
    assert why in refused.problem
    assert await legs(world, call) == []
    assert (await world.database.read(audit, world.account_id)).reserved == 0


async def test_the_callee_s_own_number_may_be_shown(world: World) -> None:
    call = await talking(world)
    await begun(world, call, caller_id=call.call.to)


async def test_a_leg_has_a_place_on_its_trunk_like_a_call(world: World) -> None:
    await limit_trunk(world, 10_000.0, 2)
    call = await talking(world)
    leg = await begun(world, call)
    waits = await full(world, call)
    assert waits.problem == "the trunk trunk has 2 calls in progress, as many as it may (max_concurrent)"
    assert waits.wait is not None
    await world.database.run(agent_places.leave, waits.wait)
    await world.queue()
    assert await world.claim("dialer") == []
    assert await end(world, call, leg)
    assert len(await world.claim("dialer")) == 1
    await full(world, call)


async def test_the_next_place_is_for_who_is_on_the_line_already(world: World) -> None:
    await limit_trunk(world, 10_000.0, 2)
    call = await talking(world)
    await world.queue(3)
    (other,) = await world.claim("dialer")
    # Both agents are for one callee: one place is kept for both.
    first, second = await full(world, call), await full(world, call)
    await finish(world, other)
    assert await world.claim("dialer") == []
    leg = await begun(world, call, first.wait)
    assert isinstance(await begin(world, call, second.wait), Full)
    assert await end(world, call, leg)
    assert await world.claim("dialer") == []
    assert second.wait is not None
    await world.database.run(agent_places.leave, second.wait)
    assert len(await world.claim("dialer")) == 1


async def test_who_waits_for_the_account_keeps_no_place_on_the_trunk(world: World) -> None:
    await limit_trunk(world, 10_000.0, 2)
    await world.database.run(accounts.limit, world.account_id, calls_per_second=None, max_concurrent=1)
    other = await other_account(world)
    call = await talking(world)
    waits = await full(world, call)
    assert waits.problem == "the account has 1 call in progress, as many as it may (max_concurrent)"
    await world.queue(account_id=other, bridge=OTHER_BRIDGE)
    assert len(await world.claim("dialer")) == 1
    # The trunk has none left now, so it is the trunk that it waits for.
    again = await begin(world, call, waits.wait)
    assert isinstance(again, Full)
    assert (again.wait, again.problem.partition(" has ")[0]) == (waits.wait, "the trunk trunk")


async def test_a_leg_counts_for_the_bridge_that_it_shows_and_for_its_call_s_otherwise(world: World) -> None:
    run = world.database.run
    await run(
        bridges.insert, number=OTHER_BRIDGE, account_id=world.account_id, trunk_id=world.trunk_id, now=1
    )
    for number in (BRIDGE, OTHER_BRIDGE):
        await run(bridges.limit, number, calls_per_second=None, max_concurrent=2)
    call = await talking(world)
    await begun(world, call, caller_id=call.call.to)
    assert await world.database.read(paces.active, paces.BRIDGE, BRIDGE) == 2
    waits = await full(world, call)
    assert waits.problem.startswith(f"the bridge {BRIDGE} has 2 calls in progress")
    await begun(world, call, waits.wait, caller_id=OTHER_BRIDGE)
    assert await world.database.read(paces.active, paces.BRIDGE, OTHER_BRIDGE) == 1
    await world.queue(2)
    await world.queue(2, bridge=OTHER_BRIDGE)
    assert [each.call.bridge for each in await world.claim("dialer")] == [OTHER_BRIDGE]


async def test_a_leg_counts_in_the_rate_of_its_trunk(world: World) -> None:
    await limit_trunk(world, 1.0, 100)
    call = await talking(world)
    waits = await full(world, call)
    assert "may start 1 calls a second" in waits.problem
    await world.queue()
    world.now = waits.free_at
    assert await world.claim("dialer") == [], "the start is kept for the leg"
    await begun(world, call, waits.wait)
    assert await world.claim("dialer") == []


async def test_the_limits_of_the_account_hold_too(world: World) -> None:
    await world.database.run(accounts.limit, world.account_id, calls_per_second=None, max_concurrent=1)
    await full(world, await talking(world))


async def test_a_trunk_that_was_switched_off_takes_no_agents(world: World) -> None:
    call = await talking(world)
    off = trunks.NewTrunk(name="trunk", host="192.0.2.1", enabled=False)
    await world.database.run(trunks.update, world.trunk_id, off)
    assert isinstance(await begin(world, call), Refused)


async def test_a_dialer_that_died_leaves_no_leg_no_place_and_no_money_behind(world: World) -> None:
    await pay(world, 50_000)
    await limit_trunk(world, 10_000.0, 3)
    call = await talking(world)
    ringing, talked = await begun(world, call), await begun(world, call)
    await full(world, call)
    assert await answer(world, call, talked)
    world.now += LEASE_MS
    await world.database.run(rescue_lost, now=world.now)
    first, second = await legs(world, call)
    assert first.outcome is not None
    assert second.outcome is not None
    assert (first.outcome.reason, first.bill.charge) == (EndReason.INTERRUPTED, 0)
    assert (second.outcome.disposition, second.bill.charge) == (Disposition.ANSWER, 5_000)
    account = await world.database.read(audit, world.account_id)
    assert (account.balance, account.reserved) == (45_000, 0)
    # It was no longer its own: whatever the dialer still writes comes too late.
    assert not await end(world, call, ringing)
    await world.queue(3)
    assert len(await world.claim(await world.dialer("next"))) == 3


async def test_who_lost_the_call_calls_no_agent(world: World) -> None:
    call = await talking(world)
    leg = await begun(world, call)
    await world.lose()
    assert isinstance(await begin(world, call), Refused)
    assert not await answer(world, call, leg)
    assert not await end(world, call, leg)
    (row,) = await legs(world, call)
    assert row.outcome is None


async def test_a_flow_in_circles_stops_ringing(world: World) -> None:
    call = await talking(world)
    for _ in range(agent_legs.MOST_OF_ATTEMPT):
        assert await end(world, call, await begun(world, call))
    assert isinstance(await begin(world, call), Refused)
    await finish(world, call)
