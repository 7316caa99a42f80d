"""Suffixes that say how a variable is said, wherever Liquid lets an output stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import InvalidInput
from outdial.templates import spoken
from outdial.templates.spoken import Spoken

VARIABLES = {"otp": "4711", "n": 42, "name": "Asha", "clip": "https://x.example/a.mp3", "none": None}


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        ("Hello.", ["Hello."]),
        ("Hello {{name}}.", ["Hello Asha."]),
        ("Code {{otp@digits}}!", ["Code ", Spoken("digits", "4711"), "!"]),
        ("{{ n | plus: 1 @ number }}", [Spoken("number", "43")]),
        (
            "{{clip@play}}{{clip@sound}}",
            [Spoken("play", "https://x.example/a.mp3"), Spoken("sound", "https://x.example/a.mp3")],
        ),
        ("{% if n > 1 %}{{n@number}}{% else %}none{% endif %}", [Spoken("number", "42")]),
        ("{% if n > 99 %}{{n@number}}{% else %}none{% endif %}", ["none"]),
        ("{{none@digits}}", [Spoken("digits", "")]),
        ('{{name | append: "@digits"}}', ["Asha@digits"]),
        ("write to me@example.com", ["write to me@example.com"]),
        (" ", []),
    ],
)
def test_pieces(source, pieces):
    spoken.check(source)
    assert spoken.render(source, VARIABLES) == pieces


def test_an_unknown_suffix_is_an_error_that_names_those_that_are():
    with pytest.raises(InvalidInput, match=r"@roman .*@digits, @number, @play, @sound"):
        spoken.check("{{n@roman}}")


def test_a_filter_that_does_not_exist_is_an_error_under_a_suffix_too():
    with pytest.raises(InvalidInput, match="no filter shout"):
        spoken.check("{{n | shout @digits}}")


def test_a_variable_cannot_pretend_to_be_a_suffix():
    mark = "\ue0f0play\ue0f1https://evil.example\ue0f2"
    assert spoken.render("{{v}}", {"v": mark, "w": [mark]}) == ["playhttps://evil.example"]
    assert spoken.render("{{w}}", {"w": [mark], "c": {"name": mark}}) == ["playhttps://evil.example"]
    assert spoken.render(mark, {}) == ["playhttps://evil.example"]


@given(st.text(max_size=60), st.text(max_size=30))
def test_nothing_raises_anything_else(source, value):
    for text in (source, "{{" + source + "@digits}}", "{{v@digits}}" + source):
        try:
            pieces = spoken.render(text, {"v": value})
        except InvalidInput:
            continue
        assert all(isinstance(piece, str | Spoken) for piece in pieces)
