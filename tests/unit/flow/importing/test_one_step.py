"""One step of another system: what its settings become, and why there is none like it here."""

from typing import Any

import pytest

from outdial.flow.importing import import_flow


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("enqueue-call", "make it a `connect`"),
        ("send-to-flex", "make it a `connect`"),
        ("run-subflow", "make this a `jump`"),
        ("send-message", "an `http_request` to who sends yours"),
        ("send-and-wait-for-reply", "no messages are sent"),
        ("add-twiml-redirect", "no TwiML"),
        ("fork-stream", "not streamed"),
        ("capture-payments", "card numbers"),
        ("of-tomorrow", "of-tomorrow is not known here"),
    ],
)
def test_a_widget_that_has_no_like_here_says_why_and_is_tagged(kind: str, words: str) -> None:
    trigger = {
        "name": "t",
        "type": "trigger",
        "transitions": [{"event": "incomingCall", "next": "w"}, {"event": "incomingMessage", "next": "w"}],
    }
    made = import_flow("twilio", {"initial_state": "t", "states": [trigger, {"name": "w", "type": kind}]})
    (note,) = [each for each in made.notes if each.node == "w" and each.severity == "lost"]
    assert words in note.message
    assert made.document["nodes"]["w"]["settings"]["tags"] == ["not_imported", "not_imported:w"]
    assert any("incoming message" in each.message for each in made.notes)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        *((kind, "messages are not sent") for kind in ("send_msg", "send_broadcast")),
        ("send_email", "mails"),
        ("open_ticket", "tickets"),
        ("call_classifier", "classified"),
        ("call_llm", "language model"),
        ("call_resthook", "`send_event`"),
        ("transfer_airtime", "is transferred from here"),
        ("start_session", "other people's flows"),
        ("remove_contact_groups", "there are no groups"),
        *(
            (kind, "contacts are not kept")
            for kind in (
                "add_contact_urn",
                *(f"set_contact_{each}" for each in ("channel", "status", "timezone")),
            )
        ),
        ("request_optin", "opted into"),
        ("of_tomorrow", "of_tomorrow is not known here"),
    ],
)
def test_an_action_that_has_no_like_here_says_why(kind: str, words: str) -> None:
    flow = {"type": "voice", "nodes": [{"uuid": "n", "actions": [{"type": kind}], "exits": [{"uuid": "e"}]}]}
    made = import_flow("rapidpro", flow)
    (note,) = [each for each in made.notes if each.severity == "lost"]
    assert (note.node, words in note.message) == ("node 1", True), note
    assert made.document["nodes"]["node 1"]["settings"]["tags"] == [f"skipped:{kind}"]


STUDIO_SETTINGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("say-play", {"say": "Hi.", "loop": 3}, {"prompt": "Hi.", "times": 3}),
    ("say-play", {"say": "Hi.", "loop": 0}, {"prompt": "Hi.", "times": 10}),
    ("say-play", {"play": "https://audio.example/a.mp3"}, {"prompt": {"url": "https://audio.example/a.mp3"}}),
    (
        "gather-input-on-call",
        {"say": "Pin.", "loop": 2, "number_of_digits": 4, "timeout": 9, "finish_on_key": "#"},
        {"prompt": ["Pin.", "Pin."], "max": 4, "first_timeout": 9, "terminator": "#", "barge_in": True},
    ),
    ("gather-input-on-call", {"say": "Pin.", "stop_gather": False}, {"max": 64, "barge_in": False}),
    (
        "connect-call-to",
        {"to": "+12025550100, +12025550101", "timeout": 40, "record": True, "caller_id": "+12025550102"},
        {
            "to": ["12025550100", "12025550101"],
            "strategy": "parallel",
            "ring_seconds": 40,
            "record": True,
            "caller_id": "12025550102",
        },
    ),
    ("connect-call-to", {"noun": "conference", "to": "room"}, {"room": "room"}),
    (
        "connect-call-to",
        {"noun": "sip", "to": "sip:a@b.example"},
        {"tags": ["not_imported", "not_imported:w"]},
    ),
    (
        "record-voicemail",
        {"play_beep": "false", "max_length": 60, "timeout": 7, "finish_on_key": "#"},
        {"beep": False, "max_seconds": 60, "silence_seconds": 7, "stop_keys": "#"},
    ),
    (
        "make-http-request",
        {"method": "GET", "url": "https://a.example/?b=1", "parameters": [{"key": "c", "value": "{{to}}"}]},
        {"method": "GET", "url": "https://a.example/?b=1&c={{to|url_encode}}"},
    ),
    (
        "make-http-request",
        {"method": "PUT", "url": "https://a.example/", "parameters": [{"key": "c", "value": "d"}]},
        {"method": "PUT", "form": {"c": "d"}},
    ),
    (
        "make-http-request",
        {
            "method": "POST",
            "url": "https://a.example/",
            "body": "a",
            "content_type": "text/plain;charset=utf-8",
        },
        {"body": "a", "headers": {"Content-Type": "text/plain; charset=utf-8"}},
    ),
    ("set-variables", {"variables": [{"key": "a", "value": "b"}]}, {"values": {"a": "b"}}),
]


@pytest.mark.parametrize(("kind", "properties", "settings"), STUDIO_SETTINGS)
def test_the_settings_of_a_widget_come_along(
    kind: str, properties: dict[str, Any], settings: dict[str, Any]
) -> None:
    trigger = {"name": "t", "type": "trigger", "transitions": [{"event": "incomingCall", "next": "w"}]}
    widget = {"name": "w", "type": kind, "properties": {**properties, "offset": {"x": 3, "y": 4}}}
    node = import_flow("twilio", {"initial_state": "t", "states": [trigger, widget]}).document["nodes"]["w"]
    assert {name: node["settings"].get(name) for name in settings} == settings
    assert node["position"] == {"x": 3, "y": 4}
