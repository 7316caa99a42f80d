"""Digits that a flow's author masks are nowhere: in no file of the server, no answer, on no way
to a webhook. The callee presses them by RTP, and by SIP INFO, whose messages the trace would keep."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.endpoint import Endpoint, endpoint
from tests.helpers.system import BRIDGE, System

pytestmark = pytest.mark.timeout(200)

PIN, OPEN = "73918462", "5"
PHONES = f"""
[phones.12025550170]
description = "presses a PIN, then another key"
digits = "{PIN}#{OPEN}"

[phones.12025550171]
description = "presses the same by SIP INFO"
digits = "{PIN}#{OPEN}"
digits_by = "info"
"""
FLOW: dict[str, Any] = {
    "schema_version": 1,
    "entry": "hello",
    "nodes": {
        "hello": {
            "type": "play",
            "settings": {"prompt": "Hello, this is your bank. We have a question for you.", "barge_in": True},
            "exits": {"next": "pin"},
        },
        "pin": {
            "type": "input",
            "settings": {
                "prompt": "Please enter your PIN.",
                "variable": "pin",
                "min": 8,
                "max": 12,
                "masked": True,
                "first_timeout": 20,
            },
            "exits": {"next": "check", "invalid": None, "timeout": None},
        },
        "check": {
            "type": "http_request",
            "settings": {
                "method": "POST",
                "url": "http://192.168.7.7/check?pin={{pin}}",
                "json": {"pin": "{{pin}}"},
                "timeout": 2,
            },
            "exits": {"ok": None, "failed": "copy"},
        },
        "copy": {
            "type": "set_variable",
            "settings": {"values": {"copy": "It is {{pin}}."}},
            "exits": {"next": "mark"},
        },
        "mark": {
            "type": "tag",
            "settings": {"tags": ["pin {{pin}}", "{{copy}}"]},
            "exits": {"next": "tell"},
        },
        "tell": {
            "type": "send_event",
            "settings": {"name": "checked", "data": {"to": "{{to}}", "pin": "{{copy}}"}},
            "exits": {"next": "ask"},
        },
        "ask": {
            "type": "input",
            "settings": {"prompt": "Press 5.", "variable": "open", "max": 1, "first_timeout": 20},
            "exits": {"next": "bye", "invalid": None, "timeout": None},
        },
        "bye": {"type": "hang_up", "settings": {"result": "success {{pin}}"}},
    },
}


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


@pytest.mark.parametrize("number", ["12025550170", "12025550171"])
async def test_masked_digits_are_kept_nowhere(
    tmp_path: Path, sqlite_url: str, receiver: Endpoint, number: str
) -> None:
    settings = {"egress.allow": '["127.0.0.2"]', "log.level": "debug"}
    async with System(tmp_path, sqlite_url, phones=PHONES, settings=settings) as system:
        await system.start()
        webhook = await ok(system, "POST", "developer/webhooks", data={"name": "crm", "uri": receiver.url})
        flow = await ok(system, "POST", "flows", json={"name": "pin", "document": FLOW})
        await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
        form = {
            "bridge": BRIDGE,
            "to": number,
            "ivr_id": str(flow["id"]),
            "webhook_id": str(webhook["id"]),
        }
        [row] = await ok(system, "POST", "outgoing/send", data=form)
        status = await system.done(row["id"])
        run = status["attempts"][0]["flow"]
        assert (run["result"], run["tags"]) == ("success ****", ["pin ****", "****"]), status
        assert run["variables"] == {"pin": "****", "copy": "****", "open": OPEN}
        assert set(status["dtmf"]) == {"•", OPEN}, "the first key stops the prompt before the question"
        trace = await ok(system, "GET", f"outgoing/trace?id={row['id']}")
        results = await ok(system, "GET", f"flows/{flow['id']}/results")
        for answer in (status, trace, results):
            assert PIN not in str(answer)
            assert "7, 3, 9" not in str(answer)
        assert "digit •" in str(trace)
        assert "Signal=7" not in str(trace), "INFO tells one key in each message"
        deliveries = await receiver.has(2)
        for delivery in deliveries:
            assert PIN.encode() not in delivery.body
        assert deliveries[0].json["data"] == {"to": number, "pin": "****"}
    # The sandbox has the phones and what they did: it is another party.
    files = [
        each
        for each in tmp_path.rglob("*")
        if each.is_file() and each.name != "phones.toml" and "sandbox" not in each.parts
    ]
    assert any(each.suffix == ".db" for each in files)
    assert any(b"outgoing/send" in each.read_bytes() for each in files)  # the log
    kept = [each for each in files if PIN.encode() in each.read_bytes()]
    assert [each.relative_to(tmp_path) for each in kept] == []
