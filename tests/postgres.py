"""A throw-away PostgreSQL cluster for a test session, from Debian's packages, in a temporary folder.

It listens on a Unix socket only, runs as an unprivileged user (initdb refuses root), and is stopped with the
session. Each test gets a database of its own, copied from a migrated template.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from outdial.storage import schema

_UNPRIVILEGED = ("postgres", "nobody")
TEMPLATE = "outdial_template"
"""The migrated database that the others are copied from."""


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    folder: Path
    bin: Path
    prefix: tuple[str, ...]
    durable: bool = False
    """Whether a commit is on the disk: for figures. Tests stop and kill the server, and never its machine."""

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as conn:
            conn.execute(statement)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        settings = (
            f"-c listen_addresses= -c unix_socket_directories={self.folder} -c shared_buffers=32MB"
            f" -c max_connections=60 -c log_min_messages=fatal -c fsync={'on' if self.durable else 'off'}"
        )
        self._pg_ctl("-o", settings, "-l", f"{self.folder}/log", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast`, or `immediate` for a crash."""
        self._pg_ctl("-m", mode, "stop")

    def _pg_ctl(self, *arguments: str) -> None:
        command = [*self.prefix, str(self.bin / "pg_ctl"), "-D", f"{self.folder}/data", "-w", "-t", "60"]
        subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/")


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def _as_unprivileged(folder: Path) -> tuple[str, ...]:
    """Return what to put before a command so that it does not run as root; gives it the folder."""
    if os.getuid() != 0:
        return ()
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    raise RuntimeError(f"none of the users {_UNPRIVILEGED} exists")


@contextlib.contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A server of one's own; skips if PostgreSQL is not installed (CI installs it)."""
    programs = _programs()
    if programs is None:
        if os.environ.get("CI"):
            raise RuntimeError("PostgreSQL is not installed: run tools/install-test-programs")
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="outdial-pg-"))
    folder.chmod(0o755)
    cluster = Cluster(folder, programs, _as_unprivileged(folder), durable)
    initdb = [str(programs / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    try:
        subprocess.run(
            [*cluster.prefix, *initdb, "--locale=C", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        cluster.start()
        cluster.execute(f"CREATE DATABASE {TEMPLATE}")
        schema.upgrade(cluster.url(TEMPLATE))
        yield cluster
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """The server of the session."""
    with running_cluster() as cluster:
        yield cluster


_numbers = count(1)


@contextlib.contextmanager
def empty_database(cluster: Cluster) -> Iterator[str]:
    """An empty, migrated database; yields its URL."""
    name = f"test_{next(_numbers)}"
    cluster.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """An empty, migrated database for one test."""
    with empty_database(postgres_cluster) as url:
        yield url
