"""The last look before an INVITE: what came after the claim still counts."""

from outdial.domain.call import AttemptState
from outdial.storage import accounts, attempts, bridges, dial, suppressions
from outdial.storage.dial import Dial
from outdial.storage.suppressions import SERVER, NewSuppression
from tests.storage.world import World


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


async def test_a_pause_after_the_claim_counts(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    bridge = await world.database.read(bridges.get_by_number, claimed.call.bridge)
    assert bridge is not None
    await world.database.run(accounts.pause, world.account_id, now=world.now)
    said = await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now)
    assert said is Dial.PAUSED
    await world.database.run(accounts.resume, world.account_id)
    await world.database.run(bridges.pause, bridge.number, now=world.now)
    said = await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now)
    assert said is Dial.PAUSED
    await world.database.run(bridges.resume, bridge.number)
    assert await world.database.run(dial.begin, claimed.lease, claimed.call, now=world.now) is Dial.NOW
