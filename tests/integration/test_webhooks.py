"""Webhooks through the whole system: real calls, real processes, a real receiver, SIGKILL in the middle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web
from tests.helpers.endpoint import Endpoint, Received, endpoint
from tests.helpers.poll import until
from tests.helpers.processes import kill
from tests.helpers.system import System

pytestmark = pytest.mark.timeout(240)

ANSWERS, BUSY = "12025550100", "12025550102"
OWN_SECRET = "a-password-of-my-own"
KILLS = 3


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


@pytest.fixture
async def system(tmp_path: Path, database_url: str) -> AsyncIterator[System]:
    settings = {"egress.allow": '["127.0.0.2"]', "webhooks.timeout_seconds": 2}
    async with System(tmp_path, database_url, settings=settings) as running:
        yield running


async def add(system: System, uri: str, **fields: Any) -> dict[str, Any]:
    status, answer = await system.request(
        "POST", "developer/webhooks", data={"name": "test", "uri": uri, **fields}
    )
    assert status == 200, answer
    assert answer["data"]["status"] == 1, answer
    row: dict[str, Any] = answer["data"]
    return row


async def subscribe(system: System, webhook_id: int) -> None:
    wish = {"event": "voice:message:out", "identity": "all", "webhook_id": str(webhook_id)}
    status, answer = await system.request("POST", "developer/subscriptions", data=wish)
    assert status == 200, answer


def by_call(events: list[Received]) -> dict[str, list[int]]:
    """The sequences of each call as they first came, in order."""
    found: dict[str, list[int]] = {}
    for event in events:
        sequences = found.setdefault(event.json["id"], [])
        if event.json["sequence"] not in sequences:
            sequences.append(event.json["sequence"])
    return found


async def test_a_call_is_told_signed_and_once_and_no_secret_is_logged(
    system: System, receiver: Endpoint
) -> None:
    server = await system.start()
    made = await add(system, receiver.url)
    own = await add(system, receiver.url + "/own", secret=OWN_SECRET)
    sound = await system.add_sound(200)
    status, answer = await system.request(
        "POST",
        "outgoing/send",
        data={
            "bridge": "12025550199",
            "to": ANSWERS,
            "audio": sound,
            "customid": "c1",
            "variables[otp]": "1234",
            "webhook_id": str(made["id"]),
        },
    )
    assert status == 200, answer
    call_id = answer["data"][0]["id"]
    (event,) = await receiver.has(1)
    payload = standardwebhooks.Webhook(made["secret"]).verify(event.body, event.headers)
    assert (payload["id"], payload["webhook_id"], payload["status"]) == (call_id, made["id"], "ANSWER")
    assert (payload["from"], payload["to"], payload["source"]) == ("12025550199", ANSWERS, "OBD")
    assert (payload["customid"], payload["variables"], payload["sip_code"]) == ("c1", {"otp": "1234"}, 200)
    assert (payload["attempt"], payload["attempts_left"], payload["sequence"]) == (1, 0, 1)
    status_row = await system.callstatus(call_id)
    assert (payload["start_at"], payload["end_at"]) == (status_row["start_at"], status_row["end_at"])
    assert payload["duration"] == status_row["duration"]
    assert "authorization" not in event.headers

    await subscribe(system, own["id"])
    await system.send([BUSY], sound)
    _, busy = await receiver.has(2)
    assert busy.headers["authorization"] == f"Bearer {OWN_SECRET}"
    assert (busy.json["status"], busy.json["sip_code"], busy.json["start_at"]) == ("BUSY", 486, None)

    async def logged() -> list[dict[str, Any]]:
        path = f"developer/webhooks/{own['id']}/deliveries"
        rows: list[dict[str, Any]] = (await system.request("GET", path))[1]["data"]
        return rows

    (row,) = await until(logged, "the delivery is logged")
    assert (row["status"], row["error"], row["event"], row["call_id"]) == (
        200,
        None,
        "delivered",
        busy.json["id"],
    )
    status, _ = await system.request("POST", f"developer/webhooks/{own['id']}/deliveries/{row['id']}/replay")
    assert status == 200
    again = (await receiver.has(3))[2]
    assert (again.body, again.headers["webhook-id"]) == (busy.body, busy.headers["webhook-id"])

    assert await server.stop() == 0
    log = server.log_file.read_text()
    assert len(server.log("webhook_sent")) == 3
    for secret in (made["secret"], made["secret"].removeprefix("whsec_"), OWN_SECRET):
        assert secret not in log


async def test_nothing_is_lost_when_the_role_is_killed_in_the_middle_of_requests(
    system: System, receiver: Endpoint
) -> None:
    """What the killed process had sent without noting it is sent again when its lease is over."""
    server = await system.start()
    row = await add(system, receiver.url)
    await subscribe(system, row["id"])
    sound = await system.add_sound(40)
    answering = asyncio.Event()

    async def behave(_: Received) -> web.StreamResponse:
        await answering.wait()
        return web.Response()

    receiver.behave = behave
    accepted: list[str] = []
    cut: set[str] = set()
    for _ in range(KILLS):
        answering.clear()
        before = len(receiver.events)
        accepted += (await system.send([ANSWERS, BUSY], sound)).values()
        await receiver.has(before + 1)
        await kill(system.pid_of("webhooks"))
        cut |= {event.json["id"] for event in receiver.events[before:]}
        answering.set()
        await until(lambda: system.processes("webhooks"), "the role is back")

    async def all_told() -> bool:
        told = Counter(event.json["id"] for event in receiver.events)
        return set(told) == set(accepted) and all(told[call_id] > 1 for call_id in cut)

    await until(all_told, "every call is told, and again what was cut off", within_s=150)
    assert len(cut) >= KILLS
    assert {event.headers["webhook-id"] for event in receiver.events} == {f"{each}:1" for each in accepted}
    assert server.exit_status is None


async def test_a_retried_call_is_told_in_order_while_the_endpoint_fails(
    system: System, receiver: Endpoint
) -> None:
    await system.start()
    row = await add(system, receiver.url)
    await subscribe(system, row["id"])
    receiver.answer(500)
    (call_id,) = (await system.send([BUSY], await system.add_sound(40), interval=5)).values()
    await receiver.has(1)
    await system.request("POST", "outgoing/cancel", data={"id": call_id})
    events = await receiver.has(3)
    assert [(each.json["sequence"], each.json["status"]) for each in events] == [
        (1, "BUSY"),
        (1, "BUSY"),
        (2, "CANCEL"),
    ]
    assert [each.json["attempts_left"] for each in events] == [3, 3, 0]


async def test_one_slow_endpoint_delays_no_other(system: System, receiver: Endpoint) -> None:
    await system.start()
    async with endpoint() as quick:
        for hook in (receiver, quick):
            await subscribe(system, (await add(system, hook.url))["id"])
        receiver.hang()
        sound = await system.add_sound(40)
        accepted = await system.send([f"12025550{n}" for n in range(100, 103)], sound)
        events = await quick.has(len(accepted))
        assert set(by_call(events)) == set(accepted.values())


async def test_private_addresses_get_no_request(system: System) -> None:
    await system.start()
    async with endpoint("127.0.0.3") as private:
        form = {"name": "inside", "uri": private.url}
        _, answer = await system.request("POST", "developer/webhooks", data=form)
        assert answer["data"]["status"] == 0
        assert "only public addresses are asked" in answer["data"]["reason"]
        assert private.challenges == []


async def test_a_name_that_leads_inside_later_gets_no_event(system: System, receiver: Endpoint) -> None:
    """The operator takes the address out of the allow-list: what waits is refused, and the log says why."""
    server = await system.start()
    row = await add(system, receiver.url)
    await subscribe(system, row["id"])
    await server.stop()
    await system.ready(system.serve("--sandbox", settings={"egress.allow": "[]"}))
    await system.send([BUSY], await system.add_sound(40))

    async def logged() -> list[dict[str, Any]]:
        path = f"developer/webhooks/{row['id']}/deliveries"
        rows: list[dict[str, Any]] = (await system.request("GET", path))[1]["data"]
        return rows

    rows = await until(logged, "the delivery is logged")
    assert "only public addresses are asked" in rows[0]["error"]
    assert rows[0]["status"] is None
    assert receiver.events == []


async def test_a_role_that_stops_lets_a_request_end(system: System, receiver: Endpoint) -> None:
    server = await system.start()
    row = await add(system, receiver.url)
    await subscribe(system, row["id"])

    async def slowly(_: Received) -> web.StreamResponse:
        server_stops = server.stop()
        stopping.append(server_stops)
        return web.Response()

    stopping: list[Any] = []
    receiver.behave = slowly
    await system.send([BUSY], await system.add_sound(40))
    await receiver.has(1)
    assert await stopping[0] == 0
    sent = server.log("webhook_sent")
    assert [each["ok"] for each in sent] == [True]
