"""What changed between two flows, and the one form of text that makes changes readable."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.flow.difference import changes
from outdial.flow.text_form import text_form

BEFORE: dict[str, Any] = {
    "schema_version": 1,
    "entry": "a",
    "languages": ["en"],
    "nodes": {
        "a": {"type": "play", "settings": {"prompt": "Hello.", "times": 2}, "exits": {"next": "b"}},
        "b": {"type": "hang_up"},
    },
}
AFTER: dict[str, Any] = {
    "schema_version": 1,
    "entry": "a",
    "name": "Greeting",
    "languages": ["en", "de"],
    "nodes": {
        "a": {
            "type": "play",
            "settings": {"prompt": "Hello {{name}}.", "barge_in": True},
            "exits": {"next": "c"},
        },
        "c": {"type": "hang_up"},
    },
}


def test_every_change_has_its_place() -> None:
    assert [str(change) for change in changes(BEFORE, AFTER)] == [
        "the flow: languages was ['en'] and is ['en', 'de']",
        "the flow: name was added: 'Greeting'",
        "node 'a': exits.next was 'b' and is 'c'",
        "node 'a': settings.barge_in was added: True",
        "node 'a': settings.prompt was 'Hello.' and is 'Hello {{name}}.'",
        "node 'a': settings.times was removed: 2",
        "node 'b' was removed",
        "node 'c' was added",
    ]
    assert changes(BEFORE, BEFORE) == []


def test_numbers_and_booleans_are_not_the_same() -> None:
    assert [each.what for each in changes({"nodes": {"a": {"x": 1}}}, {"nodes": {"a": {"x": True}}})] == [
        "changed"
    ]


@pytest.mark.parametrize("nodes", [5, [1], "x", None])
def test_an_unfinished_flow_can_be_compared(nodes: object) -> None:
    assert changes({"nodes": nodes}, {"nodes": nodes}) == []
    (change,) = changes({"nodes": nodes}, {"nodes": {}})
    assert (change.what, change.field) == ("changed", "nodes")


def test_the_same_flow_has_the_same_text() -> None:
    text = text_form({"b": 1.0, "a": {"d": "é", "c": [True, 2.5]}})
    assert (
        text == '{\n  "a": {\n    "c": [\n      true,\n      2.5\n    ],\n    "d": "é"\n  },\n  "b": 1\n}\n'
    )
    assert text_form(json.loads(text)) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_text_is_stable_and_loses_nothing(value: object) -> None:
    text = text_form(value)
    assert json.loads(text) == value
    assert text_form(json.loads(text)) == text


@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), JSON))
def test_there_is_no_change_only_between_equals(before: dict[str, Any], after: dict[str, Any]) -> None:
    same = text_form(before) == text_form(after)
    assert (changes(before, after) == []) == same
    assert changes(before, before) == []
