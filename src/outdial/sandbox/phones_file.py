"""Further phones from a TOML file: one table for each number, one key for each field of the script.

::

    [phones.12025550150]
    description = "presses its PIN, then hangs up"
    like = "12025550101"        # starts from a phone that exists; a normal phone without it
    digits = "4711#"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

from outdial.errors import ConfigurationError
from outdial.rtp.telephone_event import DIGITS
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS, phone_of
from outdial.sandbox.phone import Phone

_FIELDS = {field.name: field for field in fields(Phone) if field.name != "number"}


def load_phones(path: Path | None) -> dict[str, Phone]:
    """The built-in phones, and those of the file ``path``, which may replace them.

    Raises :class:`ConfigurationError` naming the file, the table and the key.
    """
    phones = dict(MAGIC_NUMBERS)
    if path is None:
        return phones
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    tables = data.pop("phones", {})
    if data or not isinstance(tables, Mapping):
        raise ConfigurationError(f"{path}: has tables named [phones.<number>] and nothing else")
    for number, table in tables.items():
        phones[number] = _read_phone(number, table, phones, f"{path}: [phones.{number}]")
    return phones


def _read_phone(number: str, table: object, phones: dict[str, Phone], place: str) -> Phone:
    if not (number.isascii() and number.isdigit()):
        raise ConfigurationError(f"{place}: the number must be digits with country code, without a plus sign")
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{place}: must be a table")
    values = dict(table)
    model = values.pop("like", number)
    if model != number and (not isinstance(model, str) or model not in phones):
        raise ConfigurationError(f"{place} like: there is no phone {model!r} to start from")
    script: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _FIELDS:
            raise ConfigurationError(
                f"{place} {key}: is unknown; a phone has {', '.join(['like', *_FIELDS])}"
            )
        script[key] = _read_value(_FIELDS[key], value, f"{place} {key}")
    return replace(phone_of(model, phones), number=number, **script)


def _read_value(field: Field[Any], value: object, place: str) -> object:
    """Check one value against what the field's ``metadata`` allows, and give it the field's type.

    ``"never"`` unsets a time or code that the phone would have otherwise.
    """
    metadata, optional = field.metadata, "None" in str(field.type)
    if optional and value == "never":
        return None
    if field.name == "digits":
        if isinstance(value, str) and all(digit in DIGITS for digit in value):
            return value
        raise ConfigurationError(f"{place}: must be keys of {DIGITS}, not {value!r}")
    if field.name == "codecs":
        if isinstance(value, list) and value and all(name in metadata["choices"] for name in value):
            return tuple(value)
        raise ConfigurationError(f"{place}: must be a list of {_listed(metadata)}, not {value!r}")
    if "choices" in metadata:
        if value in metadata["choices"] and not isinstance(value, bool):
            return next(choice for choice in metadata["choices"] if choice == value)
        raise ConfigurationError(f"{place}: must be one of {_listed(metadata)}, not {value!r}")
    if "minimum" in metadata:
        return _read_number(field, value, place, optional=optional)
    wanted = bool if isinstance(field.default, bool) else str
    if isinstance(value, wanted) and str(value).isprintable():
        return value
    raise ConfigurationError(
        f"{place}: must be {'true or false' if wanted is bool else 'a text of one line'}, not {value!r}"
    )


def _read_number(field: Field[Any], value: object, place: str, *, optional: bool) -> int | float:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    whole = "float" not in str(field.type)
    if (
        isinstance(value, int if whole else int | float)
        and not isinstance(value, bool)
        and low <= value <= high
    ):
        return value
    kind = "a whole number" if whole else "a number"
    never = ', or "never"' if optional else ""
    raise ConfigurationError(f"{place}: must be {kind} from {low} to {high}{never}, not {value!r}")


def _listed(metadata: Mapping[str, Any]) -> str:
    return ", ".join(str(choice) or '""' for choice in metadata["choices"])
