"""Prices as people write them: the parameters of one, or a CSV file of many."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from outdial.api.errors import ApiError, invalid
from outdial.api.fields import Fields
from outdial.domain.country import country_of_prefix
from outdial.domain.money import parse_currency, parse_units
from outdial.domain.rating import LONGEST_PREFIX, Rate
from outdial.errors import InvalidInput
from outdial.storage.rates import NewCardRow

RATE_FILE_BYTES = 10 * 1024 * 1024
_MOST_ROWS = 100_000
_MOST_PROBLEMS = 100
_COLUMNS = (
    "prefix",
    "sale_price",
    "first_pulse",
    "next_price",
    "next_pulse",
    "connection_fee",
    "currency",
    "account_id",
    "active",
)
_NEEDED = frozenset({"prefix", "sale_price"})
_LARGEST_ID = 10**18 - 1
_LONGEST_PULSE_S = 86_400


def read_rate(form: Mapping[str, Any]) -> NewCardRow:
    """Return the price that the parameters mean. Raises ApiError 422."""
    fields = Fields(form)
    fields.text("prefix", required=True, check=_prefix)
    fields.text("sale_price", required=True, check=lambda text: _price(text, "sale_price"))
    fields.whole("first_pulse", 1, _LONGEST_PULSE_S)
    fields.text("next_price", check=lambda text: _price(text, "next_price"))
    fields.whole("next_pulse", 1, _LONGEST_PULSE_S)
    fields.text("connection_fee", check=lambda text: _price(text, "connection_fee"))
    fields.text("currency", check=parse_currency)
    fields.whole("account_id", 1, _LARGEST_ID)
    fields.flag("active")
    values = fields.done()
    first_pulse_s = values.get("first_pulse", 60)
    country = country_of_prefix(values["prefix"])
    return NewCardRow(
        rate=Rate(
            prefix=values["prefix"],
            first_pulse_s=first_pulse_s,
            next_pulse_s=values.get("next_pulse", first_pulse_s),
            first_price=values["sale_price"],
            next_price=values.get("next_price", values["sale_price"]),
            connection_fee=values.get("connection_fee", 0),
        ),
        currency=values.get("currency", "USD"),
        account_id=values.get("account_id"),
        iso=country.iso,
        country_name=country.name,
        calling_code=country.calling_code,
        active=values.get("active", True),
    )


def _prefix(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_PREFIX):
        raise InvalidInput(f"prefix should be 1 to {LONGEST_PREFIX} digits, such as 91, not {text[:40]!r}.")
    return digits


def _price(text: str, name: str) -> int:
    units = parse_units(text, name)
    if units < 0:
        raise InvalidInput(f"{name} should not be negative.")
    return units


def read_rate_file(file: Path) -> list[NewCardRow]:
    """Return all prices of a CSV file, whose first row names the columns.

    Raises ApiError 422 with a sentence for each row that is wrong, the first hundred of them.
    """
    rows: list[NewCardRow] = []
    seen: dict[tuple[int | None, str, str], int] = {}
    problems: list[str] = []
    try:
        for number, values in _lines(file):
            try:
                row = read_rate(values)
            except ApiError as error:
                problems += [f"Row {number}: {each}" for every in error.errors.values() for each in every]
                continue
            this = (row.account_id, row.currency, row.rate.prefix)
            if this in seen:
                before = seen[this]
                problems.append(f"Row {number}: the prefix {row.rate.prefix} stands in row {before} already.")
            seen.setdefault(this, number)
            rows.append(row)
    except InvalidInput as error:
        problems.append(str(error))
    except csv.Error as error:
        problems.append(f"The file is not CSV: {error}.")
    except UnicodeDecodeError:
        problems.append("The file is not text in UTF-8; save it as CSV in UTF-8.")
    if not rows and not problems:
        problems.append("The file has no prices: a row with the names of columns, then a row for each.")
    if problems:
        raise invalid({"file": problems[:_MOST_PROBLEMS]})
    return rows


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not empty, with their numbers; of each, the columns that are not empty."""
    with file.open(encoding="utf-8-sig", newline="") as content:
        head = content.readline()
        content.seek(0)
        separator = max(",;\t", key=head.count)
        reader = csv.reader(content, delimiter=separator, strict=True)
        names = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in names if name not in _COLUMNS]
        if unknown or not names or not set(names) >= _NEEDED or len(set(names)) < len(names):
            what = f"; {unknown[0][:40]!r} is none of them" if unknown else ""
            raise InvalidInput(
                "The first row should name the columns, each once: prefix and sale_price, and if you like"
                f" {', '.join(name for name in _COLUMNS if name not in _NEEDED)}{what}."
            )
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                if len(cells) > len(names):
                    raise InvalidInput(f"Row {number} has {len(cells)} cells for {len(names)} columns.")
                if number > _MOST_ROWS + 1:
                    raise InvalidInput(f"The file has more than {_MOST_ROWS:,} rows; send it in parts.")
                yield number, {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
