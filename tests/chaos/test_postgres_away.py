"""PostgreSQL is stopped in the middle of calls, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from outdial.domain.call import AttemptState
from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import cdrs, traces
from tests.chaos.ledger import attempt_states
from tests.chaos.scale import AWAY_S
from tests.helpers.endpoint import Endpoint, endpoint
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System
from tests.postgres import TEMPLATE, Cluster, running_cluster

pytestmark = [pytest.mark.chaos, pytest.mark.postgres, pytest.mark.timeout(240)]

ROLES = ("api", "dialer", "webhooks", "media")
TALKING = [f"1202600{number:04}" for number in range(12)]
WAITING = [f"1202601{number:04}" for number in range(30)]
PHONES = "\n".join(
    f"[phones.{each}]\nanswer_after_s = 0.1\nhang_up_after_s = 120" for each in TALKING + WAITING
)
SOUND_MS = int(AWAY_S * 1000) + 6_000
PACKETS = SOUND_MS // 20


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server that no other test uses."""
    with running_cluster() as running:
        yield running


@pytest.fixture
async def system(tmp_path: Path, cluster: Cluster) -> AsyncIterator[System]:
    settings = {"egress.allow": '["127.0.0.2"]', "dispatch.max_concurrent": len(TALKING), "media.workers": 1}
    async with System(tmp_path, cluster.url(TEMPLATE), phones=PHONES, settings=settings) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


async def test_calls_go_on_while_the_database_is_away_and_nothing_is_lost(
    system: System, cluster: Cluster, receiver: Endpoint
) -> None:
    server = await system.start()
    form = {"name": "away", "uri": receiver.url}
    webhook = (await system.request("POST", "developer/webhooks", data=form))[1]["data"]
    long, short = await system.add_sound(SOUND_MS), await system.add_sound(400)
    pids = {role: [process.pid for process in system.processes(role)] for role in ROLES}
    talking = await _send(system, TALKING, long, webhook["id"])
    waiting = await _send(system, WAITING, short, webhook["id"])
    await until(lambda: _answered(system) == len(TALKING), "all lines are busy")

    cluster.stop("immediate")
    stopped_at = time.monotonic()
    refused = await asyncio.gather(*(_refusal(system, method, path, short) for method, path in _REQUESTS))
    assert refused == [(503, _UNAVAILABLE, "5")] * len(_REQUESTS)
    status, ready = await system.request("GET", "/readyz")
    assert (status, "cannot be read" in ready["checks"]["database"]) == (503, True)
    assert (await system.request("GET", "/healthz"))[0] == 200
    await until(lambda: time.monotonic() > stopped_at + AWAY_S, "the time is over", within_s=AWAY_S + 60)
    cluster.start()

    rows = [await system.done(call_id) for call_id in [*talking.values(), *waiting.values()]]
    assert {row["status"] for row in rows} == {"ANSWER"}
    _heard_all(system, talking)
    await receiver.has(len(rows))
    assert sorted(each.json["id"] for each in receiver.events) == sorted(row["id"] for row in rows)
    assert {role: [process.pid for process in system.processes(role)] for role in ROLES} == pids
    assert server.log("role_fell") == []
    assert server.log("lease_lost") == []
    assert server.log("traces_not_stored")
    assert "Traceback" not in server.log_file.read_text()


_UNAVAILABLE = {
    "status": 503,
    "message": "The database cannot be reached just now; try again in a moment.",
    "errors": {},
}
_SENT = ["INVITE", "ACK", "BYE"]
_REQUESTS = (("POST", "outgoing/send"), ("GET", "outgoing/callstatus?id=x:1"), ("GET", "voice/sounds"))


async def _send(system: System, numbers: list[str], sound: str, webhook_id: int) -> dict[str, str]:
    form = {"bridge": BRIDGE, "to": ",".join(numbers), "audio": sound, "webhook_id": str(webhook_id)}
    status, answer = await system.request("POST", "outgoing/send", data=form)
    assert status == 200, answer
    return {row["mobile"]: row["id"] for row in answer["data"]}


async def _refusal(system: System, method: str, path: str, sound: str) -> tuple[int, Any, str | None]:
    """Status, body and Retry-After of a request."""
    form = {"bridge": BRIDGE, "to": TALKING[0], "audio": sound}
    arguments: dict[str, Any] = {"data": form} if method == "POST" else {}
    headers = {"Authorization": f"Bearer {system._token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{system.url}/api/v1/{path}", **arguments) as response,
    ):
        return response.status, await response.json(), response.headers.get("Retry-After")


def _answered(system: System) -> int:
    return list(system.read(attempt_states, "").values()).count(AttemptState.ANSWERED)


def _heard_all(system: System, talking: dict[str, str]) -> None:
    """Every callee heard the announcement to its end, and so says each CDR."""
    heard = {each.number: each for each in system.heard()}
    for number, call_id in talking.items():
        (cdr,) = system.read(cdrs.of_call, call_id)
        assert (cdr.outcome.disposition, cdr.outcome.reason) == (Disposition.ANSWER, EndReason.COMPLETED)
        assert cdr.outcome.played_ms >= SOUND_MS
        assert heard[number].packets + heard[number].lost >= PACKETS
        assert heard[number].lost <= PACKETS // 100  # a busy machine drops a datagram now and then
        assert heard[number].ended_by == "caller"
        (trace,) = system.read(traces.read, call_id)
        assert [each["summary"].split()[0] for each in trace.entries if each["direction"] == "sent"] == _SENT
