"""`outdial retention`: remove what is older than the settings want it kept."""

from dataclasses import asdict
from typing import Annotated

import typer

from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, print_fields, print_json
from outdial.config import load_settings
from outdial.storage.database import Database
from outdial.storage.retention_run import Removed
from outdial.supervisor.retention import open_retention

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Remove what is older than it may be kept."
)


@app.callback()
def group() -> None:
    """Remove what is older than it may be kept."""


@app.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be removed; change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Go through all calls now, as the server does by itself once an hour for what has become old."""
    settings = load_settings()

    async def work(database: Database) -> Removed:
        return await open_retention(settings, database).run(dry_run=dry_run)

    removed = asdict(with_database(work))
    if as_json:
        print_json({"dry_run": dry_run, **removed})
    else:
        print_fields(removed)
