"""What a flow says in the middle of a real call arrives signed, before the end of the call."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from tests.helpers.endpoint import Endpoint, endpoint
from tests.helpers.system import BRIDGE, System

pytestmark = pytest.mark.timeout(200)

PRESSES_1 = "12025550108"
FLOW: dict[str, Any] = {
    "schema_version": 1,
    "entry": "tell",
    "nodes": {
        "tell": {
            "type": "send_event",
            "settings": {"name": "reached", "data": {"order": "{{order}}", "parts": [1, "{{to}}"]}},
            "exits": {"next": "wait"},
        },
        "wait": {"type": "wait", "settings": {"seconds": 1}, "exits": {"next": "bye"}},
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url, settings={"egress.allow": '["127.0.0.2"]'}) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def test_a_flow_tells_a_webhook_while_the_callee_listens(system: System, receiver: Endpoint) -> None:
    webhook = await ok(system, "POST", "developer/webhooks", data={"name": "crm", "uri": receiver.url})
    flow = await ok(system, "POST", "flows", json={"name": "tells", "document": FLOW})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    form = {
        "bridge": BRIDGE,
        "to": PRESSES_1,
        "ivr_id": str(flow["id"]),
        "webhook_id": str(webhook["id"]),
        "variables[order]": "4711",
    }
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    [said] = await receiver.has(1)
    assert (await system.callstatus(row["id"]))["state"] == "leased"
    payload = standardwebhooks.Webhook(webhook["secret"]).verify(said.body, said.headers)
    assert (payload["event"], payload["name"], payload["id"]) == ("voice:flow:event", "reached", row["id"])
    assert payload["data"] == {"order": "4711", "parts": [1, PRESSES_1]}
    _, ended = await receiver.has(2)
    assert (ended.json["status"], ended.json["sequence"], payload["sequence"]) == ("ANSWER", 2, 1)
