"""`outdial audit`: who changed what, when and from where."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, print_json, print_rows, utc
from outdial.storage import audit
from outdial.storage.audit import Entry
from outdial.storage.database import Database

app = typer.Typer(add_completion=False, help="Show who changed what, when and from where.")

_COLUMNS = {
    "at": "at (UTC)",
    "actor": "who",
    "address": "from",
    "action": "did",
    "what": "what",
    "after": "now",
}


@app.command()
def show(
    thing: Annotated[str | None, typer.Option(help="Only changes of: account, token, trunk, bridge.")] = None,
    thing_id: Annotated[
        str | None, typer.Option("--id", help="Only changes of the thing with this id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Newest changes.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who changed what, when and from where; secrets are not in the log."""

    async def work(database: Database) -> list[Entry]:
        found, _ = await database.read(audit.find, thing=thing, thing_id=thing_id, limit=limit)
        return found

    entries = with_database(work)
    if as_json:
        print_json([asdict(each) | {"at": utc(each.at)} for each in entries])
    else:
        print_rows([_row(each) for each in entries], _COLUMNS, empty="Nothing was changed yet.")


def _row(entry: Entry) -> dict[str, Any]:
    after = None if entry.after is None else json.dumps(entry.after, ensure_ascii=False)
    return asdict(entry) | {
        "at": utc(entry.at),
        "what": f"{entry.thing} {entry.thing_id}",
        "after": after,
    }
