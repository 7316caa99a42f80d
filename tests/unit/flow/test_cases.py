"""The JSON case files, one for each step type: turn by turn, with a snapshot through JSON between any two
turns."""

import json
import re
from pathlib import Path

import pytest
from tests.unit.flow.values import event_of, to_json

from outdial.errors import InvalidFlow
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import resume, start
from outdial.flow.report import report
from outdial.flow.state import restore, snapshot
from outdial.flow.steps import STEP_TYPES

FILES = {path.stem: json.loads(path.read_text()) for path in sorted(Path("tests/flows").glob("*.json"))}
CASES = [pytest.param(case, id=f"{kind}: {case['name']}") for kind in FILES for case in FILES[kind]["cases"]]
REFUSALS = [
    pytest.param(case, id=f"{kind}: {case['name']}") for kind in FILES for case in FILES[kind]["refusals"]
]


def a_flow(nodes, **members):
    return {"schema_version": 1, "entry": next(iter(nodes)), "nodes": nodes, **members}


def library(case):
    flows = {"main": case, **case.get("flows", {})}
    return Library("main", {k: parse_flow(a_flow(v["nodes"], **v.get("flow", {}))) for k, v in flows.items()})


def test_every_step_type_has_a_case_file():
    assert set(FILES) == set(STEP_TYPES)


def states(case):
    """The state after each turn of a case."""
    flows, state = library(case), None
    for turn in case["turns"]:
        if state is None:
            state = start(flows, case.get("variables", {}), now=1_000, seed=case.get("seed", 0)).state
        else:
            state = resume(flows, state, event_of(turn["when"])).state
        yield flows, state


@pytest.mark.parametrize("kind", sorted(STEP_TYPES))
def test_every_exit_of_a_step_type_is_reached_by_a_case(kind):
    reached = {
        passage.exit
        for case in FILES[kind]["cases"]
        for flows, state in states(case)
        for passage in state.path
        if isinstance(flows.flows[passage.flow].nodes[passage.node].step, STEP_TYPES[kind])
    }
    missing = [
        each.name
        for each in STEP_TYPES[kind].EXITS
        if not any(
            exit_ is not None and (exit_ == each.name or (each.pattern and re.fullmatch(each.pattern, exit_)))
            for exit_ in reached
        )
    ]
    assert missing == []


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    flows, state = library(case), None
    for turn in case["turns"]:
        if state is None:
            after = start(flows, case.get("variables", {}), now=1_000, seed=case.get("seed", 0))
        else:
            after = resume(flows, state, event_of(turn["when"]))
        state = after.state
        actions = [a for a in to_json(after.actions) if a.get("start_timer", {}).get("timer_id") != "budget"]
        assert actions == turn["do"]
        assert state.result == turn.get("result")
        assert turn.get("at") in (None, state.node)
        state = restore(json.loads(json.dumps(snapshot(state))))
    made = report(state).to_json()
    made["path"] = [f"{each['node']}:{each['exit']}" for each in made["path"]]
    assert {name: made[name] for name in case["report"]} == case["report"]


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal(case):
    with pytest.raises(InvalidFlow) as refusal:
        parse_flow(a_flow({"node": case["node"]}))
    assert [[field, message] for _, field, message in refusal.value.problems] == case["problems"]
    assert {node for node, _, _ in refusal.value.problems} == {"node"}
