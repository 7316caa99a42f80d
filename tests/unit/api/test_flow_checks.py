"""Flows are checked, walked through and tested over HTTP; what is sent with ill intent is refused."""

import json
from typing import Any

import pytest
from tests.helpers.http_api import Api
from tests.unit.api.test_flows import GOOD, add

MENU: dict[str, Any] = {
    "schema_version": 1,
    "entry": "ask",
    "variables": {"name": {"type": "text"}},
    "nodes": {
        "ask": {
            "type": "menu",
            "settings": {"prompt": "Hello {{name}}. To pay, press 1.", "repeats": 0},
            "exits": {"1": "pay", "invalid": "bye", "timeout": "bye"},
        },
        "pay": {
            "type": "http_request",
            "settings": {"url": "https://example.com/pay", "save": {"state": "state"}},
            "exits": {"ok": "agent", "failed": "bye"},
        },
        "agent": {
            "type": "connect",
            "settings": {"to": ["12025550100"]},
            "exits": {"answered": "message", "busy": "bye", "no_answer": "bye", "failed": "bye"},
        },
        "message": {
            "type": "record",
            "settings": {},
            "exits": {"next": "bye", "empty": "bye"},
        },
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}
ANSWERED = {"http": {"status": 200, "json": {"state": "paid"}}}


async def test_a_flow_is_walked_step_by_step_and_nothing_is_kept(api: Api) -> None:
    steps: list[dict[str, Any]] = []
    request = {"document": MENU, "variables": {"name": "Ann"}, "at": "2026-03-02T10:00:00Z", "steps": steps}
    expected: list[tuple[Any, ...]] = [
        ({"press": "1"}, "http", "pay", "http_request"),
        (ANSWERED, "connect", "agent", "connect"),
        ({"connect": {"outcome": "answered", "seconds": 90}}, "time", "message", "play"),
        ({"wait": True}, "record", "message", "record"),
        ({"record": 4}, None, "bye", "hang_up"),
    ]
    status, answer = await api.call("POST", "flows/simulate", json=request)
    assert (status, answer["data"]["waits_for"], answer["data"]["now"]) == (
        200,
        "keys",
        "2026-03-02 10:00:00",
    )
    assert answer["data"]["lines"][0]["text"] == "Hello Ann. To pay, press 1."
    assert answer["data"]["actions"][1]["play"]["prompt"][0]["text"]["text"].startswith("Hello Ann")
    for step, waits_for, node, action in expected:
        steps.append(step)
        status, answer = await api.call("POST", "flows/simulate", json=request)
        assert status == 200, answer
        data = answer["data"]
        assert (data["waits_for"], data["node"]) == (waits_for, node)
        assert action in {name for each in data["actions"] for name in each}
        assert 0 < data["new_lines"] < len(data["lines"])
    assert data["finished"] is True
    assert data["report"]["result"] == "success"
    assert data["report"]["path"][0]["entered_at"] == "2026-03-02 10:00:00"
    assert data["lines"][-1]["offset_ms"] > 94_000
    assert [each["node"] for each in data["report"]["path"]] == ["ask", "pay", "agent", "message", "bye"]
    assert data["report"]["variables"]["state"] == "paid"
    again = (await api.call("POST", "flows/simulate", json=request))[1]["data"]
    assert again == data


async def test_drafts_and_versions_are_walked(api: Api) -> None:
    flow = await add(api, GOOD)
    await api.call("POST", f"flows/{flow['id']}/publish", json={})
    await api.call("PUT", f"flows/{flow['id']}", json={"document": MENU})
    _, answer = await api.call("POST", f"flows/{flow['id']}/simulate", json={})
    assert (answer["data"]["node"], answer["data"]["flow"]) == ("ask", str(flow["id"]))
    _, answer = await api.call("POST", f"flows/{flow['id']}/simulate", json={"version": 1})
    assert (answer["data"]["node"], answer["data"]["finished"]) == ("bye", True)
    assert (await api.call("POST", f"flows/{flow['id']}/simulate", json={"version": 2}))[0] == 404
    assert (await api.call("POST", "flows/99/simulate", json={}))[0] == 404


async def test_a_form_carries_json_as_text(api: Api) -> None:
    form = {"document": json.dumps(MENU), "steps": '[{"press": "1"}]', "seed": "7", "variables[name]": "Bo"}
    status, answer = await api.call("POST", "flows/simulate", data=form)
    assert (status, answer["data"]["waits_for"]) == (200, "http")
    assert "Hello Bo" in answer["data"]["lines"][0]["text"]


async def test_a_jump_goes_to_the_published_flow(api: Api) -> None:
    other = await add(api, GOOD)
    jump = {"type": "jump", "settings": {"flow": other["id"]}, "exits": {"returned": None, "failed": None}}
    document = {"schema_version": 1, "entry": "jump", "nodes": {"jump": jump}}
    request = {"document": document}
    _, answer = await api.call("POST", "flows/lint", json=request)
    assert ("error", "missing_flow") in [(each["severity"], each["code"]) for each in answer["data"]]
    _, answer = await api.call("POST", "flows/simulate", json=request)
    assert answer["data"]["report"]["result"] == "completed"
    await api.call("POST", f"flows/{other['id']}/publish", json={})
    _, answer = await api.call("POST", "flows/lint", json=request)
    assert answer["data"] == []
    _, answer = await api.call("POST", "flows/simulate", json=request)
    assert answer["data"]["report"]["result"] == "success"


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"steps": 5}, "steps", "list"),
        ({"steps": [{"wait": True}] * 501}, "steps", "500"),
        ({"steps": [5]}, "steps", "steps[0]"),
        ({"steps": [{}]}, "steps", "one member"),
        ({"steps": [{"press": "1", "wait": True}]}, "steps", "one member"),
        ({"steps": [{"fly": 1}]}, "steps", "'fly'"),
        ({"steps": [{"press": "x"}]}, "steps", "keys"),
        ({"steps": [{"press": "1" * 51}]}, "steps", "keys"),
        ({"steps": [{"press": True}]}, "steps", "keys"),
        ({"steps": [ANSWERED]}, "steps", "no server is asked"),
        ({"steps": [{"connect": "busy"}]}, "steps", "nobody is called"),
        ({"steps": [{"press": "1"}, {"http": 5}]}, "steps", "steps[1]"),
        ({"steps": [{"press": "1"}, {"http": {"status": "200"}}]}, "steps", "status"),
        ({"steps": [{"press": "1"}, {"http": {"fails": "maybe"}}]}, "steps", "fails"),
        ({"steps": [{"press": "1"}, {"http": {"ok": 1}}]}, "steps", "'ok'"),
        ({"steps": [{"press": "1"}, ANSWERED, {"connect": []}]}, "steps", "outcome"),
        ({"steps": [{"press": "1"}, ANSWERED, {"connect": {"seconds": 1e9}}]}, "steps", "seconds"),
        ({"steps": [{"hang_up": True}, {"wait": True}]}, "steps", "over"),
        ({"steps": [{"press": "1"}, {"play_fails": True}]}, "steps", "no prompt"),
        ({"at": "now"}, "at", "2026"),
        ({"at": "0001-01-01T00:00:00"}, "at", "2026"),
        ({"at": 5}, "at", "2026"),
        ({"seed": "x"}, "seed", "whole number"),
        ({"seed": 2**70}, "seed", "whole number"),
        ({"variables": [1]}, "variables", "object"),
        ({"variables": {f"v{n}": 1 for n in range(201)}}, "variables", "200"),
        ({"document": {"schema_version": 1, "entry": "x", "nodes": {}}}, "document", "nodes"),
        ({"document": 5}, "document", "JSON object"),
        ({"steps": [json.loads("[" * 80 + "]" * 80)]}, "steps", "deep"),
    ],
)
async def test_what_cannot_be_walked_is_named(
    api: Api, change: dict[str, Any], field: str, word: str
) -> None:
    status, answer = await api.call("POST", "flows/simulate", json={"document": MENU} | change)
    assert (status, list(answer["errors"])) == (422, [field]), answer
    assert word in answer["errors"][field][0], answer


async def test_huge_numbers_and_texts_do_no_harm(api: Api) -> None:
    steps = [{"press": "1"}, {"http": {"json": {"state": 10**400}}}]
    status, answer = await api.call("POST", "flows/simulate", json={"document": MENU, "steps": steps})
    assert status == 200
    assert answer["data"]["report"]["variables"] == {}
    form = {"document": json.dumps(MENU).replace("To pay", "\\ud800")}
    assert (await api.call("POST", "flows/simulate", data=form))[0] == 422
    assert (await api.call("POST", "flows", data={"name": "a"} | form))[0] == 422
    nodes = {
        name: {"type": "set_variable", "settings": {"values": {"a": "{{a}}{{a}}"}}, "exits": {"next": to}}
        for name, to in (("a", "b"), ("b", "a"))
    }
    document = {"schema_version": 1, "entry": "a", "nodes": nodes}
    status, answer = await api.call(
        "POST", "flows/simulate", json={"document": document, "variables": {"a": "x" * 9_000}}
    )
    assert status == 200, answer
    assert answer["data"]["report"]["result"] == "too_many_steps"


async def test_cases_are_run(api: Api) -> None:
    flow = await add(api, MENU)
    cases = [
        {
            "name": "pays",
            "press": ["1"],
            "http": [ANSWERED["http"]],
            "expect": {"variables": {"state": "paid"}},
        },
        {"name": "does not", "press": [None], "expect": {"result": "failure"}},
        {"name": "leaves", "press": ["hang_up"], "expect": {"result": "callee_hung_up", "path": ["ask"]}},
    ]
    for path, more in (("flows/test", {"document": MENU}), (f"flows/{flow['id']}/test", {})):
        status, answer = await api.call("POST", path, json={"cases": cases, **more})
        assert status == 200, answer
        assert answer["message"] == "2 of 3 cases passed."
        assert [each["passed"] for each in answer["data"]] == [True, False, True]
        assert "expected 'failure', got 'success'" in answer["data"][1]["problems"][0]


@pytest.mark.parametrize(
    "case",
    [
        5,
        {"fly": 1},
        {"press": "1"},
        {"press": ["x"]},
        {"press": [{"a": 1}]},
        {"press": ["1"], "http": [5]},
        {"press": ["1"], "http": 5},
        {"press": ["1"], "http": [{"status": 7}]},
        {"press": ["1"], "http": [{}], "connect": [5]},
        {"press": ["1"], "http": [{}], "connect": ["answered"], "record": ["x"]},
        {"at": {}},
        {"seed": "x"},
        {"variables": 5},
        {"expect": 5},
        {"expect": {"variables": 5}},
        {"expect": {"said": 5}},
        {"expect": {"fly": 5}},
    ],
)
async def test_a_case_that_is_none_is_named(api: Api, case: object) -> None:
    request = {"document": MENU, "cases": [{"name": "good", "press": [None]}, case]}
    status, answer = await api.call("POST", "flows/test", json=request)
    assert (status, list(answer["errors"])) == (422, ["cases"]), answer
    assert answer["errors"]["cases"][0].startswith("cases[1]: ")


async def test_a_draft_is_checked(api: Api) -> None:
    sound = {"type": "play", "settings": {"prompt": {"sound": "s-1"}}, "exits": {"next": "ask"}}
    flow = await add(api, MENU | {"entry": "first", "nodes": MENU["nodes"] | {"first": sound}})
    _, answer = await api.call("GET", f"flows/{flow['id']}/lint")
    assert [(each["severity"], each["code"], each["node"]) for each in answer["data"]] == [
        ("error", "missing_sound", "first")
    ]
    _, answer = await api.call("POST", "flows/lint", json={"document": {"schema_version": 1}})
    assert answer["data"][0]["code"] == "invalid"
