"""SIGKILL of the API while requests are being sent."""

import asyncio
import os
import signal
from contextlib import suppress
from random import Random

import aiohttp
import pytest

from tests.chaos.campaign import Campaign
from tests.chaos.scale import CALLS, KILLS
from tests.chaos.world import World
from tests.helpers.poll import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

CLIENTS = 12


class Clients:
    """Send requests of one to three numbers side by side; one of their answers triggers each crash."""

    def __init__(self, campaign: Campaign, numbers: list[str], rng: Random) -> None:
        self._campaign = campaign
        self._system = campaign.world.system
        self._todo = _requests(numbers, rng)
        self._answers = 0
        self._kill_at = {rng.randrange(1, len(self._todo) * 2 // 3) for _ in range(KILLS)}
        self.unanswered: list[list[str]] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(self._client())

    async def _client(self) -> None:
        sound = self._campaign.world.sounds["short"]
        while self._todo:
            numbers = self._todo.pop()
            try:
                self._campaign.accepted |= await self._system.send(numbers, sound, name=self._campaign.name)
            except aiohttp.ClientError:
                self.unanswered.append(numbers)
                await until(self._system.healthy, "the API is back")
            else:
                self._answers += 1
                if self._answers in self._kill_at:
                    self._kill()

    def _kill(self) -> None:
        """SIGKILL the API, unless it is dead at the moment: answers may arrive after their sender's end."""
        for process in self._system.processes("api"):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def _requests(numbers: list[str], rng: Random) -> list[list[str]]:
    requests, rest = [], list(numbers)
    while rest:
        size = rng.randint(1, 3)
        requests.append(rest[:size])
        rest = rest[size:]
    return requests


async def test_what_was_answered_is_dialled_and_what_was_not_is_whole_or_absent(
    world: World, rng: Random
) -> None:
    campaign = Campaign(world, "api killed")
    campaign.kinds = world.numbers.mix(CALLS, rng, ("listens", "busy", "unknown", "digest"))
    clients = Clients(campaign, list(campaign.kinds), rng)
    await clients.run()
    await campaign.drain()

    assert clients.unanswered  # or the API was not killed while it was needed
    found = {entry.call.to: call_id for call_id, entry in campaign.ledger().items()}
    halves = [numbers for numbers in clients.unanswered if len({number in found for number in numbers}) == 2]
    assert halves == []
    assert campaign.accepted.items() <= found.items()
    campaign.accepted = found  # whoever was accepted without an answer is called like everybody else
    assert campaign.problems() == []
