"""Which country the first digits of a number belong to."""

from dataclasses import dataclass

import phonenumbers

from outdial.domain.number_origin import country_name
from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidInput, InvalidPhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """What is known of a prefix; empty where it belongs to no single country."""

    iso: str | None
    """ISO 3166 alpha-2."""
    name: str
    """In English."""
    calling_code: str


def country_of_prefix(prefix: str) -> Country:
    """Return the country of a prefix; of a calling code that several share, the main one."""
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[:length]))
        if regions is not None and len(prefix) >= length:
            iso = regions[0]
            if iso == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
                break
            return Country(iso=iso, name=country_name(iso), calling_code=prefix[:length])
    return Country(iso=None, name="", calling_code="")


def check_country(number: PhoneNumber, iso: str) -> None:
    """Compare a number with the country that it is said to be of, in ISO 3166 alpha-2.

    A number without its country code may look like one of another country. Raises InvalidPhoneNumber, and
    InvalidInput for what is no country.
    """
    code = phonenumbers.country_code_for_region(iso.upper())
    if not code:
        raise InvalidInput(f"iso should be the two letters of a country, as in IN, not {iso[:40]!r}.")
    if not number.digits.startswith(str(code)):
        raise InvalidPhoneNumber(
            f"{number.digits} does not begin with {code}, the country code of {iso.upper()}: write it with"
            f" its country code, as in {code}…"
        )
