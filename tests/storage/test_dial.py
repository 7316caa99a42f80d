"""The last look before an INVITE: what came after the claim still counts."""

import pytest

from outdial.domain.call import AttemptState, Call, CallState, ClaimedCall
from outdial.domain.disposition import Disposition
from outdial.domain.retry_policy import Retry
from outdial.storage import (
    accounts,
    attempts,
    bridges,
    calls,
    dial,
    endings,
    leases,
    pauses,
    requests,
    suppressions,
)
from outdial.storage.dial import Dial
from outdial.storage.pauses import PauseKind
from outdial.storage.suppressions import SERVER, NewSuppression
from tests.storage.world import BRIDGE, LEASE_MS, World, outcome, rescue_lost

REQUEST = "70fa87e0-9df9-4327-bc80-a561c48703d8"


async def test_a_call_that_nothing_forbids_is_dialled(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    assert await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now) is Dial.NOW
    (attempt,) = await world.database.read(attempts.of_call, claimed.call.id)
    assert attempt.state is AttemptState.DIALING
    again = await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now)
    assert again is Dial.LOST, "an attempt is dialled once"


async def test_a_number_that_was_suppressed_meanwhile_is_not_dialled(world: World) -> None:
    dialer = await world.dialer()
    for owner in (world.account_id, SERVER):
        await world.queue()
        (claimed,) = await world.claim(dialer)
        new = NewSuppression(receiver=claimed.call.to)
        row, _ = await world.database.run(suppressions.add, owner, new, source="test", now=world.now)
        said = await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now)
        assert said is Dial.SUPPRESSED
        (attempt,) = await world.database.read(attempts.of_call, claimed.call.id)
        assert attempt.state is AttemptState.CLAIMED, "nothing was written"
        await world.database.run(suppressions.delete, owner, row.id)


async def begin(world: World, claimed: ClaimedCall) -> Dial:
    return await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now)


async def the_call(world: World, call_id: str) -> Call:
    call = await world.database.read(calls.get, call_id)
    assert call is not None
    return call


async def test_a_call_that_was_cancelled_after_the_claim_is_not_dialled(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    await world.database.run(calls.request_cancel, claimed.call.id, now=world.now)
    assert await begin(world, claimed) is Dial.WAITS
    call = await the_call(world, claimed.call.id)
    assert (call.state, call.disposition, call.attempts_started) == (CallState.DONE, Disposition.CANCEL, 0)


async def test_nobody_who_picked_up_late_is_called_again(world: World) -> None:
    """The news may come when the next try is claimed and not yet dialled."""
    await world.queue(retries=1)
    dialer = await world.dialer()
    (first,) = await world.claim(dialer)
    assert await begin(world, first) is Dial.NOW
    missed = outcome(world.now, disposition=Disposition.NOANSWER, answered_at=None)
    retry = Retry(due_at=world.now, spends_attempt=True)
    assert await world.database.run(attempts.finish, first.lease, missed, retry, now=world.now)
    (again,) = await world.claim(dialer)
    await world.database.run(endings.answered_late, first.lease, now=world.now)
    assert await begin(world, again) is Dial.WAITS
    assert (await the_call(world, first.call.id)).state is CallState.DONE


@pytest.mark.parametrize("what", ["account", "bridge"])
async def test_a_pause_after_the_claim_counts(world: World, what: str) -> None:
    run = world.database.run
    await world.queue()
    dialer = await world.dialer()
    (claimed,) = await world.claim(dialer)
    if what == "account":
        await run(accounts.pause, world.account_id, now=world.now)
    else:
        await run(bridges.pause, BRIDGE, now=world.now)
    assert await begin(world, claimed) is Dial.WAITS
    stored = await the_call(world, claimed.call.id)
    assert (stored.state, stored.attempts_started, stored.due_at) == (CallState.QUEUED, 0, world.now)
    assert await world.database.read(attempts.of_call, stored.id) == []
    assert await world.claim(dialer) == []
    await (run(accounts.resume, world.account_id) if what == "account" else run(bridges.resume, BRIDGE))
    (again,) = await world.claim(dialer)
    assert await begin(world, again) is Dial.NOW


@pytest.mark.parametrize("kind", list(PauseKind))
async def test_a_pause_of_the_campaign_or_the_request_counts(world: World, kind: PauseKind) -> None:
    await world.queue(id=f"{REQUEST}:1", name="spring")
    await world.queue(id="other:1", name="autumn")
    dialer = await world.dialer()
    both = await world.claim(dialer)
    name = "spring" if kind is PauseKind.CAMPAIGN else REQUEST
    request = await world.database.read(requests.find, REQUEST, most=1) if kind is PauseKind.REQUEST else None
    assert await pauses.pause(world.database, world.account_id, kind, name, request=request, now=5) == 0
    said = {claimed.call.name: await begin(world, claimed) for claimed in both}
    assert said == {"spring": Dial.WAITS, "autumn": Dial.NOW}
    stored = await the_call(world, f"{REQUEST}:1")
    assert (stored.state, stored.attempts_started, stored.paused_by) == (CallState.QUEUED, 0, kind)
    assert await world.claim(dialer) == [], "it is not claimed to learn it again"
    assert await pauses.resume(world.database, world.account_id, kind, name, request=request)
    (again,) = await world.claim(dialer)
    assert await begin(world, again) is Dial.NOW


NIGHT = "00:00-24:00; not 1970-01-01; zone UTC"
"""Closed on the day on which the world's time begins."""
TOMORROW = 24 * 60 * 60 * 1000


@pytest.mark.parametrize("whose", ["account", "call"])
async def test_a_closed_window_moves_the_call_to_its_opening(world: World, whose: str) -> None:
    if whose == "account":
        await world.database.run(accounts.update, world.account_id, {"calling_window": NIGHT})
        await world.queue()
    else:
        await world.database.run(accounts.update, world.account_id, {"calling_window": "always"})
        await world.queue(calling_window=NIGHT)
    dialer = await world.dialer()
    (claimed,) = await world.claim(dialer)
    assert await begin(world, claimed) is Dial.WAITS
    stored = await the_call(world, claimed.call.id)
    assert (stored.state, stored.attempts_started, stored.due_at) == (CallState.QUEUED, 0, TOMORROW)
    world.now = TOMORROW - 1
    await world.database.run(leases.register, "d", host="h", pid=1, now=0, lease_until=2 * TOMORROW)
    assert await world.claim("d") == []
    world.now = TOMORROW
    (again,) = await world.claim("d")
    assert again.lease.number == 1, "no attempt was spent"
    assert await begin(world, again) is Dial.NOW


async def test_a_call_s_own_window_counts_before_its_account_s(world: World) -> None:
    await world.database.run(accounts.update, world.account_id, {"calling_window": NIGHT})
    await world.queue(calling_window="always")
    (claimed,) = await world.claim(await world.dialer())
    assert await begin(world, claimed) is Dial.NOW


async def test_the_account_s_zone_counts_where_the_window_says_so(world: World) -> None:
    changed = {"calling_window": NIGHT.replace("UTC", "account"), "time_zone": "Asia/Kolkata"}
    await world.database.run(accounts.update, world.account_id, changed)
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    assert await begin(world, claimed) is Dial.WAITS
    assert (await the_call(world, claimed.call.id)).due_at == TOMORROW - 5 * 3_600_000 - 30 * 60_000


async def test_after_its_time_a_call_is_not_dialled(world: World) -> None:
    await world.queue(expires_at=world.now + 10)
    dialer = await world.dialer()
    (claimed,) = await world.claim(dialer)
    world.now += 10
    assert await begin(world, claimed) is Dial.WAITS
    stored = await the_call(world, claimed.call.id)
    assert (stored.state, stored.disposition, stored.reason) == (CallState.DONE, "CANCEL", "expired")
    assert (stored.done_at, stored.attempts_started) == (world.now, 0)


async def test_in_its_time_a_call_is_dialled(world: World) -> None:
    await world.queue(expires_at=world.now + 10)
    (claimed,) = await world.claim(await world.dialer())
    world.now += 9
    assert await begin(world, claimed) is Dial.NOW


async def test_a_dialer_without_its_lease_neither_moves_nor_ends_a_call(world: World) -> None:
    await world.queue(expires_at=world.now + 10)
    (claimed,) = await world.claim(await world.dialer())
    world.now += LEASE_MS
    await world.database.run(rescue_lost, now=world.now)
    before = await the_call(world, claimed.call.id)
    assert await begin(world, claimed) is Dial.LOST
    assert await the_call(world, claimed.call.id) == before
