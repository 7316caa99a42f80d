"""Flows of Twilio Studio and RapidPro run here as they did there, and what does not come along is said."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.errors import InvalidInput
from outdial.flow.definition import Library, parse_flow
from outdial.flow.importing import SOURCES, import_flow
from outdial.flow.importing.drawing import Imported
from outdial.flow.lint import lint
from outdial.flow.trial import try_case

HERE = Path(__file__).parent
EXPORTS = {
    "twilio": json.loads((HERE / "appointment.studio.json").read_text()),
    "rapidpro": json.loads((HERE / "health.goflow.json").read_text()),
}
CONFIRMED = {"status": 200, "json": {"waiting": {"count": 9}}}
CASES: dict[str, list[dict[str, Any]]] = {
    "twilio": [
        {
            "name": "a key of the menu",
            "variables": {"name": "Ann", "slot": "9 o'clock"},
            "press": ["1"],
            "http": [CONFIRMED],
            "expect": {
                "path": ["hello", "main_menu", "which", "confirm", "how_many", "busy_day", "thanks"],
                "said": ["Hello Ann,", "It is a busy day: 9 wait. Thank you."],
                "result": "completed",
            },
        },
        {
            "name": "blank is another way",
            "press": ["1"],
            "http": [{"json": {}}],
            "expect": {
                "path": ["hello", "main_menu", "which", "confirm", "how_many", "how_many_2", "thanks"]
            },
        },
        {
            "name": "no key",
            "press": [None],
            "expect": {"path": ["hello", "main_menu", "sorry"], "said": ["Sorry."]},
        },
        {
            "name": "another key",
            "press": ["9"],
            "expect": {"path": ["hello", "main_menu", "which", "sorry"], "variables": {"main_menu": "9"}},
        },
        {
            "name": "the desk",
            "press": ["2"],
            "connect": ["busy"],
            "expect": {"path": ["hello", "main_menu", "which", "desk", "sorry"]},
        },
        {
            "name": "one of several values",
            "press": ["4"],
            "record": [12],
            "expect": {
                "path": ["hello", "main_menu", "which", "voicemail", "to_queue", "thanks"],
                "tags": ["not_imported", "not_imported:to_queue"],
            },
        },
    ],
    "rapidpro": [
        {
            "name": "old people talk to a nurse",
            "variables": {"name": "Ann", "nurse_phone": "12025550101"},
            "press": ["1", "70#"],
            "connect": ["answered"],
            "expect": {
                "path": [
                    *("node 1", "node 2, 2", "node 4", "node 4, 2", "node 4, 3", "node 4, 3, answer"),
                    *("node 4, 3, answer_2", "node 8", "node 12"),
                ],
                "said": ["Hello Ann, this is the health line. Mail us at info@example.org."],
                "variables": {"fever": "1", "age": "70", "nurse": "12025550101"},
                "tags": ["Fever"],
            },
        },
        {
            "name": "children do at once, and leave a message when nobody answers",
            "press": ["1", "12#"],
            "connect": ["no_answer"],
            "record": [9],
            "expect": {
                "path": [
                    *("node 1", "node 2, 2", "node 4", "node 4, 2", "node 4, 3", "node 4, 3, answer"),
                    *("node 8", "node 9", "node 9, 2", "node 12"),
                ],
                "said": ["<https://audio.example/leave-a-message.mp3>"],
            },
        },
        {
            "name": "a wrong key is asked again, and a word of an answer is looked for",
            "press": ["7", "1", "30#"],
            "http": [{"json": {"advice": {"level": "rather urgent"}}}],
            "connect": ["failed"],
            "expect": {"said": ["That was not one"], "variables": {"level": "rather urgent"}},
        },
        {
            "name": "Spanish",
            "variables": {"language": "es", "name": "Ana"},
            "press": ["2"],
            "expect": {
                "path": ["node 1", "node 2, 2", "node 12"],
                "said": ["Hola Ana", "<https://audio.example/fiebre.mp3>", "Stay well, Ana."],
            },
        },
        {
            "name": "a server that fails",
            "press": ["1", "30#"],
            "http": [{"status": 500}],
            "expect": {
                "variables": {"outcome": "no advice", "outcome_category": "Failed"},
                "tags": ["Fever", "skipped:send_email", "not_imported", "not_imported:node 7, 3"],
                "said": ["Stay well, friend."],
            },
        },
        {
            "name": "chance",
            "seed": 2,
            "press": ["1", "30#"],
            "http": [{"json": {"advice": {"level": "low"}}}],
            "expect": {"variables": {"advised": "30", "language": "es"}},
        },
    ],
}


def imported(source: str, change: Callable[[Any], None] | None = None) -> Imported:
    exported = copy.deepcopy(EXPORTS[source])
    if change is not None:
        change(exported)
    return import_flow(source, exported)


@pytest.mark.parametrize("source", SOURCES)
def test_an_imported_flow_has_no_errors(source: str) -> None:
    made = imported(source)
    assert [each for each in lint(made.document) if each.severity == "error"] == []
    assert json.loads(json.dumps(made.document)) == made.document


@pytest.mark.parametrize(
    ("source", "case"),
    [pytest.param(source, case, id=case["name"]) for source in CASES for case in CASES[source]],
)
def test_it_runs_as_it_did_there(source: str, case: dict[str, Any]) -> None:
    library = Library("main", {"main": parse_flow(imported(source).document)})
    assert try_case(library, case).problems == ()


@pytest.mark.parametrize(
    ("source", "node", "severity", "words"),
    [
        ("twilio", "call_them", "changed", "has placed the call"),
        ("twilio", "call_them", "lost", "answering machines"),
        ("twilio", "text_them", "lost", "no messages"),
        ("twilio", "hello", "lost", "SSML"),
        ("twilio", "hello", "changed", "Polly.Joanna"),
        ("twilio", "main_menu", "lost", "only keys"),
        ("twilio", "how_many", "lost", "regex"),
        ("twilio", "desk", "lost", "hangs up"),
        ("twilio", "log", "changed", "without Twilio's signature"),
        ("twilio", "voicemail", "lost", "not written down"),
        ("twilio", "voicemail", "lost", "recording_status_callback_url"),
        ("twilio", "to_queue", "lost", "no queues"),
        ("twilio", "log", "lint", "never reached"),
        ("rapidpro", None, "lost", "'Other flow'"),
        ("rapidpro", "node 4, 2", "changed", "tags"),
        ("rapidpro", "node 5", "lost", "random()"),
        ("rapidpro", "node 7, 2", "lost", "mails"),
        ("rapidpro", "node 7, 3", "lost", "'Call back later'"),
        ("rapidpro", "node 11", "changed", "no contact is kept"),
        ("rapidpro", "node 2, 2", "changed", "question"),
    ],
)
def test_what_does_not_come_along_is_said_by_node(
    source: str, node: str | None, severity: str, words: str
) -> None:
    notes = [each for each in imported(source).notes if (each.severity, each.node) == (severity, node)]
    assert any(words in each.message for each in notes), notes


def test_variables_that_calls_bring_are_declared() -> None:
    assert list(imported("twilio").document["variables"]) == ["name", "slot"]
    assert list(imported("rapidpro").document["variables"]) == ["name", "nurse_phone"]


@pytest.mark.parametrize(
    ("source", "exported", "word"),
    [
        ("studio", {}, "twilio, rapidpro"),
        ("twilio", {}, "states"),
        ("twilio", {"states": [], "initial_state": "Trigger"}, "states"),
        ("twilio", {"states": [{"name": "a", "type": "say-play"}], "initial_state": "a"}, "no trigger"),
        ("twilio", {"states": [{"type": "trigger"}], "initial_state": "a"}, "no name"),
        ("twilio", {"states": [{"name": "a"}] * 1_001, "initial_state": "a"}, "1001 nodes"),
        (
            "twilio",
            {
                "states": [
                    {"name": "t", "type": "trigger", "transitions": [{"event": "incomingCall", "next": "x"}]}
                ],
                "initial_state": "t",
            },
            "'x'",
        ),
        ("rapidpro", [], "flows"),
        ("rapidpro", {"flows": [{"name": "old", "action_sets": []}]}, "before 13"),
        (
            "rapidpro",
            {"nodes": [{"uuid": "a", "exits": [{"uuid": "e", "destination_uuid": "b"}]}]},
            "'b'",
        ),
    ],
)
def test_what_is_no_such_flow_is_named(source: str, exported: Any, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        import_flow(source, exported)


def test_one_of_several_flows_is_chosen_by_name() -> None:
    exported = EXPORTS["rapidpro"]
    assert import_flow("rapidpro", exported, "Other flow").name == "Other flow"
    with pytest.raises(InvalidInput, match="'Health line'"):
        import_flow("rapidpro", exported, "No such flow")


def test_prompts_become_questions_only_where_nothing_else_leads_to_them() -> None:
    def silence_the_menu(exported: Any) -> None:
        for state in exported["states"]:
            if state["name"] == "main_menu":
                state["properties"]["say"] = ""

    document = imported("twilio", silence_the_menu).document
    assert document["entry"] == "main_menu"
    assert document["nodes"]["main_menu"]["settings"]["prompt"].startswith("Hello {{name}}")

    def lead_there(exported: Any) -> None:
        silence_the_menu(exported)
        for state in exported["states"]:
            if state["name"] == "sorry":
                state["transitions"] = [{"event": "audioComplete", "next": "main_menu"}]

    nodes = imported("twilio", lead_there).document["nodes"]
    assert nodes["main_menu"]["settings"]["prompt"] == {"pause": 0.1}
    assert nodes["hello"]["exits"] == {"next": "main_menu"}


def test_names_of_further_nodes_take_no_widget_s_name() -> None:
    def rename(exported: Any) -> None:
        text = json.dumps(exported).replace("busy_day", "how_many_2")
        exported.clear()
        exported.update(json.loads(text))

    nodes = imported("twilio", rename).document["nodes"]
    assert nodes["how_many_2"]["type"] == "set_variable"
    assert nodes["how_many_2_2"]["type"] == "branch"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every object or list in a value with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *places(value[key]))]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(EXPORTS)))
def test_whatever_is_in_an_export_it_is_read_or_refused(data: Any, source: str) -> None:
    exported = copy.deepcopy(EXPORTS[source])
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(exported)
        inside, key = found[data.draw(st.integers(0, len(found) - 1))]
        inside[key] = data.draw(JSON)
    try:
        made = import_flow(source, exported)
    except InvalidInput:
        return
    json.dumps(made.document)
    said = {each.node for each in made.notes if each.severity == "lint"}
    assert {each.node for each in lint(made.document)} == said
