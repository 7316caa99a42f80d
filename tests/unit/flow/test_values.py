"""What variables may hold: whatever JSON brings is cleaned, and nothing raises."""

import json

import pytest

from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import start
from outdial.flow.values import clean


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (10**400, None),
        (-(10**400), None),
        (float("inf"), None),
        (float("nan"), None),
        (10**30, 10**30),
        ("a\x00b\x1bc\td", "abc\td"),
        ({"a": [1, {"b": object()}]}, {"a": [1, {"b": None}]}),
        (json.loads("[" * 12 + "1" + "]" * 12), json.loads("[" * 10 + "null" + "]" * 10)),
    ],
)
def test_what_is_kept_of_a_value(given: object, kept: object) -> None:
    assert clean(given) == kept


@pytest.mark.parametrize(
    ("value", "said"), [(5.0, "5"), (-0.0, "0"), (0.1, "0.1"), (1e15, "1000000000000000"), ([2.0], "2")]
)
def test_a_whole_number_has_no_point(value, said):
    set_ = {"type": "set_variable", "settings": {"values": {"x": value}}, "exits": {"next": "b"}}
    nodes = {"a": set_, "b": {"type": "hang_up", "settings": {"result": "{{x}}"}}}
    flow = parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes})
    assert start(Library.of(flow), {}).state.result == said
