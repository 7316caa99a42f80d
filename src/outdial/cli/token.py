"""`outdial token`: API tokens, made where the server's database is."""

import secrets
from dataclasses import asdict
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from outdial.cli.changes import change, operator
from outdial.cli.database import with_database
from outdial.cli.options import networks
from outdial.cli.output import JsonOption, console, print_json, print_rows, utc
from outdial.cli.problems import CommandFailed
from outdial.domain.scope import Scope
from outdial.storage import administration, tokens
from outdial.storage.database import Database
from outdial.storage.tokens import Token
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make, list and revoke API tokens.")

_MS_PER_DAY = 86_400_000
_COLUMNS = {
    "id": "id",
    "account_id": "account",
    "name": "name",
    "prefix": "begins with",
    "scopes": "scopes",
    "created_at": "created (UTC)",
    "last_used_at": "last used (UTC)",
    "valid": "valid",
}


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for.")] = "default",
    days: Annotated[
        int | None, typer.Option(min=1, help="Valid for this long. Unset: until revoked.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="CIDR network from which it may be used; may be repeated.")
    ] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            help="What it may be used for; may be repeated. Unset: account; the first token of a server is"
            " its administrator's and gets admin, too."
        ),
    ] = None,
    account: Annotated[
        int | None, typer.Option(help="Id of the account that it speaks for. Unset: the default account.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it: this is the only time that it can be seen."""
    now = wall_clock_ms()
    expires_at = None if days is None else now + days * _MS_PER_DAY

    def insert(conn: sa.Connection) -> tuple[Token, str]:
        return administration.create_token(
            conn,
            operator(),
            account_id=default_account(conn).id if account is None else account,
            name=name,
            new_secret=lambda: secrets.token_hex(20),
            now=now,
            scopes=scope or _usual_scopes(conn),
            addresses=networks(network),
            expires_at=expires_at,
        )

    token, secret = change(insert)
    if as_json:
        print_json({"id": token.id, "name": token.name, "token": secret})
    else:
        console().print(secret, soft_wrap=True)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all tokens, without their secrets."""

    async def work(database: Database) -> list[Token]:
        return await database.read(tokens.find_all)

    rows = [_row(token) for token in with_database(work)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _COLUMNS, empty="There are no tokens yet: `outdial token create` makes one.")


@app.command()
def revoke(
    token_id: Annotated[int, typer.Argument(metavar="ID", help="As `outdial token list` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Make a token invalid, within a few seconds everywhere."""

    def work(conn: sa.Connection) -> None:
        owner = tokens.owner(conn, token_id)
        if owner is None:
            raise CommandFailed(
                f"There is no valid token {token_id}; `outdial token list` shows all of them."
            )
        administration.revoke_token(conn, operator(), owner, token_id, now=wall_clock_ms())

    change(work)
    if as_json:
        print_json({"id": token_id, "valid": False})
    else:
        console().print(f"Token {token_id} is revoked.")


def _usual_scopes(conn: sa.Connection) -> list[Scope]:
    return [Scope.ACCOUNT] if tokens.exist(conn) else [Scope.ACCOUNT, Scope.ADMIN]


def _row(token: Token) -> dict[str, Any]:
    valid = token.revoked_at is None and (token.expires_at is None or token.expires_at > wall_clock_ms())
    times = {
        name: utc(getattr(token, name)) for name in ("created_at", "expires_at", "last_used_at", "revoked_at")
    }
    return {**asdict(token), **times, "valid": valid}
