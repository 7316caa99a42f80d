"""What commands that change the server share: who is named in the audit log, and how values are read."""

import getpass
import socket
from collections.abc import Callable, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

import typer

from outdial.api.bodies import nest
from outdial.api.errors import ApiError
from outdial.cli.database import with_database
from outdial.cli.problems import CommandFailed
from outdial.errors import InvalidInput, NotFound
from outdial.storage.audit import Actor
from outdial.storage.database import Database


def operator() -> Actor:
    """The person at the terminal."""
    return Actor(name=f"command line: {_user()}", address=socket.gethostname())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return "unknown"


def change(query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a change on the server's database."""

    async def work(database: Database) -> Any:
        return await database.run(query, *arguments, **named)

    try:
        return with_database(work)
    except NotFound as error:
        raise CommandFailed(str(error)) from None


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """`name=value` arguments by name; `headers[X-Team]=billing` and repeated names as in a form."""
    pairs = [text.partition("=") for text in texts]
    wrong = [name for name, equals, _ in pairs if not equals or not name]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", param_hint="NAME=VALUE")
    return nest((name, value) for name, _, value in pairs)


def checked(
    read: Callable[..., dict[str, Any]], values: dict[str, Any], kind: type, *, is_new: bool = False
) -> dict[str, Any]:
    """What the API would make of these values for a `kind`, a dataclass of the storage.

    Raises InvalidInput with its sentences, and for a name that means nothing there: somebody has typed it.
    """
    try:
        found = read(values, is_new=is_new)
    except ApiError as error:
        raise InvalidInput("\n".join(each for texts in error.errors.values() for each in texts)) from None
    for name in values:
        if name not in found:
            near = get_close_matches(name, [each.name for each in fields(kind)], n=1)
            hint = f"did you mean {near[0]}?" if near and near[0] != name else "--help names what can."
            raise InvalidInput(f"{name} is nothing that can be set there; {hint}")
    return found
