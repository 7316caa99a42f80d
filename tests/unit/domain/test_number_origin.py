"""Provider and place of a number, against the tables' own look-up."""

import sys

import phonenumbers
import pytest

from outdial.domain.country import country_of_prefix
from outdial.domain.number_origin import NOWHERE, Origin, country_name, origin_of


@pytest.mark.parametrize(
    ("digits", "origin"),
    [
        ("918867135000", Origin("Tata Docomo", "India")),
        ("493012345678", Origin(None, "Berlin")),
        ("12025550100", Origin(None, "Washington D.C.")),
        ("5491123456789", Origin(None, "Buenos Aires")),  # the 9 before the area code is a mobile's
        ("33612345678", Origin("SFR", "France")),
        ("882161234567", NOWHERE),  # a satellite
        ("", NOWHERE),  # a number that was forgotten
        ("0", NOWHERE),
    ],
)
def test_where_numbers_come_from(digits: str, origin: Origin) -> None:
    assert origin_of(digits) == origin


def test_the_tables_are_let_go_again() -> None:
    origin_of("12025550100")
    assert not [name for name in sys.modules if name.startswith("phonenumbers.geodata")]
    assert not hasattr(phonenumbers, "geodata")


def test_every_place_is_the_one_that_the_library_finds() -> None:
    from phonenumbers import geocoder
    from phonenumbers.geodata import GEOCODE_DATA

    compared = 0
    for prefix in list(GEOCODE_DATA)[::997]:
        for tail in ("2345", "23456", "234567"):
            number = phonenumbers.parse(f"+{prefix}{tail}", None)
            if phonenumbers.is_valid_number(number):
                expected = geocoder.description_for_valid_number(number, "en") or None
                assert origin_of(f"{prefix}{tail}").region == expected, prefix
                compared += 1
    assert compared > 100


def test_names_of_countries() -> None:
    assert country_name("IN") == "India"
    assert country_name("XX") == ""
    assert country_of_prefix("4930").name == "Germany"
