"""`outdial campaign`: pause calls that wait, and let them go on."""

from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json, print_rows

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Pause campaigns and requests, and let them go on."
)

_COLUMNS = {"name": "campaign", "id": "request", "paused_at": "paused at"}
Name = Annotated[
    str, typer.Argument(help="Of the campaign; with --request, the id of a request.", show_default=False)
]
IsRequest = Annotated[bool, typer.Option("--request", help="NAME is the id of a request.")]


@app.command()
def pause(
    name: Name,
    is_request: IsRequest = False,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Dial no more calls of a campaign or a request; those in progress go on."""
    _change("outgoing/pause", name, is_request=is_request, url=url, token=token, as_json=as_json)


@app.command()
def resume(
    name: Name,
    is_request: IsRequest = False,
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a campaign or a request go on."""
    _change("outgoing/resume", name, is_request=is_request, url=url, token=token, as_json=as_json)


@app.command()
def paused(url: UrlOption = URL_DEFAULT, token: TokenOption = None, as_json: JsonOption = False) -> None:
    """List what is paused."""

    async def work(client: ApiClient) -> Any:
        return await client.get("outgoing/pauses")

    rows = with_client(url, token, work)["data"]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="Nothing is paused.")


def _change(path: str, name: str, *, is_request: bool, url: str, token: str | None, as_json: bool) -> None:
    async def work(client: ApiClient) -> Any:
        return await client.post_form(path, {"id" if is_request else "name": name})

    answer = with_client(url, token, work)
    if as_json:
        print_json(answer["data"])
    else:
        console().print(answer["message"], soft_wrap=True)
