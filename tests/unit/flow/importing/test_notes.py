"""Each note that an importer can give: what it is given for, and its sentence; none is without a case."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outdial.flow import importing
from outdial.flow.importing import import_flow
from outdial.flow.importing.drawing import Drawing

GOES_ON = "; the call is tagged not_imported and goes on"


def studio(kind: str, *transitions: tuple[str, str], calls: str = "incomingCall", **properties: Any) -> Any:
    """A flow of Studio whose only widget is `w`; its transitions lead to it again."""
    begin = [{"event": each, "next": "w"} for each in calls.split()]
    onward = [{"event": event, "next": next_} for event, next_ in transitions]
    widget = {"name": "w", "type": kind, "properties": properties, "transitions": onward}
    states = [{"name": "t", "type": "trigger", "transitions": begin}, widget]
    return {"initial_state": "t", "states": states}


def parted(text: str) -> Any:
    """A flow of Studio that begins elsewhere for each kind of call."""
    begin = [{"event": event, "next": next_} for event, next_ in (each.split(":") for each in text.split())]
    widgets = [{"name": each, "type": "say-play", "properties": {"say": each}} for each in "ab"]
    return {
        "initial_state": "t",
        "states": [{"name": "t", "type": "trigger", "transitions": begin}, *widgets],
    }


def split(kind: str, value: str) -> Any:
    """A flow of Studio that splits by one condition."""
    flow = studio("split-based-on", input="{{flow.variables.x}}")
    condition = {"type": kind, "value": value}
    flow["states"][1]["transitions"] = [{"event": "match", "next": "w", "conditions": [condition]}]
    return flow


def goflow(*actions: dict[str, Any], router: Any = None, **flow: Any) -> Any:
    """A flow of RapidPro with one node."""
    node = {"uuid": "n", "actions": list(actions), "exits": [{"uuid": "e"}]}
    return {"type": "voice", "name": "f", "nodes": [node | ({"router": router} if router else {})], **flow}


def switch(*tests: tuple[str, list[str]], operand: str = "@results.x", **more: Any) -> Any:
    cases = [{"type": test, "arguments": arguments, "category_uuid": "c"} for test, arguments in tests]
    categories = [{"uuid": "c", "exit_uuid": "e"}]
    return {"type": "switch", "operand": operand, "cases": cases, "categories": categories, **more}


NOTES: list[tuple[str, Any, str | None, str, str]] = [
    ("twilio", parted(""), None, "lost", "no widget follows the trigger of calls"),
    (
        "twilio",
        parted("incomingCall:a incomingRequest:b incomingParent:b"),
        None,
        "lost",
        "what follows incomingCall is not where calls begin: incomingRequest is",
    ),
    (
        "twilio",
        studio("say-play", calls="incomingCall incomingMessage", say="Hi."),
        None,
        "lost",
        "what follows an incoming message is no part of a call",
    ),
    (
        "twilio",
        studio("make-outgoing-call-v2"),
        "w",
        "changed",
        "Outdial itself has placed the call: the flow begins with what follows the answer",
    ),
    *(
        (
            "twilio",
            studio("make-outgoing-call-v2", (event, "t")),
            "w",
            "lost",
            f"what follows {event} is not done: retries are asked for with a call",
        )
        for event in ("busy", "noAnswer", "failed")
    ),
    (
        "twilio",
        studio("make-outgoing-call-v1", detect_answering_machine=True),
        "w",
        "lost",
        "answering machines are not detected",
    ),
    (
        "twilio",
        studio("enqueue-call"),
        "w",
        "lost",
        f"there are no queues here: make it a `connect` to the numbers of your agents{GOES_ON}",
    ),
    ("twilio", studio("say-play", digits="1w2"), "w", "lost", "tones are not played"),
    (
        "twilio",
        studio("say-play", say="Hi.", voice="alice"),
        "w",
        "changed",
        "the voice alice is the usual one of the language here",
    ),
    (
        "twilio",
        studio("say-play", say="<speak>Hi.</speak>"),
        "w",
        "lost",
        "the marks of SSML in its text are left out",
    ),
    (
        "twilio",
        studio("say-play", say="Hi.", loop=0),
        "w",
        "changed",
        "it was said for ever, and is said 10 times here",
    ),
    (
        "twilio",
        studio("gather-input-on-call", ("speech", "w"), say="Yes?"),
        "w",
        "lost",
        "what the callee says is not understood: only keys are taken",
    ),
    (
        "twilio",
        studio("connect-call-to", noun="sip", to="sip:a@b.example"),
        "w",
        "lost",
        f"a connection to 'sip' is not made here: only to numbers{GOES_ON}",
    ),
    *(
        (
            "twilio",
            studio(kind, ("hangup", "w"), to="12025550100"),
            "w",
            "lost",
            "what follows when the callee hangs up is not done: the flow is over then",
        )
        for kind in ("connect-call-to", "record-voicemail")
    ),
    (
        "twilio",
        studio("record-voicemail", transcribe="true"),
        "w",
        "lost",
        "what is recorded is not written down",
    ),
    *(
        (
            "twilio",
            studio("record-voicemail", **{callback: "https://a.example/"}),
            "w",
            "lost",
            f"{callback} is not told: the webhook of the call has the recording",
        )
        for callback in ("recording_status_callback_url", "transcription_callback_url")
    ),
    (
        "twilio",
        studio("make-http-request", url="https://a.example/", add_twilio_auth=True),
        "w",
        "lost",
        "the request has no credentials of Twilio",
    ),
    (
        "twilio",
        studio("run-function"),
        "w",
        "lost",
        f"it runs a function of Twilio, whose address the flow does not say{GOES_ON}",
    ),
    (
        "twilio",
        studio("run-function", url="https://a.example/"),
        "w",
        "changed",
        "a function is asked as any server is, without Twilio's signature: protected ones refuse",
    ),
    ("twilio", studio("set-variables", variables=[]), "w", "lost", f"it sets no variable{GOES_ON}"),
    (
        "twilio",
        studio("say-play", say="{% for each in them %}{{each}}{% endfor %}"),
        "w",
        "lost",
        "a text holds Liquid that is not known here: This is not a Liquid template: unexpected tag 'for'.",
    ),
    (
        "twilio",
        studio("say-play", say="{{trigger.call.From}}"),
        "w",
        "changed",
        "trigger.call.From is to here: the callee is who was called",
    ),
    (
        "twilio",
        studio("say-play", say="{{widgets.other.SpeechResult}}"),
        "w",
        "lost",
        "the variable widgets.other.SpeechResult is not known here and is empty",
    ),
    ("twilio", split("regex", "a+"), "w", "lost", "the condition regex 'a+' is not known here and left out"),
    *(
        (
            "twilio",
            split(kind, "10:00"),
            "w",
            "changed",
            "times are compared as texts here: a `date_time` step may be meant",
        )
        for kind in ("is_before_time", "is_after_time")
    ),
    (
        "rapidpro",
        goflow(type="messaging"),
        None,
        "lost",
        "the flow is of the type messaging, not voice: its messages are not said",
    ),
    (
        "rapidpro",
        {"flows": [goflow(), goflow(name="other")]},
        None,
        "lost",
        "the flow 'other' is in the export, too, and was not imported",
    ),
    (
        "rapidpro",
        goflow({"type": "enter_flow", "flow": {"name": "other"}}),
        "node 1",
        "lost",
        f"it goes on in the flow 'other': import that one, and make this a `jump` to it{GOES_ON}",
    ),
    (
        "rapidpro",
        goflow({"type": "send_email"}),
        "node 1",
        "lost",
        "mails are not sent from here; it is left out",
    ),
    *(
        (
            "rapidpro",
            goflow(action),
            "node 1",
            "changed",
            f"{name} is set for this call, and in its results; no contact is kept",
        )
        for name, action in (
            ("name", {"type": "set_contact_name", "name": "Ann"}),
            ("age", {"type": "set_contact_field", "field": {"key": "age"}, "value": "7"}),
        )
    ),
    *(
        ("rapidpro", goflow(action), "node 1", "changed", "groups and labels are tags of the call here")
        for action in (
            {"type": "add_contact_groups", "groups": [{"name": "a"}]},
            {"type": "add_input_labels", "labels": [{"name": "a"}]},
        )
    ),
    (
        "rapidpro",
        goflow({"type": "say_msg", "text": "A {{ brace"}),
        "node 1",
        "lost",
        "a text looks like Liquid here: This is not a Liquid template: expected '}}', found end of file.",
    ),
    (
        "rapidpro",
        goflow({"type": "say_msg", "text": "@(rand_between(1, 10))"}),
        "node 1",
        "lost",
        "the expression '@(rand_between(1, 10))' is not worked out here and left out",
    ),
    *(
        ("rapidpro", goflow(router=switch(operand="@(1 + 1)")), "node 1", "lost", sentence)
        for sentence in (
            "the expression '@(1 + 1)' is not worked out here",
            f"what it splits on is not known here{GOES_ON}",
        )
    ),
    (
        "rapidpro",
        goflow(router=switch(("has_pattern", ["a+", "b"]))),
        "node 1",
        "lost",
        "the test has_pattern of 'a+, b' is not known here and left out",
    ),
    (
        "rapidpro",
        goflow(router=switch(wait={"type": "msg"})),
        "node 1",
        "changed",
        "it waited for a message, and takes keys, up to # or 3 seconds without one",
    ),
    (
        "rapidpro",
        {
            "type": "voice",
            "nodes": [
                {
                    "uuid": "a",
                    "actions": [{"type": "say_msg", "text": "Your age?"}],
                    "exits": [{"uuid": "e", "destination_uuid": "b"}],
                },
                {
                    "uuid": "b",
                    "router": switch(wait={"type": "msg", "hint": {"type": "digits"}}),
                    "exits": [{"uuid": "f"}],
                },
            ],
        },
        "node 2",
        "changed",
        "the prompt of 'node 1' is its question now, which keys stop",
    ),
]


@pytest.mark.parametrize(("source", "exported", "node", "severity", "message"), NOTES)
def test_a_note(source: str, exported: Any, node: str | None, severity: str, message: str) -> None:
    notes = [(each.severity, each.node, each.message) for each in import_flow(source, exported).notes]
    assert (severity, node, message) in notes


def noting_lines() -> Iterator[tuple[str, int]]:
    """Where an importer gives a note: file, and each line of the call."""
    for file in Path(next(iter(importing.__path__))).glob("*.py"):
        for each in ast.walk(ast.parse(file.read_text())):
            function = each.func if isinstance(each, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr in ("lost", "changed", "add_missing"):
                yield file.name, function.lineno


def test_every_note_that_an_importer_gives_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    given: set[tuple[str, int]] = set()
    note = Drawing._note

    def watched(drawing: Drawing, *args: Any) -> None:
        frame = sys._getframe(1)
        while frame is not None and "importing" in frame.f_code.co_filename:
            given.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
            assert frame.f_back is not None
            frame = frame.f_back
        note(drawing, *args)

    monkeypatch.setattr(Drawing, "_note", watched)
    for source, exported, *_ in NOTES:
        import_flow(source, exported)
    wanted = set(noting_lines())
    assert len(wanted) > 30, "they have to be found at all"
    assert sorted(wanted - given) == []
