"""Fixtures that several folders share."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outdial.storage import schema
from outdial.storage.database import Database

pytest_plugins = ["tests.postgres"]

_MEMORY = Path("/dev/shm")
_PLENTY = 4 * 1024**3
"""Bytes that have to be free there: containers often have 64 MB."""
_TEMPORARY = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, if it has room: ten thousands of durable commits wait for a disk.

    It is gone after the run; ``--basetemp FOLDER`` keeps it.
    """
    if config.option.basetemp is None and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _PLENTY:
        folder = Path(tempfile.mkdtemp(prefix="outdial-tests-", dir=_MEMORY))
        config.option.basetemp = config.stash[_TEMPORARY] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the memory back."""
    folder = config.stash.get(_TEMPORARY, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "outdial.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """An empty, migrated SQLite database for one test."""
    path = tmp_path / "data" / "outdial.db"
    path.parent.mkdir()
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated database: each test runs on both kinds."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A started Database on `database_url`."""
    async with Database(database_url) as started:
        yield started
