"""`outdial bridge`: our numbers, and the trunk that each goes out over."""

from dataclasses import asdict
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from outdial.api.admin_bridges import read_bridge_request
from outdial.cli.changes import assignments, change, checked, operator
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.domain.phone_number import PhoneNumber
from outdial.storage import administration, bridges, trunks
from outdial.storage.bridges import Bridge
from outdial.storage.database import Database
from outdial.storage.trunks import Trunk
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Add, list, change and remove our numbers."
)

_COLUMNS = {
    "number": "number",
    "trunk": "trunk",
    "further_trunks": "then",
    "display_name": "display name",
    "calls_per_second": "calls/s",
    "max_concurrent": "at once",
    "paused": "paused",
}
Number = Annotated[str, typer.Argument(help="With country code.", show_default=False)]


@app.command()
def add(
    number: Number,
    trunk: Annotated[str, typer.Option(help="Name of the trunk, as `outdial trunk list` shows it.")],
    further_trunk: Annotated[
        list[str] | None,
        typer.Option(help="Name of a trunk to go by when the first takes no call; again for the next one."),
    ] = None,
    display_name: Annotated[
        str, typer.Option(help="Sent with the number, where the trunk passes it on.")
    ] = "",
    account: Annotated[
        int | None, typer.Option(help="Id of the account that may call from it. Unset: the default account.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a number that calls can be made from."""
    digits = PhoneNumber.parse(number).digits

    def insert(conn: sa.Connection) -> dict[str, Any]:
        found, *further = (_trunk(conn, name) for name in (trunk, *(further_trunk or ())))
        if bridges.get_by_number(conn, digits) is not None:
            raise CommandFailed(f"There is a bridge {digits} already.")
        values = {
            "number": digits,
            "account_id": default_account(conn).id if account is None else account,
            "trunk_id": found.id,
            "further_trunk_ids": tuple(each.id for each in further),
            "display_name": display_name,
        }
        bridge = administration.create_bridge(conn, operator(), values, now=wall_clock_ms())
        return {"number": bridge.number, "trunk": trunk, "display_name": bridge.display_name}

    row = change(insert)
    if as_json:
        print_json(row)
    else:
        console().print(f"Calls from {digits} go out over the trunk {trunk}.")


@app.command("set")
def set_(
    number: Number,
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="account_id, trunk_id, further_trunk_ids, display_name, calls_per_second, max_concurrent or"
            " paused, as in the API's `admin/bridges`; an empty limit is none.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Change a number: `outdial bridge set 918068280000 max_concurrent=20 paused=1`."""
    digits = PhoneNumber.parse(number).digits
    wanted = checked(read_bridge_request, assignments(values), Bridge)

    def work(conn: sa.Connection) -> Bridge:
        return administration.change_bridge(
            conn, operator(), _existing(conn, digits).id, wanted, now=wall_clock_ms()
        )

    changed = change(work)
    if as_json:
        print_json(asdict(changed))
    else:
        console().print(f"The bridge {digits} is changed.")


def _trunk(conn: sa.Connection, name: str) -> Trunk:
    found = trunks.get_by_name(conn, name)
    if found is None:
        raise CommandFailed(f"There is no trunk {name!r}; `outdial trunk list` shows all of them.")
    return found


def _existing(conn: sa.Connection, digits: str) -> Bridge:
    found = bridges.get_by_number(conn, digits)
    if found is None:
        raise CommandFailed(f"There is no bridge {digits}; `outdial bridge list` shows all of them.")
    return found


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all numbers."""

    def read(conn: sa.Connection) -> list[dict[str, Any]]:
        names = {each.id: each.name for each in trunks.find_all(conn)}
        return [
            {
                **asdict(each),
                "trunk": names[each.trunk_id],
                "further_trunks": ", ".join(names[further] for further in each.further_trunk_ids),
                "paused": each.paused_at is not None,
            }
            for each in bridges.find_all(conn)
        ]

    async def work(database: Database) -> list[dict[str, Any]]:
        return await database.read(read)

    rows = with_database(work)
    if as_json:
        print_json(rows)
    else:
        print_rows(
            rows, _COLUMNS, empty="There are no bridges yet: `outdial bridge add NUMBER --trunk NAME`."
        )


@app.command()
def remove(number: Number, as_json: JsonOption = False) -> None:
    """Remove a number; calls that were accepted for it are still made."""
    digits = PhoneNumber.parse(number).digits

    def delete(conn: sa.Connection) -> None:
        bridge = _existing(conn, digits)
        administration.remove_bridge(conn, operator(), bridge.id, now=wall_clock_ms())

    change(delete)
    if as_json:
        print_json({"number": digits, "removed": True})
    else:
        console().print(f"The bridge {digits} is removed.")
