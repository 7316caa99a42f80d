"""Flows come from elsewhere, go elsewhere, and are compared, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.http_api import Api
from tests.unit.api.test_flows import GOOD, add

from outdial.flow.text_form import text_form

EXPORTS = Path(__file__).parents[1] / "flow" / "importing"
STUDIO = json.loads((EXPORTS / "appointment.studio.json").read_text())
RAPIDPRO = json.loads((EXPORTS / "health.goflow.json").read_text())


async def test_a_flow_of_elsewhere_becomes_a_draft_with_notes(api: Api) -> None:
    request = {"source": "twilio", "document": STUDIO, "dry_run": True}
    status, answer = await api.call("POST", "flows/import", json=request)
    assert (status, answer["data"]["id"], answer["data"]["name"]) == (200, None, "Appointment line")
    assert (await api.call("GET", "flows"))[1]["data"] == []
    status, answer = await api.call("POST", "flows/import", json=request | {"dry_run": False})
    flow = answer["data"]
    assert (flow["name"], flow["problems"], flow["published"]) == ("Appointment line", [], None)
    assert {"severity": "lost", "node": "hello"}.items() <= flow["notes"][5].items()
    assert (await api.call("GET", f"flows/{flow['id']}"))[1]["data"]["document"] == flow["document"]
    form = {"source": "rapidpro", "document": json.dumps(RAPIDPRO), "flow": "Other flow", "name": "Mine"}
    status, answer = await api.call("POST", "flows/import", data=form)
    assert (status, answer["data"]["name"]) == (200, "Mine")


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"source": "studio"}, "source", "rapidpro"),
        ({"document": {"states": 5}}, "document", "Studio"),
        ({"document": None}, "document", "missing"),
        ({"source": "rapidpro", "document": RAPIDPRO, "flow": "none"}, "document", "'Health line'"),
        ({"source": "outdial", "document": {"nodes": {}}}, "name", "missing"),
    ],
)
async def test_what_cannot_be_imported_is_named(
    api: Api, change: dict[str, Any], field: str, word: str
) -> None:
    request = {"source": "twilio", "document": STUDIO} | change
    status, answer = await api.call("POST", "flows/import", json=request)
    assert (status, list(answer["errors"])) == (422, [field]), answer
    assert word in answer["errors"][field][0]


async def test_what_is_exported_can_be_imported(api: Api) -> None:
    flow = await add(api, GOOD | {"name": "Goodbye"})
    address = f"{api.url}/api/v1/flows/{flow['id']}/export"
    async with api.session.get(address, headers=api.bearer) as response:
        assert response.headers["Content-Disposition"] == f'attachment; filename="flow-{flow["id"]}.json"'
        text = await response.text()
    assert text == text_form(GOOD | {"name": "Goodbye"})
    _, answer = await api.call("POST", "flows/import", json={"document": json.loads(text)})
    assert (answer["data"]["name"], answer["data"]["notes"]) == ("Goodbye", [])
    assert answer["data"]["document"] == flow["document"]


async def test_versions_are_exported_and_compared(api: Api) -> None:
    flow = await add(api, GOOD)
    path = f"flows/{flow['id']}"
    assert (await api.call("GET", f"{path}/diff"))[1]["data"] == []
    await api.call("POST", f"{path}/publish", json={})
    later = GOOD | {"nodes": {"bye": {"type": "hang_up", "settings": {"result": "failure"}}, "x": {}}}
    await api.call("PUT", path, json={"document": later})
    _, answer = await api.call("GET", f"{path}/diff")
    assert answer["message"] == "2 changes."
    assert answer["data"] == [
        {
            "what": "changed",
            "node": "bye",
            "field": "settings.result",
            "old": '"success"',
            "new": '"failure"',
            "sentence": "node 'bye': settings.result was 'success' and is 'failure'",
        },
        {
            "what": "added",
            "node": "x",
            "field": None,
            "old": None,
            "new": "{}",
            "sentence": "node 'x' was added",
        },
    ]
    assert (await api.call("GET", f"{path}/diff?from=draft&to=1"))[1]["data"][1]["what"] == "removed"
    assert (await api.call("GET", f"{path}/export?version=1"))[1] == GOOD
    await api.call("PUT", path, json={"document": {"nodes": [1, 2]}})
    assert (await api.call("GET", f"{path}/diff"))[0] == 200
    for query, status in (("diff?from=2", 404), ("diff?to=x", 422), ("export?version=-1", 422)):
        assert (await api.call("GET", f"{path}/{query}"))[0] == status
    assert (await api.call("GET", "flows/99/diff"))[0] == 404
    assert (await api.call("GET", "flows/99/export"))[0] == 404
