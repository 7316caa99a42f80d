"""`outdial serve`: run the server."""

import os
from pathlib import Path
from typing import Annotated

import typer

from outdial.config import Settings, load_settings
from outdial.supervisor import exit_codes
from outdial.supervisor.parent_death import end_with_parent
from outdial.supervisor.role import Role, run_role

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    role: Annotated[Role | None, typer.Option(help="Run only this role. Unset: all of them.")] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run the simulated phone network too, with a trunk to it.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Same as OUTDIAL_API__HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Same as OUTDIAL_API__PORT.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Same as OUTDIAL_DATA_DIR.")] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the server: the API, a dialer and its media workers; Ctrl-C drains and stops it.

    On the embedded default (SQLite) the first start makes the database and the account `default`.
    """
    _override(OUTDIAL_API__HOST=host, OUTDIAL_API__PORT=port, OUTDIAL_DATA_DIR=data_dir)
    settings = load_settings()
    if role is not None:
        raise typer.Exit(run_role(role, settings, parent_pid=parent))
    if parent is not None and not end_with_parent(parent):
        raise typer.Exit(exit_codes.OK)
    raise typer.Exit(_run_all(settings, sandbox=sandbox))


def _run_all(settings: Settings, *, sandbox: bool) -> int:
    """What a role's process does without, it does not import."""
    from outdial.supervisor.first_start import first_start
    from outdial.supervisor.logs import configure_logging
    from outdial.supervisor.serve import run_all

    configure_logging(settings.log, role="supervisor")
    first_start(settings, sandbox=sandbox)
    return run_all(settings, sandbox=sandbox)


def _override(**values: object) -> None:
    """Options become environment variables, so that the roles' processes see them as well."""
    os.environ.update({name: str(value) for name, value in values.items() if value is not None})
