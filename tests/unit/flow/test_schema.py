"""The JSON Schema helps whoever writes a flow in an editor: words for everything, one place for what is
wrong."""

import jsonschema
import pytest

from outdial.flow.catalogue import catalogue, definitions
from outdial.flow.conditions import OPERATOR_MEANINGS, OPERATORS
from outdial.flow.schema import flow_schema
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES

SCHEMA = flow_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PLAY = {"type": "play", "settings": {"prompt": "Hello."}}


def flow_of(node):
    return {"schema_version": 1, "entry": "a", "nodes": {"a": node, "b": PLAY}}


def _undescribed(schema, path=""):
    for name, inner in schema.get("properties", {}).items():
        refers = "$ref" in inner or "const" in inner
        if not refers and not inner.get("description"):
            yield f"{path}/{name}"
        yield from _undescribed(inner, f"{path}/{name}")
    for word in ("anyOf", "allOf"):
        for each in schema.get(word, []):
            yield from _undescribed(each.get("then", each), f"{path}/{word}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from _undescribed(schema[word], f"{path}/{word}")


def test_everything_that_can_be_written_has_words():
    missing = [*_undescribed(SCHEMA)]
    for name, each in SCHEMA["$defs"].items():
        missing += _undescribed(each, name)
    assert missing == []


def test_the_schema_is_one_of_the_draft():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ({"type": "play", "settings": {"prompt": "Hello.", "times": "two"}}, ["settings", "times"]),
        ({"type": "play", "settings": {"promt": "Hello."}}, ["settings"]),
        ({"type": "plya", "settings": {}}, ["type"]),
        ({**PLAY, "exits": {"nxt": "b"}}, ["exits"]),
        ({**PLAY, "nodes": {}}, []),
        ({"type": "play"}, []),
        ({"settings": {}}, []),
    ],
)
def test_what_is_wrong_is_marked_where_it_stands(node, path):
    """Not at the node as a whole, with a sentence for each of the step types that it is not."""
    errors = list(VALIDATOR.iter_errors(flow_of(node)))
    assert errors
    assert {tuple(each.absolute_path) for each in errors} == {("nodes", "a", *path)}


@pytest.mark.parametrize("name", sorted(STEP_TYPES))
def test_a_step_type_is_explained_and_shown(name):
    then = next(each["then"] for each in SCHEMA["$defs"]["node"]["allOf"] if each["then"]["title"] == name)
    assert then["examples"] == [STEP_TYPES[name].EXAMPLE]
    assert len(then["description"]) > 15


def test_the_catalogue_has_all_that_an_editor_draws_a_form_from():
    listed = {each["type"]: each for each in catalogue()}
    assert list(listed) == list(STEP_TYPES)
    menu = listed["menu"]
    assert [each["name"] for each in menu["settings"]][:2] == ["prompt", "timeout"]
    assert menu["settings"][0] == {
        "name": "prompt",
        "kind": "prompt",
        "description": "The question.",
        "required": True,
        "schema": {"$ref": "#/$defs/prompt", "description": "The question."},
    }
    assert menu["settings"][1]["required"] is False
    assert menu["settings"][1]["schema"]["default"] == 5
    assert [each["name"] for each in menu["exits"] if each["pattern"] is None] == ["invalid", "timeout"]
    assert [each["optional"] for each in listed["play"]["exits"]] == [False, True]
    assert menu["example"] == STEP_TYPES["menu"].EXAMPLE
    assert menu["description"].startswith(menu["summary"].rstrip("."))
    assert set(definitions()) == {"prompt", "condition"}


def test_no_step_type_is_without_a_kind_in_words():
    assert all(each["kind"] for step in catalogue() for each in step["settings"])
    assert all(issubclass(step, Step) for step in STEP_TYPES.values())


def test_every_comparison_says_what_it_means():
    assert list(OPERATOR_MEANINGS) == list(OPERATORS)
