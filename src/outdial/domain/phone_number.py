"""Phone numbers as users write them, reduced to digits with country code (E.164 without the plus)."""

import re
from dataclasses import dataclass

import phonenumbers

from outdial.errors import InvalidPhoneNumber

_PUNCTUATION = str.maketrans(
    "", "", " \t\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013().\u200e\u200f\u202a\u202c"
)
_SPREADSHEETS_FRACTION = re.compile(r"([0-9]+)\.0")
"""A column of numbers with empty cells is written with a decimal: its zero is no digit to be dialled."""
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialled."""

    digits: str
    """With country code, no plus: `918867135000`."""
    iso: str | None
    """ISO 3166 alpha-2 country, None where the code belongs to no single country (satellite, freephone …)."""

    @classmethod
    def parse(cls, text: str) -> "PhoneNumber":
        """Read a number with country code; plus, spaces, dashes, dots, brackets and a leading 00 may occur.

        What is dialled only within its country, as the (0) of +44 (0)20 7946 0958, is left out: a number is
        the same digits however it is written, for the trunk and for the list of those that are not called.

        Checks that the length is possible for its country, not that the range is assigned: new ranges are
        dialled before any table knows them. Raises InvalidPhoneNumber with a sentence for the caller.
        """
        shown = repr(text[:_LONGEST_SHOWN])
        digits = text.strip()
        if fraction := _SPREADSHEETS_FRACTION.fullmatch(digits):
            digits = fraction[1]
        digits = digits.translate(_PUNCTUATION).removeprefix("+").removeprefix("00")
        if not digits:
            raise InvalidPhoneNumber(
                "A phone number is needed: digits with country code, such as 918867135000."
            )
        if not (digits.isascii() and digits.isdigit()):
            raise InvalidPhoneNumber(
                f"{shown} is not a phone number: write digits with country code, no letters."
            )
        if digits[0] == "0":
            raise InvalidPhoneNumber(
                f"{shown} starts with 0: write it with its country code, such as 918867135000."
            )
        return cls(*_international(digits, shown))


def _international(digits: str, shown: str) -> tuple[str, str | None]:
    """The digits to dial from abroad, and the country."""
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidPhoneNumber(f"{shown} does not start with the code of any country.") from error
        raise InvalidPhoneNumber(f"{shown} has an impossible length for a phone number.") from error
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.IS_POSSIBLE:
            found = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
            # One zero is left out at a time.
            return (digits, _region(number)) if found == digits else _international(found, shown)
        case phonenumbers.ValidationResult.TOO_SHORT | phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            # a local number needs its area code when it is dialled from abroad
            problem = "is too short"
        case phonenumbers.ValidationResult.TOO_LONG:
            problem = "is too long"
        case _:
            problem = "has an impossible length"
    raise InvalidPhoneNumber(f"{shown} {problem} for a number of country code {number.country_code}.")


def _region(number: phonenumbers.PhoneNumber) -> str | None:
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    # region_code_for_number tries every region's pattern, so ask it only where a code is shared
    region = regions[0] if len(regions) == 1 else phonenumbers.region_code_for_number(number) or regions[0]
    return None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region
