"""What can be spoken before the dial: words that nothing on the way changes."""

from typing import Any

from outdial.flow.definition import Library, parse_flow
from outdial.flow.foreseen import foreseen
from outdial.flow.speakable import Digits, Item, Sound, Text, Url


def items(nodes: dict[str, Any], variables: dict[str, Any] | None = None, **members: Any) -> set[Item]:
    document = {"schema_version": 1, "entry": next(iter(nodes)), "nodes": nodes, **members}
    return set(foreseen(Library.of(parse_flow(document)), variables or {}))


def play(prompt: Any) -> dict[str, Any]:
    return {"type": "play", "settings": {"prompt": prompt}}


def test_words_of_the_call_are_known_and_words_of_the_way_are_not() -> None:
    nodes = {
        "ask": {
            "type": "input",
            "settings": {"prompt": "Hello {{name}}.", "variable": "code", "min": 1, "max": 4},
            "exits": {},
        },
        "echo": play(["You entered {{code@digits}}.", "Or: {{code}}.", {"beep": True}]),
        "clip": play([{"url": "https://example.com/{{name}}.wav"}, {"sound": "s"}, "{{otp@digits}}"]),
    }
    assert items(nodes, {"name": "Ann", "otp": "4711"}) == {
        Text("Hello Ann.", "en", None),
        Text("You entered", "en", None),
        Url("https://example.com/Ann.wav"),
        Sound("s"),
        Digits("4711", "en", None),
    }


def test_what_the_moment_of_the_call_says_is_not_known_before() -> None:
    assert items({"p": play("It is {{start_at}}.")}, {"start_at": "2026-01-01 09:00:00"}) == set()


def test_every_language_that_may_be_chosen_on_the_way() -> None:
    prompt = {"by_language": {"en-US": "Hello", "de-DE": "Hallo"}}
    chooses = {"type": "set_variable", "settings": {"values": {"language": "de-DE"}}, "exits": {}}
    languages = ["en-US", "de-DE"]
    both = {Text("Hello", "en-US", None), Text("Hallo", "de-DE", None)}
    assert items({"p": play(prompt), "c": chooses}, languages=languages) == both
    assert items({"p": play(prompt)}, languages=languages) == {Text("Hello", "en-US", None)}
    chosen = items({"p": play("Tag")}, {"language": "de-DE"}, languages=languages)
    assert chosen == {Text("Tag", "de-DE", None)}


def test_menus_and_whispers_are_looked_into_too() -> None:
    nodes = {
        "m": {"type": "menu", "settings": {"prompt": "Press 1."}, "exits": {"1": "c"}},
        "c": {"type": "connect", "settings": {"to": "12025550100", "whisper": "A customer."}, "exits": {}},
    }
    assert {Text("Press 1.", "en", None), Text("A customer.", "en", None)} <= items(nodes)


def test_a_large_flow_is_bounded() -> None:
    nodes = {f"p{n}": play(f"Text number {n}.") for n in range(400)}
    assert len(items(nodes)) == 200
