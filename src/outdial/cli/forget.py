"""`outdial forget`: take a person's data out of the records of past calls."""

from typing import Annotated

import typer

from outdial.cli.database import with_database
from outdial.cli.output import JsonOption, console, print_json
from outdial.config import load_settings
from outdial.domain.phone_number import PhoneNumber
from outdial.storage.database import Database
from outdial.storage.retention_run import Forgotten
from outdial.supervisor import exit_codes
from outdial.supervisor.retention import open_retention

app = typer.Typer(add_completion=False)


@app.command()
def forget(
    number: Annotated[str, typer.Argument(help="With country code.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Take a number, with digits, variables, traces and recordings, out of the records of its past calls.

    Exit status 1 if calls are left that are not done, or of which a webhook is still to be told. A
    suppression of the number stays: it is what keeps it from being called again.
    """
    settings = load_settings()
    digits = PhoneNumber.parse(number).digits

    async def work(database: Database) -> Forgotten:
        return await open_retention(settings, database).forget(digits)

    done = with_database(work)
    if as_json:
        print_json({"calls": done.calls, "left": done.left})
    else:
        console().print(f"{done.calls} calls were anonymised.")
        if done.left:
            console().print(
                f"{done.left} are not done, or a webhook is still to be told of them: run this again later."
            )
    if done.left:
        raise typer.Exit(exit_codes.FAILED)
