"""Each rule of lint finds what it is for, with node and field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.flow.known_voices import KnownVoices
from outdial.flow.lint import lint

BYE = {"type": "hang_up"}


def found(nodes, **more):
    definition: dict[str, Any] = {"schema_version": 1, "entry": next(iter(nodes)), "nodes": nodes}
    definition |= {key: more.pop(key) for key in ("languages", "variables") if key in more}
    return [(each.severity, each.code, each.node, each.field) for each in lint(definition, **more)]


def play(prompt, to="bye"):
    return {"type": "play", "settings": {"prompt": prompt}, "exits": {"next": to}}


def menu(prompt, *keys):
    exits = dict.fromkeys((*keys, "invalid", "timeout"), "bye")
    return {"type": "menu", "settings": {"prompt": prompt}, "exits": exits}


@pytest.mark.parametrize(
    ("nodes", "more", "finding"),
    [
        ({"a": {"type": "play"}}, {}, ("error", "invalid", "a", "prompt")),
        ({"a": {**play("Hi."), "exits": {}}}, {}, ("warning", "dead_end", "a", "exits.next")),
        ({"a": play("Hi."), "bye": BYE, "c": BYE}, {}, ("warning", "unreachable", "c", None)),
        ({"a": play("Hi.", "a")}, {}, ("error", "endless_loop", "a", None)),
        (
            {"a": play("{{nobody}}"), "bye": BYE},
            {},
            ("warning", "unknown_variable", "a", "prompt"),
        ),
        ({"a": menu("Press 3.", "1"), "bye": BYE}, {}, ("error", "no_such_key", "a", "prompt")),
        (
            {"a": play({"by_language": {"en": "Hi."}}), "bye": BYE},
            {"languages": ["en", "hi"]},
            ("error", "missing_language", "a", "prompt"),
        ),
        (
            {"a": play({"sound": "s-1"}), "bye": BYE},
            {"has_sound": lambda sound: sound != "s-1"},
            ("error", "missing_sound", "a", "prompt"),
        ),
        (
            {"a": {"type": "jump", "settings": {"flow": 7}, "exits": {"returned": None, "failed": None}}},
            {"has_flow": lambda flow: flow != "7"},
            ("error", "missing_flow", "a", "flow"),
        ),
    ],
)
def test_a_rule_finds_what_it_is_for(nodes, more, finding):
    assert finding in found(nodes, **more)


VOICES = KnownVoices(frozenset({"pico:en-US", "pico:de-DE"}), frozenset({"en-US", "de-DE"}))


def unspoken(prompt, **head):
    nodes = {"a": play(prompt), "bye": BYE}
    flow = {"schema_version": 1, "entry": "a", "nodes": nodes, **head}
    assert [each for each in lint(flow) if each.code == "missing_voice"] == [], (
        "without voices: not looked at"
    )
    return [
        (each.severity, each.node, each.field, each.message)
        for each in lint(flow, voices=VOICES)
        if each.code == "missing_voice"
    ]


@pytest.mark.parametrize(
    ("prompt", "head", "sentence"),
    [
        (
            {"text": "Hi.", "voice": "pico:en-UK"},
            {},
            "there is no voice 'pico:en-UK' here; did you mean 'pico:en-US'?",
        ),
        ("Hi.", {"voice": "alloy"}, "there is no voice 'alloy' here; there are pico:de-DE, pico:en-US"),
        (
            {"text": "नमस्ते।", "language": "hi-IN"},
            {},
            "no voice here speaks hi-IN; texts are spoken in de-DE, en-US",
        ),
        (
            {"by_language": {"en": "Hi.", "hi": ["नमस्ते।", "जी।"]}},
            {"languages": ["en", "hi"]},
            "no voice here speaks hi; texts are spoken in de-DE, en-US",
        ),
        (
            {"by_language": {"en": "Hi.", "de": "Tag."}},
            {"languages": ["en", "de"], "voices": {"de": "anna"}},
            "there is no voice 'anna' here; there are pico:de-DE, pico:en-US",
        ),
        (
            "{{otp@digits}}",
            {"languages": ["hi"]},
            "no voice here speaks hi; texts are spoken in de-DE, en-US",
        ),
    ],
)
def test_a_text_that_no_voice_here_can_speak_is_an_error_of_its_node(prompt, head, sentence):
    assert unspoken(prompt, **head) == [("error", "a", "prompt", sentence)]


@pytest.mark.parametrize(
    ("prompt", "head"),
    [
        ({"text": "Hi.", "voice": "pico:en-US"}, {}),
        ("Cheers.", {"languages": ["en-GB"]}),
        ({"text": "Tag.", "language": "de"}, {"voice": "pico:en-US"}),
        ({"by_language": {"en": "Hi.", "hi": {"sound": "s-1"}}}, {"languages": ["en", "hi"]}),
        ({"by_language": {"en": "Hi.", "hi": "जी।"}}, {"languages": ["en"]}),
        ("{{greeting@sound}}.", {"languages": ["hi"]}),
        ({"pause": 1}, {"languages": ["hi"], "voice": "alloy"}),
    ],
)
def test_what_a_voice_here_speaks_or_nobody_has_to_is_none(prompt, head):
    assert unspoken(prompt, **head) == []


WORDS = KnownVoices(
    frozenset({"pico:en-US", "recorded:en"}),
    frozenset({"en-US"}),
    {"recorded:en": frozenset({"one", "two", "dollars", "and", "a"})},
)


def unrecorded(prompt, **head):
    nodes = {"a": play(prompt), "bye": BYE}
    flow = {"schema_version": 1, "entry": "a", "nodes": nodes, "variables": {"n": {}, "m": {}}, **head}
    return [
        (each.severity, each.code, each.node, each.field, each.message) for each in lint(flow, voices=WORDS)
    ]


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("Hello, you owe one and two.", "'hello', 'you', 'owe'"),
        ("One {{n@digits}} TWO three.", "'three'"),
        ("{% if n %}one{% else %}none{% endif %} two", "'none'"),
        ("{{n@number}}th", "'th'"),
        ("one - two", "'-'"),
        ("It is {{n@time}}.", "'it', 'is', times of day"),
        ("a b c d e f g h", "'b', 'c', 'd', 'e', 'f' …"),
    ],
)
def test_a_voice_of_recorded_words_has_to_have_all_of_a_text(text, lacks):
    sentence = f"the voice recorded:en has recorded words only, and not {lacks}"
    finding = ("error", "missing_word", "a", "prompt", sentence)
    assert unrecorded({"text": text, "voice": "recorded:en"}) == [finding]
    assert unrecorded(text, voice="recorded:en") == [finding]
    assert unrecorded({"by_language": {"en": text}}, voices={"en": "recorded:en"}) == [finding]


def test_what_a_voice_of_recorded_words_will_have_to_say_is_a_warning():
    sentence = "the voice recorded:en has recorded words only; what m, n will be has to be made of these"
    finding = ("warning", "missing_word", "a", "prompt", sentence)
    assert unrecorded({"text": "one {{n}} {{m|upcase}}, two", "voice": "recorded:en"}) == [finding]


@pytest.mark.parametrize(
    "prompt",
    [
        {"text": "One, two dollars and {{n@digits}}!", "voice": "recorded:en"},
        {
            "text": "{{n@digits}} - {{m@number}}. {{n@date}}; {{m@currency:EUR}} {{n@sound}}",
            "voice": "recorded:en",
        },
        {"text": "one and {{m@currency:EUR}} {% if n %}two{% endif %}", "voice": "recorded:en"},
        {"text": "Hello {{n}} at {{m@time}}.", "voice": "pico:en-US"},
        "Hello {{n}}.",
        {"sound": "s-1"},
    ],
)
def test_a_voice_of_recorded_words_says_its_words_and_what_a_grammar_makes_of_values(prompt):
    assert unrecorded(prompt) == []


def test_a_key_that_the_prompt_does_not_speak_of_is_a_warning():
    nodes = {"a": menu("Press the star key, or press 1.", "1", "*", "2"), "bye": BYE}
    assert found(nodes) == [("warning", "silent_key", "a", "prompt")]


@pytest.mark.parametrize(
    "prompt",
    [
        "To agree, press one; to talk, dial 2.",
        "Press 1 to agree, or push the number two.",
        "Para aceptar, pulse 1. Para hablar, marque la tecla dos.",
        "Oprima el número uno o presione 2.",
        "Drücken Sie die 1 oder drücken Sie die Taste 2.",
        "Drücken Sie zwei, um zu sprechen, und drücken Sie eins.",
        "Pour accepter, appuyez sur la touche 1. Pour parler, tapez 2.",
        "Per accettare, prema 1. Per parlare, premi il tasto 2.",
        "Para aceitar, tecle 1. Para falar, digite o número 2.",
        "सहमत होने के लिए 1 दबाएँ। बात करने के लिए दो दबाएं।",
    ],
)
def test_keys_are_heard_in_several_languages_and_as_words(prompt):
    assert found({"a": menu(prompt, "1", "2"), "bye": BYE}) == []
    assert ("error", "no_such_key", "a", "prompt") in found({"a": menu(prompt, "1"), "bye": BYE})


@pytest.mark.parametrize(
    "prompt", ["Press one of the keys.", "Dial 12025550100.", "Press any key.", "The press wrote 7 times."]
)
def test_what_only_looks_like_a_key_is_none(prompt):
    assert found({"a": menu(prompt, "5"), "bye": BYE}) == []


def test_a_key_that_one_language_forgets_is_named_with_the_language():
    prompt = {"by_language": {"en": "Press 1, or press 2.", "es": "Pulse 1."}}
    nodes = {"a": menu(prompt, "1", "2"), "bye": BYE}
    definition = {
        "schema_version": 1,
        "entry": "a",
        "nodes": nodes,
        "languages": ["en", "es"],
    }
    (finding,) = lint(definition)
    assert finding.code == "silent_key"
    assert finding.message == "does not speak of the key 2 in es, which does something"


def test_every_variable_that_calls_have_is_known():
    prompt = "{{mobile|slice:-4}} {{to}} {{caller.country}} {{account.timezone}}"
    assert found({"a": play(prompt), "bye": BYE}) == []


def test_a_sound_flow_has_no_findings():
    nodes = {"a": menu("To agree, press 1.", "1"), "bye": BYE}
    assert found(nodes) == []


def branch(variable, yes="bye", no="bye"):
    condition = {"variable": variable, "is": "equal", "value": "1"}
    return {"type": "branch", "settings": {"condition": condition}, "exits": {"yes": yes, "no": no}}


def set_variable(name, value):
    return {"type": "set_variable", "settings": {"values": {name: value}}, "exits": {"next": "bye"}}


@pytest.mark.parametrize(
    ("node", "field"),
    [
        (branch("nobody"), "condition"),
        (branch("nobody.name"), "condition"),
        (set_variable("x", "{{nobody}}"), "values"),
        (play("{{nobody@digits}}"), "prompt"),
        (play(["Hi.", {"by_language": {"en": "{{nobody}}"}}]), "prompt"),
    ],
)
def test_a_variable_is_unknown_wherever_it_stands(node, field):
    assert found({"a": node, "bye": BYE}) == [("warning", "unknown_variable", "a", field)]


@pytest.mark.parametrize(
    ("nodes", "more"),
    [
        ({"a": branch("caller.country")}, {}),
        ({"a": branch("x")}, {"variables": {"x": {"default": ""}}}),
        ({"a": {**set_variable("x", "1"), "exits": {"next": "b"}}, "b": play("{{x}}")}, {}),
        (
            {
                "a": {
                    "type": "input",
                    "settings": {"prompt": "Your code.", "variable": "x"},
                    "exits": {"next": "b", "invalid": "bye", "timeout": "bye"},
                },
                "b": branch("x"),
            },
            {},
        ),
        (
            {
                "a": {
                    "type": "connect",
                    "settings": {"to": "12025550100", "variable": "x"},
                    "exits": dict.fromkeys(("answered", "busy", "no_answer", "failed"), "b"),
                },
                "b": branch("x_seconds"),
            },
            {},
        ),
        (
            {
                "a": {"type": "jump", "settings": {"flow": 7}, "exits": {"returned": "b", "failed": "bye"}},
                "b": play("{{set_there}}"),
            },
            {},
        ),
    ],
)
def test_a_variable_is_known_that_calls_the_flow_or_another_flow_bring(nodes, more):
    assert found({**nodes, "bye": BYE}, **more) == []


def test_a_confirmation_speaks_of_its_keys():
    exits = dict.fromkeys(("accepted", "rejected", "timeout", "invalid"), "bye")
    nodes = {"a": {"type": "confirm", "settings": {"prompt": "Press 3, or press 1."}, "exits": exits}}
    codes = [code for _, code, *_ in found({**nodes, "bye": BYE})]
    assert codes.count("no_such_key") == 1
    assert codes.count("silent_key") == 1


def test_a_sound_is_looked_for_in_every_language_unless_its_name_is_not_known_yet():
    prompt = {"by_language": {"en": {"sound": "s-1"}, "hi": [{"sound": "s-2"}, {"sound": "{{to}}"}]}}
    missing = ("error", "missing_sound", "a", "prompt")
    more = {"languages": ["en", "hi"], "has_sound": lambda sound: sound == "s-1"}
    assert found({"a": play(prompt), "bye": BYE}, **more) == [missing]


def test_a_circle_ends_at_an_exit_that_leads_to_the_end_or_nowhere():
    assert found({"a": branch("to", "a", "bye"), "bye": BYE}) == []
    assert found({"a": branch("to", "b", "b"), "b": branch("to", "a", None)}) == []
    exits = {"1": None, "invalid": "a", "timeout": "a"}
    one_key = {"type": "menu", "settings": {"prompt": "Press 1."}, "exits": exits}
    assert found({"a": one_key}) == []


def test_a_circle_of_several_nodes_is_endless_where_it_can_be_reached():
    circle = {"b": play("Hi.", "c"), "c": play("Hi.", "b")}
    endless = [("error", "endless_loop", name, None) for name in "bc"]
    assert found({"a": play("Hi.", "b"), **circle}) == endless
    unreachable = [("warning", "unreachable", name, None) for name in "bc"]
    assert found({"a": BYE, **circle}) == unreachable


@pytest.mark.parametrize(
    ("prompt", "languages", "warned"),
    [
        ("Hello {{to}}.", ["en-US", "es-ES"], True),
        (["Hello.", {"by_language": {"en-US": "Hi.", "es-ES": "Hola."}}], ["en-US", "es-ES"], True),
        ({"by_language": {"en-US": "Hi.", "es-ES": ["Hola.", {"pause": 1}]}}, ["en-US", "es-ES"], False),
        ({"text": "Para español, pulse 2.", "language": "es-ES"}, ["en-US", "es-ES"], False),
        ("{{to@digits}}, {{caller.name}}: 24 / 7", ["en-US", "es-ES"], False),
        ({"sound": "s-1"}, ["en-US", "es-ES"], False),
        ("Hello.", ["en-US", "en-GB"], False),
        ("Hello.", ["en-US"], False),
    ],
)
def test_words_that_are_the_same_in_all_languages_are_a_warning(prompt, languages, warned):
    warning = ("warning", "same_in_all_languages", "a", "prompt")
    expected = [warning] if warned else []
    assert found({"a": play(prompt), "bye": BYE}, languages=languages) == expected


def split(**exits):
    return {"type": "random_split", "settings": {"weights": {"a": 1, "b": 2, "never": 0}}, "exits": exits}


def test_a_weight_without_an_exit_ends_the_call():
    assert found({"a": split(a="bye"), "bye": BYE}) == [("warning", "dead_end", "a", "exits.b")]
    assert found({"a": split(a="bye", b=None, never="bye"), "bye": BYE}) == []
    assert found({"a": split(a="a")}) == [("warning", "dead_end", "a", "exits.b")], (
        "so this circle has an end"
    )
    assert found({"a": split(a="a", b="a")}) == [("error", "endless_loop", "a", None)]


def test_errors_come_first():
    nodes = {"a": play("{{nobody}}", "b"), "b": play("Hi.", "b")}
    assert [severity for severity, *_ in found(nodes)] == ["error", "warning"]


@given(st.lists(st.lists(st.integers(0, 5) | st.none(), min_size=2, max_size=2), min_size=6, max_size=6))
def test_endless_circles_are_those_that_a_walk_from_each_node_finds(edges):
    nodes = {
        f"n{number}": {
            "type": "branch",
            "settings": {"condition": {"variable": "to", "is": "equal", "value": "1"}},
            "exits": {
                name: None if target is None else f"n{target}"
                for name, target in zip(("yes", "no"), targets, strict=True)
            },
        }
        for number, targets in enumerate(edges)
    }

    def reached(starts):
        seen, ahead = set(), list(starts)
        while ahead:
            if (number := ahead.pop()) not in seen:
                seen.add(number)
                ahead += [each for each in edges[number] if each is not None]
        return seen

    def endless(number):
        onward = reached(each for each in edges[number] if each is not None)
        return number in onward and all(None not in edges[each] for each in onward)

    expected = {f"n{number}" for number in reached([0]) if endless(number)}
    assert {node for _, code, node, _ in found(nodes) if code == "endless_loop"} == expected
