"""`outdial db`: the database itself."""

import typer
from sqlalchemy.engine import make_url

from outdial.cli.output import JsonOption, console, print_fields, print_json
from outdial.config import load_settings
from outdial.storage import schema
from outdial.supervisor import exit_codes
from outdial.supervisor.prepare import check_known, current_revision, make_data_dir

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Upgrade, check and locate the database.")


@app.command()
def upgrade(as_json: JsonOption = False) -> None:
    """Bring the database to the revision that this version needs; nothing happens when it is there."""
    settings = load_settings()
    make_data_dir(settings)
    before = current_revision(settings)
    check_known(before)
    schema.upgrade(settings.resolved_database_url)
    after = current_revision(settings)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        console().print(f"The database is at revision {after} already.")
    else:
        console().print(f"Upgraded from {before or 'nothing'} to revision {after}.")


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Tell whether the database can be reached and is at the right revision (exit status 0) or not (1)."""
    settings = load_settings()
    current = current_revision(settings)
    needed = schema.newest_revision()
    row = {"url": _shown_url(settings.resolved_database_url), "revision": current, "needed": needed}
    if as_json:
        print_json({**row, "ok": current == needed})
    else:
        print_fields(row)
        if current != needed:
            known = current is None or schema.is_known(current)
            console().print(
                "Run `outdial db upgrade`."
                if known
                else "A newer version of Outdial made it: install that one."
            )
    if current != needed:
        raise typer.Exit(exit_codes.FAILED)


@app.command()
def path(as_json: JsonOption = False) -> None:
    """Print where the database is: its file, or its address without the password."""
    settings = load_settings()
    url = settings.resolved_database_url
    place = str(make_url(url).database) if settings.is_sqlite else _shown_url(url)
    if as_json:
        print_json({"path": place, "data_dir": str(settings.data_dir)})
    else:
        console().print(place, soft_wrap=True)


def _shown_url(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
