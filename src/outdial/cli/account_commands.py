"""`outdial account add|list|show|set|close`: the customers of this server."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from outdial.api.admin_accounts import read_account_request
from outdial.cli.changes import assignments, change, checked, operator
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_fields, print_json, print_rows, utc
from outdial.cli.problems import CommandFailed
from outdial.domain.money import to_text
from outdial.errors import InUse, NotFound
from outdial.storage import accounts, administration
from outdial.storage.accounts import Account
from outdial.storage.database import Database
from outdial.supervisor.parts import wall_clock_ms

_COLUMNS = {
    "id": "id",
    "name": "name",
    "time_zone": "time zone",
    "status": "status",
    "paused_at": "paused since",
    "balance": "balance",
    "currency": "in",
}
AccountId = Annotated[
    int, typer.Argument(metavar="ID", help="As `outdial account list` shows it.", show_default=False)
]


def add(
    name: Annotated[str, typer.Argument(help="For people.", show_default=False)],
    time_zone: Annotated[str, typer.Option(help="IANA name: its times are written in it.")] = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Add an account; make it a token with `outdial token create --account ID`."""
    values = checked(read_account_request, {"name": name, "time_zone": time_zone}, Account, is_new=True)
    added = change(administration.create_account, operator(), values, now=wall_clock_ms())
    _show(added, as_json=as_json, sentence=f"The account {added.id} ({name}) is added.")


def list_(as_json: JsonOption = False) -> None:
    """List all accounts, closed ones too."""

    async def work(database: Database) -> list[Account]:
        return await database.read(accounts.find_all)

    rows = [_row(each) for each in with_database(work)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no accounts yet: `outdial account add NAME` adds one.")


def show(account_id: AccountId, as_json: JsonOption = False) -> None:
    """Show everything about one account."""
    found = change(administration.the_account, account_id)
    _show(found, as_json=as_json)


def set_(
    account_id: AccountId,
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="name, time_zone, calls_per_second, max_concurrent, calling_window, paused, prepaid or"
            " currency, as in the API's `admin/accounts`; an empty limit is none.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Change an account: `outdial account set 2 max_concurrent=20 paused=1`."""
    wanted = checked(read_account_request, assignments(values), Account)
    changed = change(administration.change_account, operator(), account_id, wanted, now=wall_clock_ms())
    _show(changed, as_json=as_json, sentence=f"The account {account_id} is changed.")


def close(account_id: AccountId, as_json: JsonOption = False) -> None:
    """Close an account: its tokens end, its waiting calls are cancelled, its records stay."""

    async def work(database: Database) -> Account:
        return await administration.close_account(database, operator(), account_id, now=wall_clock_ms())

    try:
        closed = with_database(work)
    except (NotFound, InUse) as error:
        raise CommandFailed(str(error)) from None
    _show(closed, as_json=as_json, sentence=f"The account {account_id} is closed.")


def _show(account: Account, *, as_json: bool, sentence: str | None = None) -> None:
    if as_json:
        print_json(_row(account))
    elif sentence is not None:
        console().print(sentence, soft_wrap=True)
    else:
        print_fields(_row(account))


def _row(account: Account) -> dict[str, Any]:
    times = {name: utc(getattr(account, name)) for name in ("created_at", "closed_at", "paused_at")}
    return {
        **asdict(account),
        **times,
        "balance": to_text(account.balance),
        "reserved": to_text(account.reserved),
        "status": "open" if account.closed_at is None else "closed",
    }
