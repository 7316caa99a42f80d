"""`outdial openapi`: the description of the HTTP API, as a server gives it at /api/v1/openapi.json."""

import typer

from outdial.api.app import create_api
from outdial.cli.output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Print the OpenAPI 3.1 description of the HTTP API.")


@app.command()
def show(
    as_json: JsonOption = False,
) -> None:
    """Print the OpenAPI 3.1 description of the HTTP API, for generators of clients."""
    print_json(create_api().openapi())
