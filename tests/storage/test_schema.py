"""The migrations build what tables.py says, on both databases."""

import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from outdial.errors import StorageError
from outdial.storage import schema, tables
from outdial.storage.engine import writer_engine


def differences(url: str) -> list[object]:
    engine = writer_engine(url)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        found = list(compare_metadata(context, tables.metadata))
    engine.dispose()
    return found


def table_names(url: str) -> list[str]:
    engine = writer_engine(url)
    names = sa.inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_migrations_and_tables_agree(database_url: str) -> None:
    assert differences(database_url) == []
    assert schema.current_revision(database_url) == schema.newest_revision()


def test_down_and_up_again(database_url: str) -> None:
    schema.downgrade(database_url, "base")
    assert table_names(database_url) == ["alembic_version"]
    assert schema.current_revision(database_url) is None
    schema.upgrade(database_url)
    assert differences(database_url) == []


async def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    schema.downgrade(database_url, "base")
    await asyncio.gather(*(asyncio.to_thread(schema.upgrade, database_url) for _ in range(4)))
    assert schema.current_revision(database_url) == schema.newest_revision()


def test_a_database_that_does_not_exist_has_no_revision(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/none/outdial.db"
    assert schema.current_revision(url) is None
    schema.upgrade(url)
    assert schema.current_revision(url) == schema.newest_revision()


def test_an_incomplete_installation_says_so(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", tmp_path)
    with pytest.raises(StorageError, match="not installed completely"):
        schema.newest_revision()
