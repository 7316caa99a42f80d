"""Liquid: what the family documents, and nothing that costs time, room or secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import InvalidInput
from outdial.templates import template

VARIABLES = {
    "to": "918867135000",
    "mobile": "918867135000",
    "start_at": "2019-08-16 15:09:05",
    "unixtime": 1_565_968_145,
    "caller": {"name": "ann"},
    "n": 7,
    "pad": "  x ",
    "none": None,
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{to}}", "918867135000"),
        ("{{caller.name|upcase}}", "ANN"),
        ("{{mobile|slice:-10}}", "8867135000"),
        ("{{mobile|slice:0,2}}{{mobile|slice:-99,2}}{{mobile|slice:2,-1}}", "9191"),
        ("{{start_at|date_format:'d/m/Y'}}", "16/08/2019"),
        ("{{start_at|date_format:'j.n.y G:i:s g a A \\d\\U U'}}", "16.8.19 15:09:05 3 pm PM dU 1565968145"),
        ("{{unixtime|date_format:'D, d M Y H:i'}}", "Fri, 16 Aug 2019 15:09"),
        ("{{to|date_format:'Y'}}|{{none|date_format:'Y'}}", "918867135000|"),
        ("{{'a'|append:'b'|prepend:'c'}}", "cab"),
        ("{{4.2|ceil}}{{4.8|floor}}{{4.56|round:1}}", "544.6"),
        ("{{none|default:'d'}}", "d"),
        ("{{n|divided_by:2}} {{n|times:3}} {{n|minus:1}} {{n|plus:1}} {{n|modulo:4}}", "3 21 6 8 3"),
        ("{{'A&B'|downcase|escape}}", "a&amp;b"),
        ("{{'a,b'|split:','|first}}{{'abc'|size}}", "a3"),
        ("[{{pad|lstrip}}][{{pad|rstrip}}][{{pad|strip}}]", "[x ][  x][x]"),
        ("{{'a b&c'|url_encode}}", "a+b%26c"),
        ("{% if n == 7 %}yes{% else %}no{% endif %}{% unless none %}!{% endunless %}", "yes!"),
        ("{% case n %}{% when 7 %}seven{% endcase %}{% comment %}x{% endcomment %}", "seven"),
        ("{% assign x = to | slice: 0, 2 %}{{ x }}", "91"),
        ("{{unknown}}{{caller.nothing.there}}", ""),
        ("plain { text } %}", "plain { text } %}"),
    ],
)
def test_what_the_family_documents(source: str, text: str) -> None:
    template.check(source)
    assert template.render(source, VARIABLES) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{to",
        "{% if %}",
        "{% for i in (1..9) %}{% endfor %}",
        "{% for i in caller %}{% endfor %}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% capture x %}{% endcapture %}",
        "{% tablerow i in to %}{% endtablerow %}",
        "{{ (1..999999999) | size }}",
        "{% if (1..999999999999) contains 0.5 %}{% endif %}",
        "{% assign r = ( 1 .. n ) %}",
        "{{ to | replace: '1', '2' }}",
        "{{ to | date: '%Y' }}",
        "{% if false %}{{ to | base64_decode }}{% endif %}",
        "{{ 'x' }}" * 2000,
        "{% if to %}" * 100,
    ],
)
def test_what_a_template_may_not_do_is_said_when_it_is_given(source: str) -> None:
    with pytest.raises(InvalidInput):
        template.check(source)


DOUBLED = "{% assign x = 'xxxxxxxx' %}" + "{% assign x = x | append: x %}" * 60
SQUARED = "{% assign x = 999999 %}" + "{% assign x = x | times: x %}" * 60


@pytest.mark.parametrize(
    "source",
    [
        DOUBLED,
        SQUARED,
        "{{ n | divided_by: 0 }}",
        "{{ n | modulo: 0 }}",
        "{{ to | slice: 'x' }}",
        "{{ '1e400' | times: 2 }}",
    ],
)
def test_what_grows_or_fails_is_stopped(source: str) -> None:
    template.check(source)
    with pytest.raises(InvalidInput):
        template.render(source, VARIABLES)


def test_the_output_is_bounded() -> None:
    source = "{% assign x = long | append: '' %}{{x}}{{x}}{{x}}"
    with pytest.raises(InvalidInput, match="limit"):
        template.render(source, {"long": "x" * 30_000})


def test_nothing_of_python_can_be_reached() -> None:
    for source in ("{{to.__class__}}", "{{caller.keys}}", "{{caller['__init__']}}", "{{caller.pop}}"):
        assert template.render(source, VARIABLES) == ""


WORDS = (
    "{{ }} {% %} | : .. ( ) ' to if endif case times slice round date_format assign = 9 - . [ ] caller size"
    " divided_by 1e999"
)
PIECES = st.sampled_from([*WORDS.split(), " "])


@given(st.lists(PIECES | st.text(max_size=3), max_size=20).map("".join))
def test_no_template_raises_anything_else(source: str) -> None:
    try:
        template.check(source)
        template.render(source, VARIABLES)
    except InvalidInput:
        pass
