"""What variables may hold: whatever JSON brings is cleaned, and nothing raises."""

import json

import pytest

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
