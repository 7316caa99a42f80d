"""The examples: read, without findings, in their one form, valid by the published schema, and tested."""

import json
from pathlib import Path

import jsonschema
import pytest

from outdial.cli.flow_files import read_cases
from outdial.flow.definition import Library, parse_flow
from outdial.flow.lint import lint
from outdial.flow.schema import flow_schema
from outdial.flow.steps import STEP_TYPES
from outdial.flow.text_form import text_form
from outdial.flow.trial import try_case

FOLDER = Path("examples/flows")
FLOWS = sorted(FOLDER.glob("*.json"))
CASES = [
    pytest.param(path, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.test.yaml"))
    for case in read_cases(path)["cases"]
]
SCHEMA = flow_schema()


def test_every_example_has_cases():
    assert {path.stem for path in FLOWS} == {p.name.split(".")[0] for p in FOLDER.glob("*.test.yaml")}
    assert len(FLOWS) >= 5


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_an_example_is_sound(path):
    definition = json.loads(path.read_text())
    assert lint(definition) == []
    assert text_form(definition) == path.read_text()
    jsonschema.validate(definition, SCHEMA)


@pytest.mark.parametrize(("path", "case"), CASES)
def test_a_case_passes(path, case):
    flow = parse_flow(json.loads((FOLDER / f"{path.name.split('.')[0]}.json").read_text()))
    assert try_case(Library.of(flow), case).problems == ()


def test_a_case_can_fail():
    flow = parse_flow(json.loads((FOLDER / "otp.json").read_text()))
    verdict = try_case(Library.of(flow), {"expect": {"result": "failure", "said": ["nonsense"]}})
    assert [problem.split(":")[0] for problem in verdict.problems] == ["result", "said"]


@pytest.mark.parametrize("kind", sorted(STEP_TYPES))
def test_every_step_type_has_an_example_of_its_own(kind):
    step = STEP_TYPES[kind]
    assert step.EXAMPLE["type"] == kind
    assert step.__doc__
    others = {str(target): {"type": "hang_up"} for target in step.EXAMPLE.get("exits", {}).values()}
    definition = {"schema_version": 1, "entry": "it", "nodes": {"it": step.EXAMPLE, **others}}
    parse_flow(definition)
    jsonschema.validate(definition, SCHEMA)
