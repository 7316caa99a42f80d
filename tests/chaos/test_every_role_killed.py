"""SIGKILL of every role at random moments, while calls with retries are sent, dialled, paid and told."""

import asyncio
import uuid
from contextlib import suppress
from functools import partial
from random import Random

import aiohttp
import pytest

from outdial.domain.call import CallState
from outdial.domain.disposition import EndReason
from outdial.supervisor.parts import wall_clock_ms
from tests.chaos.campaign import INTERVAL_MINUTES, Campaign
from tests.chaos.events import UnreliableReceiver, event_problems, wanted_events
from tests.chaos.ledger import make_retries_due
from tests.chaos.phones import KINDS
from tests.chaos.scale import STORM_CALLS, STORM_KILLS
from tests.chaos.world import WORKERS, World
from tests.helpers.endpoint import endpoint
from tests.helpers.poll import WITHIN_S, until
from tests.helpers.processes import kill
from tests.helpers.system import BRIDGE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120 + 4 * STORM_CALLS + 60 * STORM_KILLS)]

ROLES = ("api", "dialer", "webhooks", "media")
_NUMBERS_IN_A_REQUEST = 4
_LOST_ANSWERS = 0.1
_KILLED_AGAIN_S = 30 * STORM_KILLS + WITHIN_S
"""How long a role may be away: each fall doubles the wait for its return, up to half a minute."""
_AHEAD = 30
"""Numbers that are sent before their turn, so that requests are under way at every moment of the storm."""


async def test_calls_money_and_events_survive_the_death_of_every_role(world: World, rng: Random) -> None:
    campaign = Campaign(world, "every role killed")
    campaign.kinds = world.numbers.mix(STORM_CALLS, rng)
    async with endpoint() as far_web:
        receiver = UnreliableReceiver(far_web, Random(rng.random()))
        webhook_id = await _add_webhook(world, far_web.url)
        async with asyncio.TaskGroup() as storm:
            storm.create_task(_send_all(campaign, webhook_id, rng))
            storm.create_task(_kill_all(campaign, rng))
        await campaign.drain()
        ledger = campaign.ledger()
        await until(
            lambda: wanted_events(ledger) <= receiver.taken(),
            "every event is taken",
            within_s=_KILLED_AGAIN_S,
        )

    assert set(campaign.accepted) == set(campaign.kinds)
    assert {entry.call.to for entry in ledger.values()} == set(campaign.kinds)
    assert len(ledger) == STORM_CALLS  # a request that was sent again made no second call
    assert campaign.problems(EndReason.INTERRUPTED, EndReason.MEDIA_WORKER_LOST) == []
    assert event_problems(ledger, receiver.told) == []
    reasons = campaign.reasons()
    assert reasons[EndReason.COMPLETED] > 0
    assert reasons[EndReason.INTERRUPTED] > 0
    assert any(len(entry.cdrs) > 1 for entry in ledger.values())
    assert len(receiver.told) > len(wanted_events(ledger))  # or nothing was told twice: no test of the order


async def _add_webhook(world: World, url: str) -> str:
    form = {"name": "storm", "uri": url}
    status, answer = await world.system.request("POST", "developer/webhooks", data=form)
    assert (status, answer["data"]["status"]) == (200, 1), answer
    return str(answer["data"]["id"])


def _has_begun(campaign: Campaign, calls: int) -> bool:
    return campaign.attempts().total() >= calls


def _has_begun_or_is_over(campaign: Campaign, calls: int) -> bool:
    return _has_begun(campaign, calls) or campaign.states()[CallState.DONE] >= STORM_CALLS


async def _send_all(campaign: Campaign, webhook_id: str, rng: Random) -> None:
    """Send all numbers a few at a time, hardly faster than they are dialled."""
    numbers = list(campaign.kinds)
    for start in range(0, len(numbers), _NUMBERS_IN_A_REQUEST):
        some = numbers[start : start + _NUMBERS_IN_A_REQUEST]
        await until(partial(_has_begun, campaign, start - _AHEAD), "the turn of the next")
        interval = rng.choice((0, INTERVAL_MINUTES))
        for kind in {campaign.kinds[number] for number in some}:
            of_kind = [number for number in some if campaign.kinds[number] == kind]
            form = {
                "bridge": BRIDGE,
                "to": ",".join(of_kind),
                "audio": campaign.world.sounds[KINDS[kind].announcement],
                "interval": str(interval),
                "name": campaign.name,
                "webhook_id": webhook_id,
            }
            campaign.accepted |= await _send_until_answered(campaign.world, form, rng)
            if interval:
                campaign.retried |= set(of_kind)


async def _send_until_answered(world: World, form: dict[str, str], rng: Random) -> dict[str, str]:
    """As a client should: whatever had no answer is sent again with the same key.

    Some answers are lost on their way to the client, not only those of an API that was killed over them:
    otherwise it would be for luck to decide whether a request that was carried out is sent again.
    """
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    lost = rng.random() < _LOST_ANSWERS

    async def answered() -> dict[str, str]:
        nonlocal lost
        with suppress(aiohttp.ClientError):
            status, answer = await world.system.request("POST", "outgoing/send", data=form, headers=headers)
            assert status == 200, answer
            lost, was_lost = False, lost
            return {} if was_lost else {row["mobile"]: row["id"] for row in answer["data"]}
        return {}

    ids: dict[str, str] = await until(answered, "the request is answered", within_s=_KILLED_AGAIN_S)
    return ids


async def _kill_all(campaign: Campaign, rng: Random) -> None:
    """Kill each role so many times, in random order, spread over the campaign."""
    victims = list(ROLES) * STORM_KILLS
    rng.shuffle(victims)
    share = STORM_CALLS / (len(victims) + 1)
    for turn, role in enumerate(victims):
        begun = int(share * (turn + rng.random()))
        await until(
            partial(_has_begun_or_is_over, campaign, begun),
            f"{begun} calls begun",
            every_s=0.005,
        )
        await _kill_one(campaign.world, role, rng)
        await campaign.world.system.write(make_retries_due, campaign.name, now=wall_clock_ms())


async def _kill_one(world: World, role: str, rng: Random) -> None:
    """SIGKILL of a process of the role, once it works again after the last kill."""
    wanted = WORKERS if role == "media" else 1
    await until(lambda: len(world.system.processes(role)) == wanted, f"{role} runs")
    if role == "dialer":
        await until(world.system.registered_dialers, "the dialer has a lease")
    victim = rng.choice(world.system.processes(role))
    await kill(victim.pid)
    if role == "dialer":
        await world.another_dialer(instead_of=victim.pid)
