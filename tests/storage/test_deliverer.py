"""The deliverer over a real database and a scripted client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from outdial.egress.message import Answer, EgressRequest
from outdial.errors import EgressTimeout
from outdial.storage import deliveries, outbox_claims, webhooks
from outdial.storage.deliveries import Delivery
from outdial.storage.webhooks import Webhook
from outdial.webhooks.deliverer import Deliverer
from outdial.webhooks.options import WebhookOptions
from tests.storage.test_outbox import (
    DAY_MS,
    LEASE_MS,
    claim,
    ended_call,
    endpoint,
    reread,
    states,
    two_attempts,
)
from tests.storage.world import World
from tests.unit.webhooks.scripted import ScriptedClient, answer

HOUR_MS = 3_600_000


class Stage:
    """A deliverer whose clock is the world's; `random` is always 1, so that delays are the longest."""

    def __init__(self, world: World, client: ScriptedClient, **options: Any) -> None:
        self.world = world
        self.client = client
        self.deliverer = Deliverer(
            world.database,
            client,
            lambda: world.now,
            random=lambda: 1.0,
            options=WebhookOptions(**({"poll_s": 0.02, "drain_s": 5.0} | options)),
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.002)

    async def sent(self, count: int) -> list[EgressRequest]:
        await self.until(lambda: len(self.client.requests) >= count and not self.deliverer.in_flight)
        return self.client.requests

    async def log(self, webhook: Webhook) -> list[Delivery]:
        """The log, oldest first."""
        found, _ = await self.world.database.read(deliveries.find, webhook.id)
        return found[::-1]


@asynccontextmanager
async def staged(world: World, client: ScriptedClient, **options: Any) -> AsyncIterator[Stage]:
    stage = Stage(world, client, **options)
    await stage.deliverer.start()
    await stage.deliverer.start()
    try:
        yield stage
    finally:
        await stage.deliverer.stop()
        await stage.deliverer.stop()


def replies(*answers: Answer | Exception) -> ScriptedClient:
    """Answers one after the other, then 200."""
    left = list(answers)

    async def reply(_: EgressRequest) -> Answer:
        found = left.pop(0) if left else answer()
        if isinstance(found, Exception):
            raise found
        return found

    return ScriptedClient(reply)


async def test_an_event_is_sent_as_soon_as_the_call_ends(world: World) -> None:
    webhook = await endpoint(world)
    async with staged(world, ScriptedClient(), poll_s=30.0) as stage:
        await asyncio.sleep(0)
        call = await ended_call(world, webhook_id=str(webhook.id))
        (request,) = await stage.sent(1)
        assert (request.method, request.url) == ("POST", webhook.uri)
        body = json.loads(request.body or b"")
        assert (body["id"], body["status"], body["sequence"]) == (call.call.id, "ANSWER", 1)
        assert await states(world) == [(1, "delivered")]
        (logged,) = await stage.log(webhook)
        assert (logged.at, logged.status, logged.error, logged.state) == (world.now, 200, None, "delivered")


async def test_what_was_there_before_the_start_is_sent(world: World) -> None:
    webhook = await endpoint(world)
    for _ in range(25):
        await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, ScriptedClient(), poll_s=30.0, per_endpoint=4) as stage:
        await stage.sent(25)
        assert sorted(stage.client.sequences) == [(f"call:{n}", 1) for n in sorted(range(1, 26), key=str)]


async def test_events_of_a_call_come_in_order_through_failures(world: World) -> None:
    webhook = await endpoint(world)
    call = await two_attempts(world, webhook)
    async with staged(world, replies(answer(500), EgressTimeout("It is slow."))) as stage:
        await stage.sent(1)
        world.now += 5_000
        await stage.sent(2)
        world.now += 15_000
        await stage.sent(4)
    assert stage.client.sequences == [(call.call.id, n) for n in (1, 1, 1, 2)]
    logged = await stage.log(webhook)
    assert [(each.sequence, each.status, each.error) for each in logged] == [
        (1, 500, "It answered 500; 2xx is expected."),
        (1, None, "It is slow."),
        (1, 200, None),
        (2, 200, None),
    ]


async def test_the_next_event_waits_until_the_former_was_taken(world: World) -> None:
    webhook = await endpoint(world)
    await two_attempts(world, webhook)
    taken = asyncio.Event()

    async def reply(_: EgressRequest) -> Answer:
        await taken.wait()
        return answer()

    client = ScriptedClient(reply)
    async with staged(world, client) as stage:
        await stage.until(lambda: len(client.requests) == 1)
        other = await ended_call(world, webhook_id=str(webhook.id))
        await stage.until(lambda: len(client.requests) == 2)
        assert [sequence for _, sequence in client.sequences] == [1, 1]
        assert client.sequences[1][0] == other.call.id
        taken.set()
        await stage.sent(3)
    assert client.sequences[2][1] == 2


async def test_a_slow_endpoint_delays_no_other(world: World) -> None:
    slow, quick = await endpoint(world, uri="https://slow.example/"), await endpoint(world)
    for _ in range(12):
        await ended_call(world, webhook_id=str(slow.id))
    for _ in range(12):
        await ended_call(world, webhook_id=str(quick.id))
    release = asyncio.Event()
    at_slow = 0

    async def reply(request: EgressRequest) -> Answer:
        nonlocal at_slow
        if "slow" in request.url:
            at_slow += 1
            await release.wait()
        return answer()

    client = ScriptedClient(reply)
    async with staged(world, client, per_endpoint=3, max_concurrent=5) as stage:
        await stage.until(lambda: len([r for r in client.requests if "slow" not in r.url]) == 12)
        assert at_slow == 3
        assert client.at_once <= 5
        release.set()
        await stage.sent(24)


async def test_no_more_requests_at_once_than_allowed(world: World) -> None:
    hooks = [await endpoint(world, uri=f"https://{n}.example/") for n in range(4)]
    for webhook in hooks * 4:
        await ended_call(world, webhook_id=str(webhook.id))
    most = 0
    client = ScriptedClient()

    async def reply(_: EgressRequest) -> Answer:
        nonlocal most
        most = max(most, client.at_once)
        await asyncio.sleep(0.005)
        return answer()

    client.reply = reply
    async with staged(world, client, max_concurrent=3) as stage:
        await stage.sent(16)
    assert most == 3


async def test_retry_after_holds_the_whole_endpoint(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, replies(answer(429, Retry_After="120"))) as stage:
        await stage.sent(1)
        later = await ended_call(world, webhook_id=str(webhook.id))
        world.now += 119_999
        await asyncio.sleep(0.1)
        assert len(stage.client.requests) == 1
        world.now += 1
        await stage.sent(3)
        assert (later.call.id, 1) in stage.client.sequences


async def test_retry_after_of_an_error_is_about_the_event(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, replies(answer(500, Retry_After="120"))) as stage:
        await stage.sent(1)
        await ended_call(world, webhook_id=str(webhook.id))
        await stage.sent(2)
        world.now += 119_999
        await asyncio.sleep(0.1)
        assert len(stage.client.requests) == 2
        world.now += 1
        await stage.sent(3)


async def test_gone_switches_the_endpoint_off_at_once(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, replies(answer(410))) as stage:
        await stage.sent(1)
        found = await reread(world, webhook)
        assert not found.is_on
        assert "410 Gone" in (found.off_reason or "")
        await ended_call(world, webhook_id=str(webhook.id))
        world.now += DAY_MS
        await asyncio.sleep(0.1)
        assert len(stage.client.requests) == 1
        assert await states(world) == [(1, "given_up"), (1, "pending")]
        await world.database.run(webhooks.mark_verified, found, now=world.now)
        await stage.sent(2)


async def test_a_redirect_is_a_failure_that_says_what_to_do(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, replies(answer(302, Location="http://169.254.169.254/"))) as stage:
        (request,) = await stage.sent(1)
        assert not request.follow_redirects
        (logged,) = await stage.log(webhook)
        assert "redirects are not followed" in (logged.error or "")
        assert logged.state == "pending"


async def test_an_event_is_tried_for_three_days_and_then_the_endpoint_is_off(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    start = world.now

    async def reply(_: EgressRequest) -> Answer:
        return answer(503, b"out of order")

    async with staged(world, ScriptedClient(reply), off_after_ms=3 * DAY_MS) as stage:
        tries = 0
        while await states(world) == [(1, "pending")]:
            tries += 1
            await stage.sent(tries)
            world.now = max(world.now, (await stage.log(webhook))[-1].due_at)
        last = (await stage.log(webhook))[-1]
        assert last.at == start + 3 * DAY_MS
        assert await states(world) == [(1, "given_up")]
        assert 15 <= tries <= 25
        found = await reread(world, webhook)
        assert not found.is_on
        assert (found.off_reason or "").startswith("Nothing was delivered since 1970-01-01 00:16:40 UTC.")
        assert "It answered 503" in (found.off_reason or "")
        assert last.answer == "out of order"


async def test_a_success_takes_the_endpoint_out_of_doubt(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, replies(answer(500)), off_after_ms=HOUR_MS) as stage:
        await stage.sent(1)
        assert (await reread(world, webhook)).failing_since == world.now
        world.now += 5_000
        await stage.sent(2)
        found = await reread(world, webhook)
        assert (found.failing_since, found.is_on) == (None, True)


async def test_a_composed_webhook_that_cannot_be_rendered_is_in_the_log(world: World) -> None:
    webhook = await endpoint(world, uri="https://example.com/{{ 1 | divided_by: 0 }}")
    await ended_call(world, webhook_id=str(webhook.id))
    async with staged(world, ScriptedClient()) as stage:
        while not await stage.log(webhook):
            await asyncio.sleep(0.005)
        (logged,) = await stage.log(webhook)
        assert (logged.status, stage.client.requests) == (None, [])
        assert "divide" in (logged.error or "")


async def test_a_stop_lets_requests_end(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    release = asyncio.Event()

    async def reply(_: EgressRequest) -> Answer:
        await release.wait()
        return answer()

    client = ScriptedClient(reply)
    async with staged(world, client) as stage:
        await stage.until(lambda: stage.deliverer.in_flight == 1)
        stopping = asyncio.create_task(stage.deliverer.stop())
        await asyncio.sleep(0.02)
        await ended_call(world, webhook_id=str(webhook.id))
        release.set()
        await stopping
        assert await states(world) == [(1, "delivered"), (1, "pending")]


async def test_what_does_not_end_in_time_is_given_back(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))

    async def reply(_: EgressRequest) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async with staged(world, ScriptedClient(reply), drain_s=0.02) as stage:
        await stage.until(lambda: stage.deliverer.in_flight == 1)
        await stage.deliverer.stop()
        assert stage.deliverer.in_flight == 0
    (event,) = await claim(world)  # at once, without waiting for the lease
    assert event.tries == 1


async def test_a_fault_of_ours_costs_one_event_a_lease_and_nobody_else_anything(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    faults = [RuntimeError("a fault of ours")]

    async def reply(_: EgressRequest) -> Answer:
        if faults:
            raise faults.pop()
        return answer()

    with capture_logs() as lines:
        async with staged(world, ScriptedClient(reply)) as stage:
            await stage.sent(1)
            await ended_call(world, webhook_id=str(webhook.id))
            await stage.sent(2)
            world.now += LEASE_MS
            await stage.sent(3)
    assert [row["event"] for row in lines if row["log_level"] == "error"] == ["delivery_failed"]
    assert await states(world) == [(1, "delivered"), (1, "delivered")]


async def test_old_events_are_forgotten_and_hopeless_ones_given_up(world: World) -> None:
    on, off = await endpoint(world), await endpoint(world)
    for webhook in (on, off):
        await ended_call(world, webhook_id=str(webhook.id))
    (event, _) = await claim(world)
    await world.database.run(outbox_claims.delivered, event, now=world.now)
    await world.database.run(webhooks.switch_off, off.id, "Off.", now=world.now)
    world.now += 30 * DAY_MS + 1
    async with staged(world, ScriptedClient()) as stage:
        async with asyncio.timeout(10):
            while await states(world) != [(1, "given_up")]:
                await asyncio.sleep(0.005)
        assert stage.client.requests == []


@pytest.mark.parametrize("as_bearer", [True, False])
async def test_secrets_are_in_no_log(world: World, as_bearer: bool) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    webhook = await endpoint(
        world,
        secret=secret,
        secret_as_bearer=as_bearer,
        headers={"X-Api-Key": "the key", "X-Team": "billing"},
    )
    await ended_call(world, webhook_id=str(webhook.id))

    async def echo(request: EgressRequest) -> Answer:
        return answer(500, str(dict(request.headers)).encode() + secret.encode() + b"\x00\xff")

    with capture_logs() as lines:
        async with staged(world, ScriptedClient(echo)) as stage:
            await stage.sent(1)
            (logged,) = await stage.log(webhook)
    assert lines
    assert secret not in str(lines)
    assert secret not in logged.answer
    assert "the key" not in logged.answer
    assert "billing" in logged.answer
    assert "[secret]" in logged.answer
