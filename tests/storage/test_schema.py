"""The migrations build what tables.py says, on both databases."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
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


def _execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last one."""
    engine = writer_engine(url)
    try:
        with engine.begin() as conn:
            for statement in statements[:-1]:
                conn.exec_driver_sql(statement)
            return [tuple(row) for row in conn.exec_driver_sql(statements[-1]).all()]
    finally:
        engine.dispose()


_TRUNK_COLUMNS = (
    "name, host, port, transport, dial_prefix, caller_id_mode, privacy, codecs, ptime_ms, ring_timeout_s,"
    " max_call_s, session_expires_s, options_interval_s, calls_per_second, max_concurrent, keep_to_peer,"
    " addresses, headers, enabled, created_at"
)
_TRUNK_VALUES = (
    "'h', 5060, 'udp', '', 'from', false, 'PCMA', 20, 45, 60, 0, 0, 10, 100, false, '', '{}', true, 1"
)
_ROWS = (
    "INSERT INTO accounts (id, name, time_zone, created_at) VALUES (1, 'a', 'UTC', 1)",
    f"INSERT INTO trunks (id, {_TRUNK_COLUMNS}) VALUES (7, 't', {_TRUNK_VALUES})",
    "INSERT INTO bridges (id, number, account_id, trunk_id, display_name, created_at)"
    " VALUES (9, '918068280000', 1, 7, '', 1)",
)


def test_what_is_there_outlives_the_making_of_tables_anew(database_url: str) -> None:
    schema.downgrade(database_url, "0022")
    _execute(database_url, *_ROWS, "SELECT 1")
    bridge = "SELECT b.id, b.number, t.id, t.name FROM bridges b JOIN trunks t ON t.id = b.trunk_id"
    for change in (schema.upgrade, lambda url: schema.downgrade(url, "0022"), schema.upgrade):
        change(database_url)
        assert _execute(database_url, bridge) == [(9, "918068280000", 7, "t")]
    assert differences(database_url) == []
    with pytest.raises(sa.exc.IntegrityError):
        _execute(database_url, "DELETE FROM trunks RETURNING id")
    with pytest.raises(sa.exc.IntegrityError):
        _execute(
            database_url,
            "INSERT INTO suppressions (owner, receiver, type, value, source, created_at, updated_at)"
            " VALUES (1, '1', 'none', 'x', 'api', 1, 1) RETURNING id",
        )


def test_a_migration_that_loses_what_others_refer_to_is_undone(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/outdial.db"
    schema.upgrade(url)
    schema.downgrade(url, "0022")
    _execute(url, *_ROWS, "SELECT 1")

    def lose(config: Config, revision: str) -> None:
        conn = config.attributes["connection"]
        conn.exec_driver_sql("DELETE FROM trunks")
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0023'")

    monkeypatch.setattr(command, "upgrade", lose)
    with pytest.raises(StorageError, match="rows of bridges refer to rows that are not there"):
        schema.upgrade(url)
    assert schema.current_revision(url) == "0022"
    assert _execute(url, "SELECT id FROM trunks") == [(7,)]


@pytest.mark.parametrize("table", ["audit", "bridges", "rates", "subscriptions", "suppressions", "trunks"])
def test_a_number_that_was_shown_is_not_given_again(database_url: str, table: str) -> None:
    rows = {
        "audit": "(at, actor, action, thing, thing_id) VALUES (1, 'a', 'change', 'trunk', '1')",
        "bridges": "(number, account_id, trunk_id, display_name, created_at) VALUES ('1', 1, 7, '', 1)",
        "rates": "(currency, prefix, first_pulse_s, next_pulse_s, first_price, next_price, connection_fee,"
        " country_name, calling_code, active, updated_at)"
        " VALUES ('USD', '9', 1, 1, 1, 1, 0, '', '', true, 1)",
        "subscriptions": "(account_id, event, identity, webhook_id, created_at)"
        " VALUES (1, 'voice:message:out', 'all', 3, 1)",
        "suppressions": "(owner, receiver, type, value, source, created_at, updated_at)"
        " VALUES (1, '1', 'all', '', 'api', 1, 1)",
        "trunks": f"({_TRUNK_COLUMNS}) VALUES ('u', {_TRUNK_VALUES})",
    }
    webhook = (
        "INSERT INTO webhooks (id, account_id, name, uri, secret, secret_as_bearer, verification_code,"
        " method, headers, body_format, not_before, created_at, updated_at)"
        " VALUES (3, 1, '', 'http://h', 's', false, 'c', 'POST', '{}', 'json', 0, 1, 1)"
    )
    insert = f"INSERT INTO {table} {rows[table]} RETURNING id"
    ((first,),) = _execute(database_url, *_ROWS[:2], webhook, insert)
    ((second,),) = _execute(database_url, f"DELETE FROM {table} WHERE id = {first}", insert)
    assert second > first
