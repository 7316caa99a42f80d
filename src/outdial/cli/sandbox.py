"""`outdial sandbox`: the simulated phone network on its own."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from outdial.cli.output import JsonOption, print_json, print_rows
from outdial.config import load_settings
from outdial.sandbox.phones_file import load_phones
from outdial.supervisor.prepare import make_data_dir
from outdial.supervisor.role import Role, run_role

app = typer.Typer(add_completion=False)

_COLUMNS = {"number": "number", "description": "what its phone does"}


@app.command()
def sandbox(
    numbers: Annotated[
        bool, typer.Option("--numbers", help="List the numbers and what their phones do.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Same as OUTDIAL_SANDBOX__PORT.")] = None,
    phones: Annotated[Path | None, typer.Option(help="TOML file with further phones.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the simulated phone network: a SIP far end with scripted phones. Ctrl-C stops it.

    What its phones heard is written to the folder `sandbox` in the data folder.
    """
    if port is not None:
        os.environ["OUTDIAL_SANDBOX__PORT"] = str(port)
    if phones is not None:
        os.environ["OUTDIAL_SANDBOX__PHONES"] = str(phones.absolute())
    settings = load_settings()
    if numbers:
        _list_numbers(settings.sandbox.phones, as_json=as_json)
        return
    make_data_dir(settings)
    raise typer.Exit(run_role(Role.SANDBOX, settings))


def _list_numbers(phones_file: Path | None, *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"number": phone.number, "description": phone.description}
        for phone in sorted(load_phones(phones_file).values(), key=lambda phone: phone.number)
    ]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no phones.")
