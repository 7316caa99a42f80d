"""Every condition that Twilio Studio and RapidPro split by leads the way that it led there."""

from typing import Any

import pytest

from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import start
from outdial.flow.importing import import_flow
from outdial.flow.importing.drawing import Imported


def studio(*conditions: tuple[str, str], source: str = "{{flow.variables.x}}") -> Imported:
    """A split whose only way out has these conditions."""
    match = [{"type": kind, "value": value, "arguments": [source]} for kind, value in conditions]
    states = [
        {"name": "t", "type": "trigger", "transitions": [{"event": "incomingCall", "next": "split"}]},
        {
            "name": "split",
            "type": "split-based-on",
            "properties": {"input": source},
            "transitions": [
                {"event": "noMatch", "next": "missed"},
                {"event": "match", "next": "matched", "conditions": match},
            ],
        },
        *({"name": name, "type": "say-play", "properties": {"say": name}} for name in ("matched", "missed")),
    ]
    return import_flow("twilio", {"states": states, "initial_state": "t"})


def rapidpro(test: str, *arguments: str) -> Imported:
    """A switch with one case."""
    router = {
        "type": "switch",
        "operand": "@results.x",
        "cases": [{"type": test, "arguments": list(arguments), "category_uuid": "yes"}],
        "categories": [{"uuid": "yes", "exit_uuid": "e1"}, {"uuid": "no", "exit_uuid": "e2"}],
        "default_category_uuid": "no",
    }
    exits = [{"uuid": "e1", "destination_uuid": "matched"}, {"uuid": "e2", "destination_uuid": "missed"}]
    ends = [
        {"uuid": name, "actions": [{"type": "say_msg", "text": name}], "exits": [{"uuid": f"{name} e"}]}
        for name in ("matched", "missed")
    ]
    nodes = [{"uuid": "split", "router": router, "exits": exits}, *ends]
    return import_flow("rapidpro", {"type": "voice", "name": "f", "nodes": nodes})


def way(made: Imported, x: Any, **more: Any) -> str:
    """What the engine says at the end of the way that it takes with a value."""
    library = Library.of(parse_flow(made.document))
    (play,) = (
        each
        for each in start(library, {**more} if x is None else {"x": x, **more}).actions
        if hasattr(each, "prompt")
    )
    return str(play.prompt[0].text)


STUDIO: list[tuple[str, str, list[Any], list[Any]]] = [
    ("equal_to", "yes", ["yes", "YES"], ["no", "yes please", "", None]),
    ("not_equal_to", "yes", ["no", "yes please", "", None], ["yes", "YES"]),
    ("matches_any_of", "red, green", ["red", "green"], ["blue", "red, green", "", None]),
    ("does_not_match_any_of", "red, green", ["blue", "redder", None], ["red", "green"]),
    ("contains", "gent", ["an agent", "gentle"], ["a person", "gen t", None]),
    ("does_not_contain", "gent", ["a person", None], ["an agent", "gentle"]),
    ("starts_with", "49", ["4930", "49"], ["1493", "4", None]),
    ("does_not_start_with", "49", ["1493", "4", None], ["4930", "49"]),
    ("less_than", "10", ["9", "-3", 9.5], ["10", "11", "100", "many", None]),
    ("greater_than", "10", ["11", "100", 10.5], ["10", "9", "-3", "many", None]),
    ("is_before_date", "2026-03-10", ["2026-03-09", "2025-12-31"], ["2026-03-10", "2026-10-01", None]),
    ("is_after_date", "2026-03-10", ["2026-03-11", "2027-01-01"], ["2026-03-10", "2026-02-28", None]),
    ("is_before_time", "10:00", ["09:59", "00:00"], ["10:00", "18:30", None]),
    ("is_after_time", "10:00", ["10:01", "18:30"], ["10:00", "09:59", None]),
    ("is_blank", "", ["", None], ["0", "a"]),
    ("is_not_blank", "", ["0", "a"], ["", None]),
]
RAPIDPRO: list[tuple[tuple[str, ...], list[Any], list[Any]]] = [
    (("has_only_text", "Yes"), ["yes", "YES"], ["no", "yes please", None]),
    (("has_only_text", "a" * 101), ["a" * 101], ["a" * 100, None]),
    (("has_only_phrase", "yes please"), ["Yes please"], ["yes", "oh yes please", None]),
    (("has_phrase", "to go"), ["I want to go home"], ["go to", None]),
    (("has_beginning", "yes"), ["Yes, please"], ["oh yes", None]),
    (("has_any_word", "yes ok"), ["ok then", "yes"], ["no", None]),
    (("has_any_word", "1 2"), ["1", "2"], ["12", "3", None]),
    (("has_all_words", "red car"), ["a car, red"], ["a car", "a red bus", None]),
    (("has_text",), ["a", "0"], ["", None]),
    (("has_number_eq", "7"), ["7", 7, "07", "7.0"], ["8", "77", None]),
    (("has_number_lt", "10"), ["9", "-1"], ["10", "11", "100", None]),
    (("has_number_lte", "10"), ["9", "10"], ["11", "100", None]),
    (("has_number_gt", "10"), ["11", "100"], ["10", "9", None]),
    (("has_number_gte", "10"), ["10", "100"], ["9", "-100", None]),
    (("has_number_between", "5", "10"), ["5", "7", "10"], ["4", "11", "100", None]),
    (("has_date_lt", "2026-03-10"), ["2026-03-09"], ["2026-03-10", "2026-10-01", None]),
    (("has_date_gt", "2026-03-10"), ["2026-03-11"], ["2026-03-10", "2026-02-28", None]),
    (("has_date_eq", "2026-03-10"), ["2026-03-10"], ["2026-03-11", None]),
]


@pytest.mark.parametrize(("kind", "value", "matching", "others"), STUDIO, ids=[each[0] for each in STUDIO])
def test_a_condition_of_studio(kind: str, value: str, matching: list[Any], others: list[Any]) -> None:
    made = studio((kind, value))
    assert [each for each in made.notes if each.severity == "lost"] == []
    assert [(x, way(made, x)) for x in matching] == [(x, "matched") for x in matching]
    assert [(x, way(made, x)) for x in others] == [(x, "missed") for x in others]


@pytest.mark.parametrize("kind", ["equal_to", "matches_any_of"])
def test_a_condition_of_studio_beside_others_or_with_a_variable(kind: str) -> None:
    # These two are a `switch` where they stand alone, and a `branch` here.
    both = studio((kind, "a"), ("is_not_blank", ""))
    assert [way(both, x) for x in ("a", "b", None)] == ["matched", "missed", "missed"]
    variable = studio((kind, "{{flow.variables.y}}"))
    assert [way(variable, x, y="a") for x in ("a", "b")] == ["matched", "missed"]


def test_all_conditions_of_a_way_have_to_hold() -> None:
    made = studio(("starts_with", "49"), ("does_not_contain", "0"), ("greater_than", "495"))
    assert [way(made, x) for x in ("4977", "4907", "491", "5977")] == [
        "matched",
        "missed",
        "missed",
        "missed",
    ]


def test_a_condition_on_a_text_around_a_variable() -> None:
    made = studio(("does_not_start_with", "mr a"), source="Mr {{flow.variables.x}}")
    assert [way(made, x) for x in ("Baker", "Ash")] == ["matched", "missed"]


@pytest.mark.parametrize("conditions", [[("regex", "a+")], [("equal_to", "a"), ("regex", "a+")]])
def test_a_way_with_a_condition_that_is_not_known_is_said_and_never_taken(
    conditions: list[tuple[str, str]],
) -> None:
    made = studio(*conditions)
    lost = [each.message for each in made.notes if (each.severity, each.node) == ("lost", "split")]
    assert any("regex 'a+'" in each for each in lost), lost
    nodes = made.document["nodes"]
    assert "matched" not in nodes["split"]["exits"].values()


@pytest.mark.parametrize(
    ("test", "matching", "others"), RAPIDPRO, ids=[" ".join(each[0]) for each in RAPIDPRO]
)
def test_a_case_of_rapidpro(test: tuple[str, ...], matching: list[Any], others: list[Any]) -> None:
    made = rapidpro(*test)
    assert [each for each in made.notes if each.severity == "lost"] == []
    assert [(x, way(made, x)) for x in matching] == [(x, "matched") for x in matching]
    assert [(x, way(made, x)) for x in others] == [(x, "missed") for x in others]
