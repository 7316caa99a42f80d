"""`outdial account`: the credit of accounts. What they are is in account_commands.py."""

from collections.abc import Callable
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from outdial.cli import account_commands
from outdial.cli.changes import operator
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, print_fields, print_json, print_rows, utc
from outdial.cli.problems import CommandFailed
from outdial.domain.money import parse_currency, parse_units, to_text
from outdial.errors import InvalidInput, NotFound
from outdial.storage import administration, credit, price_list
from outdial.storage.administration import the_account
from outdial.storage.credit import Credit, Entry, NotCovered
from outdial.storage.database import Database
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Add, list, change and close accounts; their credit."
)
for _name, _command in (
    ("add", account_commands.add),
    ("list", account_commands.list_),
    ("show", account_commands.show),
    ("set", account_commands.set_),
    ("close", account_commands.close),
):
    app.command(_name)(_command)

AccountOption = Annotated[int | None, typer.Option("--account", help="Id. Unset: the default account.")]
_COLUMNS = {
    "id": "id",
    "at": "at (UTC)",
    "kind": "kind",
    "amount": "amount",
    "reserved": "reserved",
    "balance": "balance",
    "call_id": "call",
    "attempt": "attempt",
    "note": "note",
}


@app.command("credit")
def credit_(
    amount: Annotated[str, typer.Argument(help="To add, as in 25; to take away write -- -5.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add credit to an account, or take it away."""
    units = parse_units(amount, "The amount")
    if units == 0:
        raise InvalidInput("The amount is 0: nothing would change.")

    def add(conn: sa.Connection) -> Credit:
        account_id = _id(conn, account)
        return price_list.add_credit(conn, operator(), account_id, units, note=note, now=wall_clock_ms())

    _show(_changed(add), as_json=as_json)


@app.command()
def terms(
    prepaid: Annotated[
        bool, typer.Option("--prepaid/--postpaid", help="Whether calls need credit in advance.")
    ],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose whether an account pays in advance, and in which currency."""
    values = {"prepaid": prepaid, "currency": parse_currency(currency)}

    def change(conn: sa.Connection) -> Credit:
        account_id = _id(conn, account)
        administration.change_account(conn, operator(), account_id, values, now=wall_clock_ms())
        return _get(conn, account_id)

    _show(_changed(change), as_json=as_json)


@app.command()
def balance(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show the credit of an account."""
    _show(_changed(lambda conn: _get(conn, _id(conn, account))), as_json=as_json)


@app.command()
def ledger(
    account: AccountOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Newest entries.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what changed the credit of an account, newest first."""

    def read(conn: sa.Connection) -> list[Entry]:
        return credit.entries(conn, _id(conn, account), limit=limit)

    async def work(database: Database) -> list[Entry]:
        return await database.run(read)

    rows = [_row(entry) for entry in with_database(work)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="Nothing has changed the balance yet.")


def _changed(change: Callable[[sa.Connection], Credit]) -> Credit:
    async def work(database: Database) -> Credit:
        return await database.run(change)

    try:
        return with_database(work)
    except NotCovered as error:
        raise CommandFailed(
            f"Only {to_text(error.credit.available)} {error.credit.currency} are available:"
            f" the balance is {to_text(error.credit.balance)}, calls have"
            f" {to_text(error.credit.reserved)} reserved."
        ) from error


def _id(conn: sa.Connection, account: int | None) -> int:
    return (default_account(conn) if account is None else the_account(conn, account)).id


def _get(conn: sa.Connection, account_id: int) -> Credit:
    found = credit.get(conn, account_id)
    if found is None:
        raise NotFound(f"There is no account {account_id}.")
    return found


def _show(account: Credit, *, as_json: bool) -> None:
    row = {
        "balance": to_text(account.balance),
        "reserved": to_text(account.reserved),
        "available": to_text(account.available),
        "currency": account.currency,
        "prepaid": account.prepaid,
    }
    if as_json:
        print_json(row)
    else:
        print_fields(row)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": utc(entry.at),
        "kind": entry.kind.value,
        "amount": to_text(entry.amount),
        "reserved": to_text(entry.reserved),
        "balance": to_text(entry.balance_after),
        "call_id": entry.call_id,
        "attempt": entry.attempt,
        "note": entry.note,
    }
