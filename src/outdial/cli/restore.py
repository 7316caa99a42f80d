"""`outdial restore`: a backup into an empty database and data folder."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from outdial.cli.backup import blobs_folder
from outdial.cli.output import JsonOption, console, print_json
from outdial.cli.problems import CommandFailed
from outdial.config import Settings, load_settings
from outdial.storage import archive, calls
from outdial.storage.database import Database
from outdial.storage.schema import upgrade
from outdial.supervisor.parts import wall_clock_ms, why
from outdial.supervisor.prepare import current_revision, make_data_dir

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `outdial backup` wrote.", exists=True, dir_okay=False)],
    cancel_open: Annotated[
        bool,
        typer.Option(
            "--cancel-open",
            help="Cancel all calls that were not over: some may have been made after the backup.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a backup into the empty database and data folder of the settings, and up to this version.

    Nothing is replaced: what is not empty is refused. Calls that were in progress are not dialled again.
    """
    settings = load_settings()
    make_data_dir(settings)
    current_revision(settings)
    try:
        manifest = archive.read(file, settings.resolved_database_url, blobs_folder(settings))
    except OSError as error:
        raise CommandFailed(f"{file} cannot be restored: {why(error)}.") from None
    upgrade(settings.resolved_database_url)
    left = asyncio.run(_open_calls(settings, wall_clock_ms() if cancel_open else None))
    if as_json:
        print_json({**asdict(manifest), "open": left, "cancelled": left if cancel_open else 0})
        return
    console().print(f"Restored {file}, written by Outdial {manifest.version}.")
    if cancel_open:
        console().print(f"{left} calls that were not over are cancelled.")
    elif left:
        console().print(
            f"{left} calls were not over and will go on, also those that ended after the backup. See to that"
            " before you start a dialer: `outdial serve --role api`, then `outdial cancel`."
        )


async def _open_calls(settings: Settings, cancel_at: int | None) -> int:
    async with Database(settings.resolved_database_url) as database:
        return await database.run(calls.all_open, cancel_at=cancel_at)
