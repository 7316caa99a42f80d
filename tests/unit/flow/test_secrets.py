"""A secret stays one wherever a flow copies it to: nothing that is kept of a run has it."""

import json

import pytest

from outdial.flow.actions import HttpRequest, SendEvent
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import resume, start
from outdial.flow.events import ConnectAnswered, ConnectEnded, HttpAnswered, HttpFailed
from outdial.flow.lint import lint
from outdial.flow.report import report

SECRET = "471108"
BYE = {"type": "hang_up"}


def a_flow(*steps, variables=None):
    """Steps one after the other, by their exit ``next``, each under the name of its type and position."""
    names = [f"{step['type']}{position}" for position, step in enumerate(steps)]
    nodes = {}
    for name, following, step in zip(names, [*names[1:], "bye"], steps, strict=True):
        exits = dict.fromkeys(step.pop("exits", ["next"]), following)
        nodes[name] = {**step, "exits": exits}
    declared = {"pin": {"masked": True}, **(variables or {})}
    return {
        "schema_version": 1,
        "entry": names[0],
        "variables": declared,
        "nodes": {**nodes, "bye": BYE},
    }


def setting(**values):
    return {"type": "set_variable", "settings": {"values": values}}


def tagging(*tags):
    return {"type": "tag", "settings": {"tags": list(tags)}}


def run(definition, **variables):
    library = Library.of(parse_flow(definition))
    return library, start(library, {"pin": SECRET, **variables})


def kept(turn):
    """All that is kept of a run, as one text."""
    events = [each.data for each in turn.actions if isinstance(each, SendEvent)]
    return json.dumps([report(turn.state).to_json(), events])


@pytest.mark.parametrize(
    "value",
    [
        "{{pin}}",
        "It is {{pin}}!",
        "{{pin|slice:0,3}}",
        "{% if pin == '1' %}right{% else %}wrong{% endif %}",
        "{% assign it = pin %}{{it}}",
        ["a", "{{pin}}"],
        {"deep": [{"down": "{{pin}}"}]},
        "{{ [which] }}",
    ],
)
def test_a_variable_made_of_a_secret_is_one(value):
    _, turn = run(a_flow(setting(copy=value, other="{{to}}")), which="pin", to="12025550100")
    assert report(turn.state).variables == {"copy": "****", "other": "12025550100"}
    assert turn.state.variables["copy"] not in (None, "", "****"), "the flow itself goes on with the value"


def test_a_copy_of_a_copy_is_a_secret_too():
    _, turn = run(a_flow(setting(a="{{pin}}"), setting(b="{{a}}"), setting(c="{{b}}"), tagging("{{c}}")))
    assert report(turn.state).variables == dict.fromkeys("abc", "****")
    assert SECRET not in kept(turn)


def test_all_values_of_a_step_are_worked_out_before_one_becomes_a_secret():
    _, turn = run(a_flow(setting(a="{{pin}}", b="{{a}}")), a="plain")
    assert report(turn.state).variables == {"a": "****", "b": "plain"}


def test_who_is_called_by_a_secret_name_is_one():
    name = {"type": "set_variable", "settings": {"values": {"who": "{{caller.name}}", "what": "{{name}}"}}}
    definition = a_flow(name, variables={"name": {"masked": True}})
    _, turn = run(definition, name="Asha", caller={"name": "Asha", "country": "IN"})
    assert report(turn.state).variables == {"who": "****", "what": "****"}


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (tagging("pin {{pin}}", "{{to}}"), '"tags": ["pin ****", "12025550100"]'),
        ({"type": "hang_up", "settings": {"result": "pin {{pin}}"}}, '"result": "pin ****"'),
        (
            {"type": "send_event", "settings": {"name": "entered", "data": {"it": ["{{pin}}", "{{to}}"]}}},
            '{"it": ["****", "12025550100"]}',
        ),
        (tagging("{{caller.name}} of {{caller.country}}"), '"tags": ["**** of IN"]'),
    ],
)
def test_records_have_a_mask_in_the_place_of_a_secret(step, shown):
    definition = a_flow({**step, "exits": []}, variables={"name": {"masked": True}})
    caller = {"name": SECRET, "country": "IN"}
    _, turn = run(definition, to="12025550100", name=SECRET, caller=caller)
    assert shown in kept(turn)
    assert SECRET not in kept(turn)


def asking(save, **settings):
    return {
        "type": "http_request",
        "settings": {"url": "https://shop.example/pin", "save": save, **settings},
        "exits": ["ok", "failed"],
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "POST", "json": {"pin": "{{pin}}"}},
        {"method": "POST", "form": {"pin": "{{pin}}"}},
        {"method": "POST", "body": "{{pin}}"},
        {"headers": {"X-Pin": "{{pin}}"}},
        {"url": "https://shop.example/{{pin}}"},
    ],
)
def test_a_secret_that_a_server_gives_back_is_one(settings):
    save = {"all": "$", "same": "pin", "longer": "sentence", "list": "list", "name": "name", "n": "number"}
    library, turn = run(a_flow(asking(save, **settings), tagging("{{same}} {{name}}")))
    (request,) = (each for each in turn.actions if isinstance(each, HttpRequest))
    answer = {
        "pin": SECRET,
        "sentence": f"You sent {SECRET}.",
        "list": [{"pin": SECRET}],
        "name": "Asha",
        "number": int(SECRET),
    }
    turn = resume(library, turn.state, HttpAnswered(1_000, request.request_id, 200, json.dumps(answer)))
    masked = dict.fromkeys(("all", "same", "longer", "list", "n"), "****")
    assert report(turn.state).variables == {**masked, "name": "Asha"}
    assert report(turn.state).tags == ("**** Asha",)


@pytest.mark.parametrize(
    ("answer", "given_back"),
    [
        ({"a": [], "b": None, "cvv": [True, "1234567"]}, False),
        ({"a": [0, 7.0]}, True),
        ({"a": {"471108": None}}, True),
    ],
)
def test_a_secret_may_be_a_list_and_is_each_value_in_it(answer, given_back):
    variables = {"pin": {"type": "list", "masked": True}}
    library, turn = run(
        a_flow(asking({"all": "$"}, body="{{pin}}"), variables=variables), pin=[SECRET, {"cvv": 7}]
    )
    (request,) = (each for each in turn.actions if isinstance(each, HttpRequest))
    turn = resume(library, turn.state, HttpAnswered(1_000, request.request_id, 200, json.dumps(answer)))
    assert report(turn.state).variables == {"all": "****" if given_back else answer}


def test_what_a_server_answers_that_did_not_get_the_secret_is_none():
    library, turn = run(a_flow(asking({"same": "pin"})))
    (request,) = (each for each in turn.actions if isinstance(each, HttpRequest))
    turn = resume(library, turn.state, HttpAnswered(1_000, request.request_id, 200, f'{{"pin": "{SECRET}"}}'))
    assert report(turn.state).variables == {"same": SECRET}


def test_a_short_secret_is_not_found_in_what_only_has_its_figures_in_it():
    library, turn = run(a_flow(asking({"n": "n", "same": "same"}, body="{{pin}}")), pin="12")
    (request,) = (each for each in turn.actions if isinstance(each, HttpRequest))
    answer = '{"n": "A 512", "same": 12}'
    turn = resume(library, turn.state, HttpAnswered(1_000, request.request_id, 200, answer))
    assert report(turn.state).variables == {"n": "A 512", "same": "****"}


def test_a_problem_does_not_tell_the_secret():
    library, turn = run(a_flow(asking({}, url="https://{{pin}}.example/")))
    (request,) = (each for each in turn.actions if isinstance(each, HttpRequest))
    failed = HttpFailed(1_000, request.request_id, "unreachable", f"{SECRET}.example cannot be found.")
    assert report(resume(library, turn.state, failed).state).problems == (
        "http_request0: ****.example cannot be found.",
    )


def test_the_number_of_a_secret_agent_is_a_secret():
    connect = {"type": "connect", "settings": {"to": ["{{pin}}"]}, "exits": ["answered", "failed"]}
    library, turn = run(a_flow(connect))
    turn = resume(library, turn.state, ConnectAnswered(1_000, "connect0/1/connect", SECRET))
    assert report(turn.state).variables == {"agent": "****"}
    turn = resume(library, turn.state, ConnectEnded(9_000, "connect0/1/connect", "answered", SECRET, 8_000))
    assert report(turn.state).variables == {"agent": "****", "agent_seconds": 8.0}


def found(definition):
    return [
        (each.severity, each.code, each.node, each.field, each.message)
        for each in lint(definition)
        if each.code.endswith("secret")
    ]


def test_lint_tells_of_copies_and_is_content_with_those_that_are_declared():
    definition = a_flow(setting(a="{{pin}}"), setting(b="{{a}}", c="{{to}}"))
    sentence = "makes {0} of the secret {1}, so {0} is masked, too; declare it masked"
    assert found(definition) == [
        ("warning", "copied_secret", "set_variable0", "values", sentence.format("a", "pin")),
        ("warning", "copied_secret", "set_variable1", "values", sentence.format("b", "a")),
    ]
    definition["variables"] |= {"a": {"masked": True}, "b": {"masked": True}}
    assert found(definition) == []
    masked = a_flow(setting(a="{{pin}}"), setting(b="{{a}}"))
    for node in ("set_variable0", "set_variable1"):
        masked["nodes"][node]["settings"]["masked"] = True
    assert found(masked) == []


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (tagging("{{pin}}"), "tags"),
        ({"type": "hang_up", "settings": {"result": "{{pin}}"}}, "result"),
        ({"type": "send_event", "settings": {"name": "e", "data": {"it": ["{{pin}}"]}}}, "data"),
    ],
)
def test_lint_tells_where_a_mask_will_stand(step, field):
    definition = a_flow({**step, "exits": []})
    node = definition["entry"]
    sentence = "speaks of the secret pin; **** is kept in its place"
    assert found(definition) == [("warning", "recorded_secret", node, field, sentence)]


@pytest.mark.parametrize(
    ("step", "field", "kept_as"),
    [
        (
            {"type": "switch", "settings": {"value": "{{pin}}"}, "exits": ["1", "default"]},
            "value",
            "the exit that is taken",
        ),
        (
            {"type": "opt_out", "settings": {"from": "tag", "value": "{{pin}}"}},
            "value",
            "the tag or service of the unsubscriber",
        ),
    ],
)
def test_lint_tells_where_a_secret_cannot_be_masked(step, field, kept_as):
    definition = a_flow(step)
    sentence = f"tells the secret pin: {kept_as} is kept as it is"
    assert found(definition) == [("warning", "told_secret", definition["entry"], field, sentence)]


def test_lint_tells_of_an_agent_who_is_called_by_a_secret_number():
    connect = {"type": "connect", "settings": {"to": ["{{pin}}"]}, "exits": ["answered", "failed"]}
    sentence = "makes agent of the secret pin, so agent is masked, too; declare it masked"
    assert found(a_flow(connect)) == [("warning", "copied_secret", "connect0", "to", sentence)]


def test_lint_knows_the_secrets_that_callees_enter():
    enter = {
        "type": "input",
        "settings": {"prompt": "Your card.", "variable": "card", "masked": True},
        "exits": ["next", "invalid", "timeout"],
    }
    definition = a_flow(enter, tagging("{{card}}"))
    assert [(code, node) for _, code, node, *_ in found(definition)] == [("recorded_secret", "tag1")]
