"""The JSON case files, one for each step type: turn by turn, with a snapshot through JSON between any two
turns."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from outdial.errors import InvalidFlow
from outdial.flow import events
from outdial.flow.definition import parse_flow
from outdial.flow.engine import resume, start
from outdial.flow.state import restore, snapshot
from outdial.flow.steps import STEP_TYPES

FILES = {path.stem: json.loads(path.read_text()) for path in sorted(Path("tests/flows").glob("*.json"))}
CASES = [pytest.param(case, id=f"{kind}: {case['name']}") for kind in FILES for case in FILES[kind]["cases"]]
REFUSALS = [
    pytest.param(case, id=f"{kind}: {case['name']}") for kind in FILES for case in FILES[kind]["refusals"]
]


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


EVENTS = {snake_case(kind.__name__): kind for kind in events.Event.__args__}


def test_every_step_type_has_a_case_file():
    assert set(FILES) == set(STEP_TYPES)


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    flow = parse_flow(case["flow"])
    state = None
    for turn in case["turns"]:
        if state is None:
            state, actions = (lambda first: (first.state, first.actions))(start(flow, {"to": "12025550100"}))
        else:
            [(name, fields)] = turn["when"].items()
            after = resume(flow, state, EVENTS[name](**fields))
            state, actions = after.state, after.actions
        assert [{snake_case(type(action).__name__): asdict(action)} for action in actions] == turn["do"]
        assert state.result == turn.get("result")
        assert turn.get("at") in (None, state.node)
        state = restore(json.loads(json.dumps(snapshot(state))))


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal(case):
    with pytest.raises(InvalidFlow) as refusal:
        parse_flow({"start": "node", "nodes": {"node": case["node"]}})
    assert [[field, message] for _, field, message in refusal.value.problems] == case["problems"]
    assert {node for node, _, _ in refusal.value.problems} == {"node"}
