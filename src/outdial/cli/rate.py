"""`outdial rate`: what calls cost, by the beginning of the number."""

from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from outdial.api.errors import ApiError
from outdial.api.rate_request import read_rate_file
from outdial.cli.changes import change, operator
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.domain.country import country_of_prefix
from outdial.domain.money import parse_currency, parse_units, to_text
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.rating import LONGEST_PREFIX, Rate
from outdial.errors import InvalidInput, NotFound
from outdial.storage import credit, price_list, rates
from outdial.storage.administration import the_account
from outdial.storage.database import Database
from outdial.storage.rates import CardRow, NewCardRow
from outdial.supervisor import exit_codes
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List, set, import, remove and try prices."
)

_MOST = 100_000
_COLUMNS = {
    "id": "id",
    "prefix": "prefix",
    "country_name": "country",
    "price": "price",
    "first_pulse": "for (s)",
    "next_price": "then",
    "next_pulse": "for (s)",
    "connection_fee": "fee",
    "currency": "currency",
    "account": "account",
}


@app.command("set")
def set_(
    prefix: Annotated[str, typer.Argument(help="First digits of the numbers that it is for.")],
    price: Annotated[str, typer.Argument(help="For each pulse, as in 0.5.")],
    pulse: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds of the first pulse.")] = 60,
    next_pulse: Annotated[
        int | None, typer.Option(min=1, max=86_400, help="Seconds of each further pulse. Unset: the same.")
    ] = None,
    next_price: Annotated[str | None, typer.Option(help="For each further pulse. Unset: the same.")] = None,
    fee: Annotated[str, typer.Option(help="For the connection, once.")] = "0",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    account: Annotated[
        int | None, typer.Option(help="Id of the account whose own price it is. Unset: everybody's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set the price of calls to all numbers that begin with PREFIX and with no longer prefix that is set."""
    digits = prefix.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_PREFIX):
        raise InvalidInput(f"A prefix is 1 to {LONGEST_PREFIX} digits, such as 91, not {prefix[:40]!r}.")
    first_price = _price(price, "The price")
    rate = Rate(
        prefix=digits,
        first_pulse_s=pulse,
        next_pulse_s=next_pulse or pulse,
        first_price=first_price,
        next_price=first_price if next_price is None else _price(next_price, "The next price"),
        connection_fee=_price(fee, "The fee"),
    )
    country = country_of_prefix(digits)
    row = NewCardRow(
        rate=rate,
        currency=parse_currency(currency),
        account_id=account,
        iso=country.iso,
        country_name=country.name,
        calling_code=country.calling_code,
    )

    def put(conn: sa.Connection) -> None:
        if account is not None:
            the_account(conn, account)
        rates.put(conn, [row], now=wall_clock_ms())

    async def work(database: Database) -> None:
        await database.run(put)

    with_database(work)
    if as_json:
        print_json({"prefix": digits, "price": to_text(first_price), "currency": row.currency})
    else:
        console().print(f"Calls to {digits}… cost {to_text(first_price)} {row.currency} for {pulse} s.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, its first row names the columns.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Set the prices of a file, all of them or none: prefix, sale_price and, if you like, first_pulse,
    next_price, next_pulse, connection_fee, currency, account_id and active.
    """
    try:
        rows = read_rate_file(file)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.", exit_codes.USAGE) from None
    except ApiError as error:
        raise InvalidInput("\n".join(each for texts in error.errors.values() for each in texts)) from None
    change(price_list.import_rates, operator(), rows, now=wall_clock_ms())
    if as_json:
        print_json({"rows": len(rows)})
    else:
        console().print(f"{len(rows)} prices are set.")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all prices."""

    async def work(database: Database) -> list[CardRow]:
        return await database.read(rates.find, limit=_MOST, every=True)

    rows = [_row(each) for each in with_database(work)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no prices yet: `outdial rate set PREFIX PRICE`.")


@app.command()
def remove(
    rate_id: Annotated[int, typer.Argument(metavar="ID", help="As `outdial rate list` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Remove a price; calls that were accepted at it are still charged by it."""

    async def work(database: Database) -> bool:
        return await database.run(rates.delete, rate_id)

    if not with_database(work):
        raise CommandFailed(f"There is no price {rate_id}; `outdial rate list` shows all of them.")
    if as_json:
        print_json({"id": rate_id, "removed": True})
    else:
        console().print(f"Price {rate_id} is removed.")


@app.command()
def quote(
    number: Annotated[str, typer.Argument(help="With country code.")],
    seconds: Annotated[float, typer.Argument(min=0, max=86_400, help="Of talk.")],
    account: Annotated[
        int | None, typer.Option(help="Id of the account that calls. Unset: the default account.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what an answered call would cost."""
    digits = PhoneNumber.parse(number).digits

    def read(conn: sa.Connection) -> tuple[Rate | None, str]:
        account_id = (default_account(conn) if account is None else the_account(conn, account)).id
        terms = credit.get(conn, account_id)
        if terms is None:
            raise NotFound(f"There is no account {account_id}.")
        found = rates.match_all(conn, account_id, terms.currency, [digits])
        return found.get(digits), terms.currency

    async def work(database: Database) -> tuple[Rate | None, str]:
        return await database.run(read)

    rate, currency = with_database(work)
    if rate is None:
        raise CommandFailed(f"No price is set for {digits}: a prepaid account cannot call it.")
    charge = rate.charge(int(seconds * 1000))
    if as_json:
        print_json({"number": digits, "prefix": rate.prefix, "charge": to_text(charge), "currency": currency})
    else:
        console().print(f"{to_text(charge)} {currency}, by the prefix {rate.prefix}.")


def _price(text: str, what: str) -> int:
    units = parse_units(text, what)
    if units < 0:
        raise InvalidInput(f"{what} should not be negative.")
    return units


def _row(row: CardRow) -> dict[str, Any]:
    rate = row.rate
    return {
        "id": row.id,
        "prefix": rate.prefix,
        "country_name": row.country_name,
        "price": to_text(rate.first_price),
        "first_pulse": rate.first_pulse_s,
        "next_price": to_text(rate.next_price),
        "next_pulse": rate.next_pulse_s,
        "connection_fee": to_text(rate.connection_fee),
        "currency": row.currency,
        "account": row.account_id,
        "active": row.active,
    }
