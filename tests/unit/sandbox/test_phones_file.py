"""The TOML file of further phones: what it can say, and what its errors name."""

import contextlib
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outdial.errors import ConfigurationError
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS, OWN_NUMBER, PREFIX, phone_of
from outdial.sandbox.phone import DigitsBy, Phone, Voice
from outdial.sandbox.phones_file import load_phones

NUMBER = "12025550150"


@pytest.fixture
def load(tmp_path):
    def run(text: str) -> dict[str, Phone]:
        path = tmp_path / "phones.toml"
        path.write_text(text)
        return load_phones(path)

    return run


def test_without_a_file_there_are_the_magic_numbers():
    assert load_phones(None) == MAGIC_NUMBERS


def test_magic_numbers_are_numbers_for_fiction_and_leave_our_own_free():
    assert all(number.startswith(PREFIX) and len(number) == 11 for number in MAGIC_NUMBERS)
    assert OWN_NUMBER not in MAGIC_NUMBERS
    assert all(number == phone.number and phone.description for number, phone in MAGIC_NUMBERS.items())


def test_any_other_number_answers_and_listens():
    phone = phone_of("4930123456", MAGIC_NUMBERS)
    assert replace(phone, number="") == replace(MAGIC_NUMBERS["12025550100"], number="")


def test_a_phone_is_read(load):
    phone = load(
        f"""
        [phones.{NUMBER}]
        description = "in a hurry"
        ring_after_s = "never"
        answer_after_s = 1
        codecs = ["PCMA", "G722"]
        voice = "silence"
        digits = "*9#D"
        digits_by = "info"
        behind_nat = true
        challenge = 407
        hang_up_after_s = 2.5
        """
    )[NUMBER]
    assert phone == Phone(
        number=NUMBER,
        description="in a hurry",
        ring_after_s=None,
        answer_after_s=1,
        codecs=("PCMA", "G722"),
        voice=Voice.SILENCE,
        digits="*9#D",
        digits_by=DigitsBy.INFO,
        behind_nat=True,
        challenge=407,
        hang_up_after_s=2.5,
    )
    assert isinstance(phone.voice, Voice)


def test_a_phone_may_start_from_another(load):
    phones = load(
        f"""
        [phones.{NUMBER}]
        like = "12025550101"
        digits = "1"
        [phones.12025550151]
        like = "{NUMBER}"
        """
    )
    assert phones[NUMBER] == replace(MAGIC_NUMBERS["12025550101"], number=NUMBER, digits="1")
    assert phones["12025550151"] == replace(phones[NUMBER], number="12025550151")


def test_a_built_in_phone_may_be_changed_in_place(load):
    phone = load("[phones.12025550102]\nretry_after_s = 3\n")["12025550102"]
    assert phone == replace(MAGIC_NUMBERS["12025550102"], retry_after_s=3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("answer = ", "is not TOML"),
        ("[phone]\n", r"has tables named \[phones.<number>\] and nothing else"),
        ("phones = 3\n", "nothing else"),
        ("[phones.alice]\n", r"\[phones.alice\]: the number must be digits"),
        ("[phones]\n12025550150 = 3\n", r"\[phones.12025550150\]: must be a table"),
        ('[phones.12025550150]\nlike = "1"\n', r"\[phones.12025550150\] like: there is no phone '1'"),
        ("[phones.12025550150]\nlike = []\n", "like: there is no phone"),
        (
            "[phones.12025550150]\nrings = 1\n",
            r"\[phones.12025550150\] rings: is unknown; a phone has like, description",
        ),
        (
            '[phones.12025550150]\nanswer_after_s = "soon"\n',
            "answer_after_s: must be a number from 0 to 86400, or \"never\", not 'soon'",
        ),
        ("[phones.12025550150]\nanswer_after_s = -1\n", "answer_after_s: must be a number from 0"),
        ("[phones.12025550150]\nanswer_after_s = nan\n", "answer_after_s: must be a number from 0"),
        (
            "[phones.12025550150]\nptime_ms = 20.5\n",
            "ptime_ms: must be a whole number from 10 to 60, not 20.5",
        ),
        ('[phones.12025550150]\nptime_ms = "never"\n', "ptime_ms: must be a whole number"),
        ("[phones.12025550150]\ncode = 200\n", "code: must be a whole number from 300 to 699"),
        ("[phones.12025550150]\ncode = true\n", "code: must be a whole number from 300 to 699"),
        ('[phones.12025550150]\ncodecs = ["OPUS"]\n', "codecs: must be a list of PCMU, PCMA, G722, G729"),
        ("[phones.12025550150]\ncodecs = []\n", "codecs: must be a list"),
        (
            '[phones.12025550150]\nvoice = "loud"\n',
            "voice: must be one of murmur, silence, echo, nothing, not 'loud'",
        ),
        ("[phones.12025550150]\nchallenge = 403\n", "challenge: must be one of 401, 407"),
        ('[phones.12025550150]\ndigits = "12x"\n', "digits: must be keys of"),
        ("[phones.12025550150]\nstale = 1\n", "stale: must be true or false, not 1"),
        (
            '[phones.12025550150]\nredirect_to = "sip:a\\r\\nVia: b"\n',
            "redirect_to: must be a text of one line",
        ),
        ("[phones.12025550150]\ndescription = 1\n", "description: must be a text of one line, not 1"),
        ('[phones.12025550150]\nnumber = "1"\n', "number: is unknown"),
    ],
)
def test_errors_name_table_and_key(text, sentence, load):
    with pytest.raises(ConfigurationError, match=sentence) as refusal:
        load(text)
    assert "phones.toml: " in str(refusal.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.toml: cannot be read: No such file"):
        load_phones(tmp_path / "missing.toml")


VALUES = (
    st.integers(-5, 1_000).map(str)
    | st.floats(allow_infinity=True).map(repr)
    | st.booleans().map(lambda value: str(value).lower())
    | st.sampled_from(
        ['"never"', '"PCMU"', '["PCMU"]', '["PCMU", 3]', "[]", '""', '"12"', "{a = 1}", "1979-05-27"]
    )
)
KEYS = st.sampled_from([field.name for field in fields(Phone)] + ["like", "other"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_table_is_read_or_refused(load, table):
    text = f"[phones.{NUMBER}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
    with contextlib.suppress(ConfigurationError):
        assert load(text)[NUMBER].number == NUMBER
