"""All of a database as one file, and back: SQLite by its own backup, PostgreSQL by its own programs."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from outdial.errors import ConfigurationError, StorageError
from outdial.storage.engine import is_sqlite, sqlite_path


def dump(url: str, to: Path) -> None:
    """Write a consistent copy of the database at `url` to `to`, whoever writes to it meanwhile.

    Raises ConfigurationError without PostgreSQL's programs, StorageError for what they say.
    """
    if is_sqlite(url):
        with (
            closing(sqlite3.connect(sqlite_path(url), timeout=30)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)  # in one step, which is one read transaction
    else:
        _run_program("pg_dump", url, "--format=custom", "--no-owner", f"--file={to}")


def load(url: str, source: Path) -> None:
    """Bring what `dump` wrote into the empty database at `url`. Raises as `dump` does."""
    if is_sqlite(url):
        path = sqlite_path(url)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        source.replace(path)
    else:
        _run_program("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(source))


def _run_program(name: str, url: str, *arguments: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise ConfigurationError(
            f"{name} is not installed here: it comes with PostgreSQL's client programs"
            " (Debian: postgresql-client), of the server's version or a newer one."
        )
    at = make_url(url)
    # The password goes by the environment: every user of the machine can read arguments.
    environment = {**os.environ, **({"PGPASSWORD": str(at.password)} if at.password else {})}
    address = at.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    command = [program, f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - the program is PostgreSQL's, its arguments are ours
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise StorageError(f"{name} failed with status {done.returncode}: {said}")
