"""Definitions: what is wrong with one is said at once, by node and field, and nothing else is ever raised."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import InvalidFlow
from outdial.flow.definition import MAX_NODES, parse_flow
from outdial.flow.steps.hang_up import HangUpStep
from outdial.flow.steps.play import PlayStep

PLAY = {"type": "play", "sound": "sound-1"}


def refusal_of(data: object) -> str:
    with pytest.raises(InvalidFlow) as refusal:
        parse_flow(data)
    return str(refusal.value)


def test_a_flow_is_read_into_steps():
    flow = parse_flow({"start": "a", "nodes": {"a": {**PLAY, "next": "b"}, "b": {"type": "hang_up"}}})
    assert flow.start == "a"
    assert flow.steps == {"a": PlayStep("sound-1", 1, "b"), "b": HangUpStep("completed")}


def test_a_node_may_say_next_null():
    assert parse_flow({"start": "a", "nodes": {"a": {**PLAY, "next": None}}}).steps["a"] == PlayStep(
        "sound-1", 1, None
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "a flow must be a JSON object"),
        ({}, "field 'nodes': must be an object of 1 to 1000 nodes by name"),
        ({"nodes": {}}, "field 'nodes': must be an object of 1 to 1000 nodes by name"),
        ({"nodes": {"a": PLAY}}, "field 'start': must be the name of a node of this flow, not None"),
        (
            {"nodes": {"a": PLAY}, "start": "b"},
            "field 'start': must be the name of a node of this flow, not 'b'",
        ),
        (
            {"nodes": {"a": PLAY}, "start": ["a"]},
            "field 'start': must be the name of a node of this flow, not ['a']",
        ),
        ({"nodes": {"a": PLAY}, "start": "a", "end": 1}, "field 'end': is unknown; a flow has nodes, start"),
        ({"nodes": {"a": 1}, "start": "a"}, "node 'a': must be an object"),
        (
            {"nodes": {"a": {}}, "start": "a"},
            "node 'a', field 'type': must be one of hang_up, play, not None",
        ),
        (
            {"nodes": {"a": {"type": "plan"}}, "start": "a"},
            "node 'a', field 'type': must be one of hang_up, play, not 'plan'",
        ),
        (
            {"nodes": {"a": {"type": []}}, "start": "a"},
            "node 'a', field 'type': must be one of hang_up, play, not []",
        ),
    ],
)
def test_what_is_wrong_is_named(data, sentence):
    assert refusal_of(data) == sentence


def test_every_problem_of_a_flow_is_named_at_once():
    sentence = refusal_of(
        {"start": "x", "nodes": {"a": {"type": "play"}, "b": {"type": "hang_up", "next": "a"}}}
    )
    assert sentence.count(";") >= 2
    assert "node 'a', field 'sound'" in sentence
    assert "node 'b', field 'next'" in sentence


def test_a_flow_has_a_largest_size():
    nodes = {str(number): PLAY for number in range(MAX_NODES + 1)}
    assert "1 to 1000 nodes" in refusal_of({"start": "0", "nodes": nodes})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
NODE = st.fixed_dictionaries(
    {"type": st.sampled_from(["play", "hang_up", "other"]) | JSON},
    optional={"sound": JSON, "next": JSON, "times": JSON, "result": JSON},
)


@given(
    JSON
    | st.fixed_dictionaries({"start": JSON, "nodes": st.dictionaries(st.text(max_size=3), NODE, max_size=4)})
)
def test_any_json_is_read_or_refused(data):
    with suppress(InvalidFlow):
        flow = parse_flow(data)
        assert flow.start in flow.steps
