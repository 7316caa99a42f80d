"""`outdial cancel`: a call, or all calls of a request, shall not be made."""

from typing import Annotated, Any

import typer

from outdial.cli.client import ApiClient, with_client
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json

app = typer.Typer(add_completion=False)


@app.command()
def cancel(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of a call, as `outgoing/send` answered it; the part before the colon for its request.",
            show_default=False,
        ),
    ],
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a call or a whole request: what waits is not made, what is in progress is hung up."""

    async def work(client: ApiClient) -> Any:
        return await client.post_form("outgoing/cancel", {"id": id_})

    answer = with_client(url, token, work)
    if as_json:
        print_json(answer["data"])
    else:
        console().print(answer["message"], soft_wrap=True)
