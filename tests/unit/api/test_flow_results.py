"""What callees did in flows, over HTTP: rows, CSV, counts, and what is asked wrongly."""

import csv
import io
from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api
from tests.unit.api.test_flows import add

from outdial.api import flow_results
from outdial.domain.call import AttemptOutcome, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.flow_run import FlowRun
from outdial.domain.retry_policy import Done
from outdial.storage import accounts, attempts, calls, claims, leases, tokens

DAY_MS = 86_400_000
DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "entry": "split",
    "nodes": {
        "split": {
            "type": "random_split",
            "settings": {"weights": {"a": 1, "b": 1}},
            "exits": {"a": "ask", "b": "bye"},
        },
        "ask": {
            "type": "input",
            "settings": {"prompt": "Your age?", "variable": "age", "min": 1, "max": 3},
            "exits": {"next": "bye", "invalid": "split", "timeout": "bye"},
        },
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}


def passages(*steps: str) -> list[dict[str, Any]]:
    """`node:exit` of each, a second apart."""
    made = []
    for position, step in enumerate(steps):
        node, _, exit_ = step.partition(":")
        at = START_MS + 1_000 * position
        left = {"exit": exit_, "left_at": at + 1_000} if exit_ else {"exit": None, "left_at": None}
        made.append({"flow": "1", "node": node, "entered_at": at, **left})
    return made


async def ran(api: Api, run: FlowRun, ended_at: int = START_MS + 22_000) -> str:
    """A call that went through a flow."""
    api.clock.now += 2_000  # the pace of the trunk
    now = api.clock()
    call_id = f"call:{len(await api.database.read(calls.find, api.account_id, limit=1_000)) + 1}"
    call = NewCall(
        id=call_id,
        account_id=api.account_id,
        bridge=BRIDGE,
        trunk_id=api.trunk_id,
        to="918867135000",
        submitted_at=now,
        due_at=now,
        ivr_id=str(run.flow_id),
        flow_version=run.version,
    )
    await api.database.run(calls.insert_calls, [call])
    if not await api.database.read(leases.alive, now=now):
        await api.database.run(leases.register, "d", host="h", pid=1, now=now, lease_until=now + DAY_MS)
    free = {api.trunk_id: 1}
    found = await api.database.run(claims.claim_due, dialer_id="d", now=now, limit=1, free_by_trunk=free)
    (claimed,) = found.calls
    await api.database.run(attempts.mark_dialing, claimed.lease, now=now)
    outcome = AttemptOutcome(
        disposition=Disposition.ANSWER,
        reason=EndReason.COMPLETED,
        hangup_by=HangupBy.SYSTEM,
        answered_at=START_MS,
        ended_at=ended_at,
        flow_run=run,
    )
    assert await api.database.run(attempts.finish, claimed.lease, outcome, Done(), now=now)
    return call_id


async def lines(api: Api, path: str) -> list[list[str]]:
    async with api.session.get(f"{api.url}/api/v1/{path}", headers=api.bearer) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]
        return list(csv.reader(io.StringIO(await response.text())))


async def published(api: Api) -> int:
    flow = (await add(api, DOCUMENT))["id"]
    assert (await api.call("POST", f"flows/{flow}/publish", json={}))[0] == 200
    return int(flow)


async def test_a_run_is_shown_with_its_call(api: Api) -> None:
    flow = await published(api)
    path = passages("split:a", "ask:next", "bye")
    run = FlowRun(
        flow_id=flow, version=1, result="success", path=path, variables={"age": "42", "pin": "****"}
    )
    call_id = await ran(api, run)
    _, answer = await api.call("GET", f"flows/{flow}/results")
    (row,) = answer["data"]
    assert (row["call_id"], row["attempt"], row["to"]) == (call_id, 1, "918867135000")
    assert row["ended_at"] == "2019-08-16 15:10:13"
    assert [(each["node"], each["exit"], each["seconds"]) for each in row["flow"]["path"]] == [
        ("split", "a", 1.0),
        ("ask", "next", 1.0),
        ("bye", None, None),
    ]
    assert row["flow"]["variables"] == {"age": "42", "pin": "****"}
    assert answer["meta"]["total"] == 1
    _, answer = await api.call("GET", f"outgoing/callstatus?id={call_id}")
    assert answer["data"]["attempts"][0]["flow"] == row["flow"]
    assert answer["data"]["explanation"].endswith("The result of the flow: success.")


async def test_days_versions_and_results_are_filters(api: Api) -> None:
    await api.database.run(accounts.update, api.account_id, {"time_zone": "Asia/Kolkata"})
    flow = await published(api)
    for version, result, day in ((1, "success", 0), (2, "failure", 0.25), (2, "success", 2)):
        at = START_MS + int(day * DAY_MS)  # six hours later it is the next day in Kolkata, and not in UTC
        await ran(api, FlowRun(flow_id=flow, version=version, result=result), at)

    async def found(query: str) -> list[str]:
        _, answer = await api.call("GET", f"flows/{flow}/results?{query}")
        return [row["call_id"] for row in answer["data"]]

    assert await found("") == ["call:3", "call:2", "call:1"]
    assert await found("from=2019-08-17") == ["call:3", "call:2"]
    assert await found("to=2019-08-17") == ["call:2", "call:1"]
    assert await found("from=2019-08-17&to=2019-08-17") == ["call:2"]
    assert await found("version=2&result=success") == ["call:3"]
    assert await found("per_page=1&page=2") == ["call:2"]


async def test_csv_has_a_column_for_each_variable_and_no_formula(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_results, "_BATCH", 2)
    flow = await published(api)
    for age in ("=1+1", "-5", "+49", "@x", "\tx", 'a,"b"\nc', "42"):
        more = {"age": age, "plan": ["x"]} if age == "42" else {"age": age}
        run = FlowRun(
            flow_id=flow, version=1, result="success", path=passages("split:a", "bye"), variables=more
        )
        await ran(api, run)
    head, *rows = await lines(api, f"flows/{flow}/results.csv")
    assert head[-3:] == ["path", "age", "other"]
    ages = [row[head.index("age")] for row in rows]
    assert ages == ["'=1+1", "-5", "'+49", "'@x", "'\tx", 'a,"b"\nc', "42"]
    assert rows[-1] == [
        *("call:7", "1", "918867135000", "1", "2019-08-16 15:09:51", "2019-08-16 15:10:13", "success"),
        *("", "split > bye", "42", '{"plan": ["x"]}'),
    ]
    assert await lines(api, f"flows/{flow}/results.csv?from=2030-01-01") == [head]


async def test_counts_tell_the_arms_of_a_split_apart(api: Api) -> None:
    flow = await published(api)
    for result, steps in (
        ("success", ("split:a", "ask:invalid", "split:a", "ask:next", "bye")),
        ("callee_hung_up", ("split:a", "ask")),
        ("success", ("split:b", "bye")),
    ):
        await ran(api, FlowRun(flow_id=flow, version=1, result=result, path=passages(*steps)))
    await ran(api, FlowRun(flow_id=flow, version=2, result="success", path=passages("bye")))
    _, answer = await api.call("GET", f"flows/{flow}/counts")
    assert (answer["data"]["counted"], answer["data"]["complete"]) == (4, True)
    two, one = answer["data"]["versions"]
    assert (two["version"], two["runs"]) == (2, 1)
    assert (one["runs"], one["results"]) == (3, {"success": 2, "callee_hung_up": 1})
    nodes = {each["node"]: each for each in one["nodes"]}
    assert list(nodes) == ["split", "ask", "bye"]
    assert nodes["split"] == {
        "flow": "1",
        "node": "split",
        "visits": 4,
        "ended_here": 0,
        "exits": {
            "a": {"count": 3, "results": {"success": 1, "callee_hung_up": 1}},
            "b": {"count": 1, "results": {"success": 1}},
        },
    }
    assert (nodes["ask"]["visits"], nodes["ask"]["ended_here"]) == (3, 1)
    head, *rows = await lines(api, f"flows/{flow}/counts.csv?version=1")
    assert head == ["version", "flow", "node", "exit", "result", "runs"]
    assert ["1", "1", "split", "a", "callee_hung_up", "1"] in rows
    assert ["1", "1", "ask", "(end)", "callee_hung_up", "1"] in rows
    assert ["1", "1", "ask", "(end)", "success", "1"] not in rows


async def test_counts_are_bounded_and_say_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = await published(api)
    for _ in range(3):
        await ran(api, FlowRun(flow_id=flow, version=1, result="success"))
    for most, batch, counted, complete in ((2, 2, 2, False), (3, 3, 3, True), (2, 10, 2, False)):
        monkeypatch.setattr(flow_results, "MOST_COUNTED", most)
        monkeypatch.setattr(flow_results, "_BATCH", batch)
        _, answer = await api.call("GET", f"flows/{flow}/counts")
        assert (answer["data"]["counted"], answer["data"]["complete"]) == (counted, complete)


async def test_another_account_and_wrong_filters(api: Api) -> None:
    flow = await published(api)
    await ran(api, FlowRun(flow_id=flow, version=1, result="success"))
    other = await api.database.run(accounts.insert, name="b", now=1)
    await api.database.run(tokens.insert, account_id=other.id, name="b", new_secret=lambda: "other", now=1)
    theirs = {"Authorization": "Bearer other"}
    for path in ("results", "results.csv", "counts", "counts.csv"):
        assert (await api.call("GET", f"flows/{flow}/{path}", headers=theirs))[0] == 404
        assert (await api.call("GET", f"flows/99/{path}"))[0] == 404
        for query, field in (
            ("from=yesterday", "from"),
            ("to=2019-13-01", "to"),
            ("from=9999-01-01", "from"),
            ("from=2019-08-02&to=2019-08-01", "to"),
            ("version=two", "version"),
            ("version=9999999999", "version"),
        ):
            status, answer = await api.call("GET", f"flows/{flow}/{path}?{query}")
            assert (status, list(answer["errors"])) == (422, [field]), (path, query)
