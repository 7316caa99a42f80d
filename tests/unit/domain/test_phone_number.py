"""Numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidPhoneNumber


@pytest.mark.parametrize(
    ("text", "digits", "iso"),
    [
        ("+91 88671-35000", "918867135000", "IN"),
        ("918867135000", "918867135000", "IN"),
        ("0091 88671 35000", "918867135000", "IN"),
        ("12025550100", "12025550100", "US"),
        ("+1 (202) 555-0199", "12025550199", "US"),
        ("+1.416.555.0123", "14165550123", "CA"),
        ("+44\u00a020\u20117946 0958", "442079460958", "GB"),
        ("+800 1234 5678", "80012345678", None),
        ("\u202a+4915112345678\u202c", "4915112345678", "DE"),
        # the zero of the way at home, which must not be dialled from abroad
        ("+44 (0)20 7946 0958", "442079460958", "GB"),
        ("+49 (0) 30 901820", "4930901820", "DE"),
        ("+91 08867135000", "918867135000", "IN"),
        ("+1 1 202 555 0109", "12025550109", "US"),
        # in Italy it is a part of the number
        ("+39 06 9876 5432", "390698765432", "IT"),
        # the mobile token at home, and the one from abroad
        ("+54 11 15 2345 6789", "5491123456789", "AR"),
        # what a spreadsheet makes of a column with empty cells
        ("918867135000.0", "918867135000", "IN"),
        # a shared code whose range belongs to no region that we know: the code's main country
        ("10005550100", "10005550100", "US"),
    ],
)
def test_readable_numbers(text: str, digits: str, iso: str | None) -> None:
    assert PhoneNumber.parse(text) == PhoneNumber(digits, iso)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is needed"),
        ("+", "is needed"),
        (" - ", "is needed"),
        ("91886713XXXX", "no letters"),
        ("٩١٨٨٦٧١٣٥٠٠٠", "no letters"),
        ("091886713500", "with its country code"),
        ("2101234567890", "code of any country"),
        ("1", "impossible length"),
        ("15550100", "too short"),
        ("1202555", "too short"),
        ("120255501001", "too long"),
        ("9188671350001234567890", "impossible length"),
        ("722222222222", "impossible length for a number of country code 7"),
        ("9" * 400, "impossible length"),
        ("4930", "too short"),
        ("8881234", "too short"),
        ("5002", "impossible length"),
    ],
)
def test_unusable_numbers_say_why(text: str, words: str) -> None:
    with pytest.raises(InvalidPhoneNumber, match=words) as raised:
        PhoneNumber.parse(text)
    assert len(str(raised.value)) < 200


@given(st.text(max_size=30) | st.text(alphabet="+0123456789 -()", max_size=24))
def test_nothing_else_is_raised_and_what_is_read_reads_the_same_again(text: str) -> None:
    try:
        number = PhoneNumber.parse(text)
    except InvalidPhoneNumber:
        return
    assert number.digits.isascii()
    assert number.digits.isdigit()
    assert PhoneNumber.parse("+" + number.digits) == number
