"""Options that several commands share."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated

import typer

from outdial.cli.client import DEFAULT_URL

UrlOption = Annotated[
    str, typer.Option("--url", envvar="OUTDIAL_URL", help="Address of the server.", show_default=True)
]
TokenOption = Annotated[str | None, typer.Option("--token", envvar="OUTDIAL_TOKEN", help="API token.")]
URL_DEFAULT = DEFAULT_URL


def networks(texts: Sequence[str] | None) -> tuple[str, ...]:
    """CIDR networks of a repeated `--network`, each checked."""
    try:
        return tuple(str(ip_network(text)) for text in texts or ())
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write it as in 192.0.2.0/24", param_hint="--network") from None
