"""`outdial suppression`: numbers that are not called."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from outdial.api.number_file import NumberFileSummary, numbers_in, read_number_file
from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_json, print_rows
from outdial.cli.problems import CommandFailed
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.suppression import SuppressionType, read_type, read_value
from outdial.storage import suppressions
from outdial.storage.database import Database
from outdial.storage.suppressions import SERVER, NewSuppression, Suppression, SuppressionFilter
from outdial.supervisor import exit_codes
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Numbers that are not called: add, list, import, remove."
)

_COLUMNS = {"id": "id", "receiver": "receiver", "iso": "iso", "type": "type", "value": "value"}
_AT_ONCE = 5_000
_MOST_LISTED = 1_000

Number = Annotated[str, typer.Argument(help="With country code.", show_default=False)]
Type = Annotated[str, typer.Option("--type", help="all, tag, sender or service.")]
Value = Annotated[str, typer.Option(help="The campaign's name, the bridge, or voice.")]
Server = Annotated[bool, typer.Option("--server", help="The list that holds for every account.")]


def _owner(conn: sa.Connection, server: bool) -> int:
    return SERVER if server else default_account(conn).id


@app.command()
def add(
    number: Number,
    type_: Type = "all",
    value: Value = "",
    server: Server = False,
    as_json: JsonOption = False,
) -> None:
    """Do not call a number any more."""
    parsed = PhoneNumber.parse(number)
    kind = read_type(type_)
    new = NewSuppression(receiver=parsed.digits, iso=parsed.iso, type=kind, value=read_value(kind, value))

    def insert(conn: sa.Connection) -> tuple[Suppression, bool]:
        return suppressions.add(conn, _owner(conn, server), new, source="cli", now=wall_clock_ms())

    async def work(database: Database) -> tuple[Suppression, bool]:
        return await database.run(insert)

    row, is_new = with_database(work)
    if as_json:
        print_json(_shown(row))
    else:
        console().print(f"{row.receiver} is {'' if is_new else 'already '}suppressed.")


@app.command("list")
def list_(
    number: Annotated[str | None, typer.Option(help="This number only.")] = None,
    server: Server = False,
    as_json: JsonOption = False,
) -> None:
    """List the newest thousand."""
    wanted = SuppressionFilter(receiver=None if number is None else PhoneNumber.parse(number).digits)

    def read(conn: sa.Connection) -> list[Suppression]:
        return suppressions.find(conn, _owner(conn, server), wanted, limit=_MOST_LISTED)[0]

    async def work(database: Database) -> list[Suppression]:
        return await database.run(read)

    rows = [_shown(row) for row in with_database(work)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="Nobody is suppressed: `outdial suppression add NUMBER`.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="txt, csv, xls or xlsx.", show_default=False)],
    type_: Type = "all",
    value: Value = "",
    server: Server = False,
    as_json: JsonOption = False,
) -> None:
    """Suppress all numbers of a file; what cannot be used is reported by row."""
    kind = read_type(type_)
    default = read_value(kind, value)

    async def work(database: Database) -> tuple[NumberFileSummary, int]:
        owner = await database.run(_owner, server)
        with TemporaryDirectory() as folder:
            out = Path(folder) / "numbers"
            try:
                summary = await read_number_file(file, out, name=file.name, kind=kind, value=default)
            except OSError as error:
                raise CommandFailed(f"{file} cannot be read: {error.strerror}.", exit_codes.USAGE) from None
            imported = 0
            for chunk in await asyncio.to_thread(list, numbers_in(out, _AT_ONCE)):
                new = [
                    NewSuppression(receiver=digits, iso=iso, type=SuppressionType(kind), value=value)
                    for digits, iso, kind, value in chunk
                ]
                imported += await database.run(
                    suppressions.add_many, owner, new, source="import", now=wall_clock_ms()
                )
        return summary, imported

    summary, imported = with_database(work)
    if as_json:
        print_json(
            {
                "rows": summary.rows,
                "imported": imported,
                "duplicates": summary.usable - imported,
                "invalid": summary.invalid,
                "problems": summary.problems,
            }
        )
        return
    for problem in summary.problems:
        console().print(f"row {problem['row']}: {problem['message']}", soft_wrap=True)
    duplicates = summary.usable - imported
    console().print(f"{imported} imported, {duplicates} duplicates, {summary.invalid} invalid.")


@app.command()
def remove(
    suppression_id: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")],
    server: Server = False,
    as_json: JsonOption = False,
) -> None:
    """Lift a suppression: the number is called again."""

    def delete(conn: sa.Connection) -> bool:
        return suppressions.delete(conn, _owner(conn, server), suppression_id)

    async def work(database: Database) -> bool:
        return await database.run(delete)

    if not with_database(work):
        raise CommandFailed(f"There is no suppression {suppression_id}; `outdial suppression list`.")
    if as_json:
        print_json({"id": suppression_id, "removed": True})
    else:
        console().print(f"The suppression {suppression_id} is lifted.")


@app.command()
def check(
    number: Number,
    bridge: Annotated[str, typer.Option(help="The number that would call.")] = "",
    tag: Annotated[str, typer.Option(help="The campaign's name.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell whether a number may be called."""
    digits = PhoneNumber.parse(number).digits
    sender = PhoneNumber.parse(bridge).digits if bridge else ""

    def look(conn: sa.Connection) -> Suppression | None:
        return suppressions.blocking(conn, default_account(conn).id, digits, bridge=sender, tag=tag)

    async def work(database: Database) -> Suppression | None:
        return await database.run(look)

    row = with_database(work)
    if as_json:
        print_json(
            {"number": digits, "suppressed": row is not None, "by": None if row is None else _shown(row)}
        )
    elif row is None:
        console().print(f"{digits} may be called.")
    else:
        whose = "the server's" if row.owner == SERVER else "the account's"
        about = f" {row.value}" if row.value else ""
        console().print(f"{digits} is not called: {whose} suppression {row.id} ({row.type}{about}).")


def _shown(row: Suppression) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_COLUMNS, "source", "created_at")}
