"""Definitions: what is wrong with one is said at once, by node and field, and nothing else is ever raised."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import InvalidFlow
from outdial.flow.definition import MAX_NODES, parse_flow
from outdial.flow.steps import STEP_TYPES

PLAY = {"type": "play", "settings": {"prompt": "Hello."}}
FLOW = {"schema_version": 1, "entry": "a", "nodes": {"a": PLAY}}


def refusal_of(data: object) -> str:
    with pytest.raises(InvalidFlow) as refusal:
        parse_flow(data)
    return str(refusal.value)


def test_a_flow_is_read_into_nodes():
    flow = parse_flow({**FLOW, "nodes": {"a": {**PLAY, "exits": {"next": "b", "failed": None}}, "b": PLAY}})
    assert flow.entry == "a"
    assert flow.nodes["a"].exits == {"next": "b", "failed": None}
    assert flow.languages == ("en",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "a flow must be a JSON object"),
        (
            {**FLOW, "schema_version": 2},
            "field 'schema_version': must be 1, which is the version of the format, not 2",
        ),
        ({**FLOW, "nodes": {}}, "field 'nodes': must be an object of 1 to 1000 nodes by name"),
        (
            {"schema_version": 1, "nodes": {"a": PLAY}},
            "field 'entry': is missing",
        ),
        ({**FLOW, "entry": "b"}, "field 'entry': must be the name of a node of this flow, not 'b'"),
        ({**FLOW, "languages": ["en", "en"]}, "field 'languages': must name each language once"),
        ({**FLOW, "nodes": {"a": 1}}, "node 'a': must be an object, not 1"),
        (
            {**FLOW, "nodes": {"a": {**PLAY, "next": "a"}}},
            "node 'a', field 'next': is unknown; a node has type, settings, exits, label, position",
        ),
        (
            {**FLOW, "nodes": {"a": {**PLAY, "position": {"x": 1}}}},
            "node 'a', field 'position': must be an object with the numbers x and y, not {'x': 1}",
        ),
        (
            {**FLOW, "variables": {"a": {"type": "date"}}},
            "field 'variables.a.type': must be one of text, number, boolean, list, not 'date'",
        ),
    ],
)
def test_what_is_wrong_is_named(data, sentence):
    assert refusal_of(data) == sentence


@pytest.mark.parametrize("kind", [None, "fly", []])
def test_a_type_is_one_of_the_step_types(kind):
    sentence = refusal_of({**FLOW, "nodes": {"a": {"type": kind}}})
    assert sentence == f"node 'a', field 'type': must be one of {', '.join(sorted(STEP_TYPES))}, not {kind!r}"


@pytest.mark.parametrize(
    ("node", "end"),
    [
        ({"type": "plya"}, "; did you mean 'play'?"),
        ({**PLAY, "exits": {"next": "abcc"}}, "or null, not 'abcc'; did you mean 'abcd'?"),
        ({"type": "play", "settings": {"prompt": "Hello.", "bargein": True}}, "; did you mean 'barge_in'?"),
        ({**PLAY, "exits": {"next": "xyz"}}, "or null, not 'xyz'"),
    ],
)
def test_a_name_that_is_nearly_right_is_guessed(node, end):
    assert refusal_of({**FLOW, "entry": "abcd", "nodes": {"abcd": node}}).endswith(end)


def test_an_entry_that_is_nearly_right_is_guessed():
    sentence = refusal_of({**FLOW, "entry": "welcom", "nodes": {"welcome": PLAY}})
    assert sentence.endswith("not 'welcom'; did you mean 'welcome'?")


def test_a_document_may_say_where_its_schema_is():
    assert parse_flow({**FLOW, "$schema": "./flow.schema.json"}) == parse_flow(FLOW)
    assert refusal_of({**FLOW, "$schema": 1}) == "field '$schema': must be a text, not 1"


def test_every_problem_of_a_flow_is_named_at_once():
    nodes = {"a": {"type": "play"}, "b": {"type": "hang_up", "exits": {"next": "a"}}}
    sentence = refusal_of({**FLOW, "entry": "x", "nodes": nodes})
    assert "field 'entry'" in sentence
    assert "node 'a', field 'prompt': is missing" in sentence
    assert "node 'b', field 'exits.next'" in sentence


def test_a_flow_has_a_largest_size():
    nodes = {str(number): PLAY for number in range(MAX_NODES + 1)}
    assert "1 to 1000 nodes" in refusal_of({**FLOW, "nodes": nodes})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
NODE = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(STEP_TYPES)) | JSON},
    optional={
        "settings": st.dictionaries(st.sampled_from(["prompt", "times", "result", "key"]), JSON) | JSON,
        "exits": JSON,
        "position": JSON,
    },
)


@given(
    JSON
    | st.fixed_dictionaries(
        {
            "schema_version": st.just(1) | JSON,
            "entry": JSON,
            "nodes": st.dictionaries(st.text(max_size=3), NODE, max_size=4),
        },
        optional={"variables": JSON, "languages": JSON, "name": JSON},
    )
)
def test_any_json_is_read_or_refused(data):
    with suppress(InvalidFlow):
        flow = parse_flow(data)
        assert flow.entry in flow.nodes
