"""Prompts as people read them who do not hear them."""

import pytest

from outdial.errors import InvalidInput
from outdial.flow.problem import Place
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.spoken import about_ms, as_read

VARIABLES = {
    "day": "2026-03-05",
    "due": "12.5",
    "otp": "4711",
    "clip": "s-1",
    "n": ".5",
    "tiny": "1e-99999999999999999999",
}


def rendered(prompt, language="en"):
    def text(source):
        try:
            return source.render(VARIABLES)
        except InvalidInput as error:
            raise AssertionError(error) from None

    return PROMPT.read(prompt, Place([], None, "prompt")).render(text, language, None)


@pytest.mark.parametrize(
    ("prompt", "language", "line"),
    [
        ("Come on {{day@date}}. Bye.", "en-GB", "Come on March fifth twenty twenty six. Bye."),
        ("Pay {{due@currency:EUR}}, please.", "en", "Pay twelve euros and fifty cents, please."),
        ("{{due@currency:EUR}}!", "de", "zwölf Euro und fünfzig Cent"),
        ("Le {{day@date}}, pour {{due@currency:EUR}}.", "fr", "Le 2026-03-05, pour 12.5 EUR"),
        ("Pay {{tiny@currency:EUR}} now.", "en", "Pay 1e-99999999999999999999 now."),
        ("It is {{otp@digits}}. Bye.", "en", "It is 4 7 1 1. Bye."),
        (["{{clip@sound}}", ".", {"pause": 1}, "Half: {{n@number}}"], "en", "<sound s-1> Half: .5"),
        ("On {{none@date}}. Bye.", "en", "On. Bye."),
    ],
)
def test_what_is_said_is_read_on_one_line(prompt, language, line):
    assert as_read(rendered(prompt, language)) == line


def test_a_date_takes_as_long_as_its_words():
    assert about_ms(rendered("{{day@date}}")) > about_ms(rendered("{{otp@digits}}")) * 2
