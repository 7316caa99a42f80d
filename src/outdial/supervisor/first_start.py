"""What the first start of a server adds to an empty database, and what it tells the person who started it."""

import asyncio
import sys

import sqlalchemy as sa

from outdial.config import Settings
from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.storage import accounts, bridges, tokens, trunks
from outdial.storage.accounts import Account
from outdial.storage.database import Database
from outdial.supervisor.parts import wall_clock_ms
from outdial.supervisor.prepare import prepare_database

DEFAULT_ACCOUNT = "default"
SANDBOX_TRUNK = "sandbox"


def first_start(settings: Settings, *, sandbox: bool) -> None:
    """Prepare the database, the account `default` and, if wanted, the trunk to the sandbox with its bridge.

    Everything that is there already stays as it is. Raises ConfigurationError.
    """
    prepare_database(settings)
    no_tokens = asyncio.run(_add_what_is_missing(settings, sandbox=sandbox))
    if no_tokens:
        sys.stdout.write(
            f"The server's data is in {settings.data_dir}. There is no API token yet; make one with\n\n"
            "    outdial token create\n\n"
        )
        sys.stdout.flush()


async def _add_what_is_missing(settings: Settings, *, sandbox: bool) -> bool:
    async with Database(settings.resolved_database_url) as database:
        account = await database.run(default_account)
        if sandbox:
            await database.run(_sandbox_trunk, account, settings)
        return not await database.read(tokens.of_account, account.id)


def default_account(conn: sa.Connection) -> Account:
    """The account `default`, made if there is no account."""
    found = accounts.find_all(conn)
    return found[0] if found else accounts.insert(conn, name=DEFAULT_ACCOUNT, now=wall_clock_ms())


def _sandbox_trunk(conn: sa.Connection, account: Account, settings: Settings) -> None:
    now = wall_clock_ms()
    wanted = trunks.NewTrunk(
        name=SANDBOX_TRUNK,
        host=settings.sandbox.bind_address,
        port=settings.sandbox.port,
        username=USERNAME,
        password=PASSWORD,
        max_concurrent=10_000,
        calls_per_second=1_000.0,
    )
    trunk = trunks.get_by_name(conn, SANDBOX_TRUNK)
    if trunk is None:
        trunk = trunks.insert(conn, wanted, now=now)
    elif (trunk.host, trunk.port) != (wanted.host, wanted.port):
        trunks.update(conn, trunk.id, wanted)
    if bridges.get_by_number(conn, settings.sandbox.bridge) is None:
        bridges.insert(
            conn, number=settings.sandbox.bridge, account_id=account.id, trunk_id=trunk.id, now=now
        )
