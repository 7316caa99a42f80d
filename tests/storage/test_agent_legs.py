"""Legs to agents: a place, money and a row before the dial; charged at the end, whoever lives to see it."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.agent_leg import AgentLeg, AgentLegOutcome
from outdial.domain.call import ClaimedCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.storage import accounts, agent_legs, credit, rates, recordings, trunks
from outdial.storage.agent_legs import Begun, Full, NewLeg, Refused
from outdial.storage.audit import Actor
from outdial.storage.calls import ANY_CALL
from outdial.storage.credit import Kind
from outdial.storage.rates import NewCardRow
from tests.storage.test_credit import RATE, prepaid
from tests.storage.test_flow_events import talking
from tests.storage.test_limits import limit_trunk
from tests.storage.test_outbox import finish
from tests.storage.world import BRIDGE, LEASE_MS, World, rescue_lost

AGENT = "12025550151"


async def begin(world: World, call: ClaimedCall, **changes: Any) -> Begun | Full | Refused:
    values: dict[str, Any] = {
        "account_id": world.account_id,
        "trunk_id": world.trunk_id,
        "to": AGENT,
        "caller_id": BRIDGE,
        "callee": call.call.to,
        "sip_call_id": "sip",
        "talk_ms": 58_000,
    }
    new = NewLeg(**(values | changes))
    begun: Begun | Full | Refused = await world.database.run(agent_legs.begin, call.lease, new, now=world.now)
    return begun


async def begun(world: World, call: ClaimedCall, **changes: Any) -> Begun:
    leg = await begin(world, call, **changes)
    assert isinstance(leg, Begun), leg
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
    assert isinstance(await begin(world, call), Full)
    await world.queue()
    assert await world.claim("dialer") == []
    assert await end(world, call, leg)
    assert len(await world.claim("dialer")) == 1
    assert isinstance(await begin(world, call), Full)


async def test_a_leg_counts_in_the_rate_of_its_trunk(world: World) -> None:
    await limit_trunk(world, 1.0, 100)
    call = await talking(world)
    full = await begin(world, call)
    assert isinstance(full, Full)
    world.now = full.free_at
    await begun(world, call)
    await world.queue()
    assert await world.claim("dialer") == []


async def test_the_limits_of_the_account_hold_too(world: World) -> None:
    await world.database.run(accounts.limit, world.account_id, calls_per_second=None, max_concurrent=1)
    call = await talking(world)
    assert isinstance(await begin(world, call), Full)


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
