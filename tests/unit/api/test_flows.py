"""`flows` over HTTP: drafts, versions, and what is refused."""

import json
from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, Api

from outdial.api import flow_request
from outdial.storage import audit, calls

GOOD: dict[str, Any] = {
    "schema_version": 1,
    "entry": "bye",
    "nodes": {"bye": {"type": "hang_up", "settings": {"result": "success"}}},
}


async def add(api: Api, document: object = GOOD, name: str = "Reminder") -> dict[str, Any]:
    status, answer = await api.call("POST", "flows", json={"name": name, "document": document})
    assert status == 200, answer
    row: dict[str, Any] = answer["data"]
    return row


async def test_a_flow_is_stored_shown_listed_and_removed(api: Api) -> None:
    row = await add(api)
    assert (row["name"], row["revision"], row["published"], row["problems"]) == ("Reminder", 1, None, [])
    assert row["document"] == GOOD
    assert row["created_at"] == "2019-08-16 15:09:51"
    assert (await api.call("GET", f"flows/{row['id']}"))[1]["data"] == row
    _, answer = await api.call("GET", "flows?filter[name]=remind")
    assert [each["id"] for each in answer["data"]] == [row["id"]]
    assert "document" not in answer["data"][0]
    assert (await api.call("DELETE", f"flows/{row['id']}"))[0] == 200
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/publish"), ("GET", "/versions")):
        status, answer = await api.call(method, f"flows/{row['id']}{path}", json={})
        assert status == 404, (method, path)
        assert str(row["id"]) in answer["message"]


async def test_a_form_carries_the_document_as_text(api: Api) -> None:
    status, answer = await api.call("POST", "flows", data={"name": "f", "document": json.dumps(GOOD)})
    assert status == 200
    assert answer["data"]["document"] == GOOD


async def test_an_unfinished_flow_is_kept_and_not_published(api: Api) -> None:
    row = await add(api, GOOD | {"entry": "a", "nodes": {"a": {"type": "no such step"}}})
    (problem,) = row["problems"]
    assert (problem["node"], problem["field"]) == ("a", "type")
    status, answer = await api.call("POST", f"flows/{row['id']}/publish", json={})
    assert status == 422
    assert "node 'a'" in answer["errors"]["document"][0]
    assert (await api.call("GET", f"flows/{row['id']}"))[1]["data"]["published"] is None


async def test_publishing_and_rolling_back(api: Api) -> None:
    row = await add(api)
    path = f"flows/{row['id']}"
    _, answer = await api.call("POST", f"{path}/publish", json={"note": "first"})
    assert (answer["data"]["version"], answer["data"]["note"]) == (1, "first")
    other = GOOD | {"nodes": {"bye": {"type": "hang_up", "settings": {"result": "failure"}}}}
    _, answer = await api.call("PUT", path, json={"document": other, "revision": 1})
    assert (answer["data"]["revision"], answer["data"]["published"]) == (2, 1)
    await api.call("POST", f"{path}/publish", json={})
    _, answer = await api.call("GET", f"{path}/versions")
    assert [(each["version"], each["current"]) for each in answer["data"]] == [(2, True), (1, False)]
    _, answer = await api.call("POST", f"{path}/rollback", json={"version": 1})
    assert answer["data"]["current"] is True
    by = answer["data"]["published_by"]
    found, _ = await api.database.read(audit.find, thing="flow", thing_id=str(row["id"]))
    assert [(each.actor, each.action, each.after) for each in found] == [
        (by, "roll_back", {"published": 1}),
        (by, "publish", {"published": 2}),
        (by, "publish", {"published": 1}),
    ]
    assert by == f"token {found[0].token_id}"
    _, answer = await api.call("GET", f"{path}/versions/1")
    assert answer["data"]["published_by"] == by
    assert (answer["data"]["document"], answer["data"]["current"]) == (GOOD, True)
    assert (await api.call("GET", path))[1]["data"]["document"] == other, "the draft stays"
    for number in ("3", "0", "x", "99999999999999999999"):
        assert (await api.call("GET", f"{path}/versions/{number}"))[0] == 404
    status, answer = await api.call("POST", f"{path}/rollback", json={"version": 7})
    assert status == 404
    assert "no version 7" in answer["message"]


async def test_a_call_is_pinned_to_what_is_published_when_it_is_accepted(api: Api) -> None:
    flow = (await add(api))["id"]
    other = GOOD | {"nodes": {"bye": {"type": "hang_up", "settings": {"result": "failure"}}}}
    form = {"bridge": BRIDGE, "to": "918867135000", "ivr_id": str(flow)}

    async def version_of_a_call() -> int | None:
        status, answer = await api.call("POST", "outgoing/send", data=form)
        assert status == 200, answer
        call = await api.database.read(calls.get, answer["data"][0]["id"])
        assert call is not None
        return call.flow_version

    await api.call("POST", f"flows/{flow}/publish", json={})
    assert await version_of_a_call() == 1
    await api.call("PUT", f"flows/{flow}", json={"document": other, "revision": 1})
    assert await version_of_a_call() == 1, "a draft is not what calls get"
    await api.call("POST", f"flows/{flow}/publish", json={})
    assert await version_of_a_call() == 2
    await api.call("POST", f"flows/{flow}/rollback", json={"version": 1})
    assert await version_of_a_call() == 1


async def test_two_editors_do_not_overwrite_each_other(api: Api) -> None:
    row = await add(api)
    path = f"flows/{row['id']}"
    assert (await api.call("PUT", path, json={"name": "x", "revision": 1}))[0] == 200
    status, answer = await api.call("PUT", path, json={"name": "y", "revision": 1})
    assert status == 409
    assert "revision 2" in answer["message"]
    assert (await api.call("GET", path))[1]["data"]["name"] == "x"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"document": GOOD}, "name"),
        ({"name": "", "document": GOOD}, "name"),
        ({"name": "n" * 201, "document": GOOD}, "name"),
        ({"name": "a\x00b", "document": GOOD}, "name"),
        ({"name": ["a"], "document": GOOD}, "name"),
        ({"name": "a"}, "document"),
        ({"name": "a", "document": "{"}, "document"),
        ({"name": "a", "document": "[" * 5_000}, "document"),
        ({"name": "a", "document": [1]}, "document"),
        ({"name": "a", "document": {"nodes": {"\x00": 1}}}, "document"),
        ({"name": "a", "document": json.loads('{"a":' * 80 + "1" + "}" * 80)}, "document"),
    ],
)
async def test_what_cannot_be_stored_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    status, answer = await api.call("POST", "flows", json=body)
    assert status == 422
    assert list(answer["errors"]) == [field]


async def test_a_document_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_request, "LARGEST_DOCUMENT", 1_000)
    assert (await api.call("POST", "flows", json={"name": "a", "document": {"x": "y" * 900}}))[0] == 200
    status, answer = await api.call("POST", "flows", json={"name": "a", "document": {"x": "y" * 1_000}})
    assert status == 413
    assert "1000 bytes" in answer["message"]


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ({"voice": "pico:en-UK"}, "there is no voice 'pico:en-UK' here; did you mean 'pico:en-US'?"),
        ({"languages": ["xx"]}, "no voice here speaks xx; texts are spoken in de-DE, en-GB, en-US"),
    ],
)
async def test_what_no_voice_here_can_say_is_refused_at_publishing(
    api: Api, head: dict[str, Any], sentence: str
) -> None:
    hello = {"type": "play", "settings": {"prompt": "Hello."}, "exits": {"next": "bye"}}
    document = GOOD | {"entry": "hello", "nodes": {"hello": hello, **GOOD["nodes"]}}
    row = await add(api, document | head)
    status, answer = await api.call("POST", f"flows/{row['id']}/publish", json={})
    assert status == 422
    assert answer["errors"]["document"][0].startswith(f"node 'hello', field 'prompt': {sentence}")
    await api.call("PUT", f"flows/{row['id']}", json={"document": document})
    assert (await api.call("POST", f"flows/{row['id']}/publish", json={}))[0] == 200


async def test_what_lint_finds_is_said_at_publishing(api: Api) -> None:
    endless = {"type": "play", "settings": {"prompt": "Hello."}, "exits": {"next": "a"}}
    row = await add(api, GOOD | {"entry": "a", "nodes": {"a": endless}})
    path = f"flows/{row['id']}"
    status, answer = await api.call("POST", f"{path}/publish", json={})
    assert status == 422
    assert answer["errors"]["document"] == ["node 'a': is in a circle that no exit leads out of"]
    again = {"type": "jump", "settings": {"flow": row["id"]}, "exits": {"returned": None}}
    await api.call("PUT", path, json={"document": GOOD | {"entry": "a", "nodes": {"a": again}}})
    status, answer = await api.call("POST", f"{path}/publish", json={})
    assert status == 200
    assert [(each["code"], each["field"]) for each in answer["data"]["warnings"]] == [
        ("dead_end", "exits.failed")
    ]
