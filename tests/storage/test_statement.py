"""Statements that go to the driver past SQLAlchemy: in its transaction, and with its errors."""

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import bindparam, exc

from outdial.storage.database import Database
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, dialers

_ADD = Statement(sa.insert(dialers))
_ALL = Statement(sa.select(dialers.c.id, dialers.c.pid).order_by(dialers.c.id))
_RENEW = Statement(sa.update(dialers).where(dialers.c.id == bindparam("p_id")).values(beats=7))


def dialer(name: str) -> dict[str, object]:
    return {
        "id": name,
        "host": "secret-host",
        "pid": 5,
        "started_at": 1,
        "renewed_at": 1,
        "lease_until": 1,
        "beats": 0,
        "lost_at": None,
    }


async def test_what_was_found_and_changed(database: Database) -> None:
    await database.run(_ADD.execute_many, [dialer("one"), dialer("two")])
    found = await database.read(_ALL.execute, {})
    assert found.rows == [("one", 5), ("two", 5)]
    assert found.first() == ("one", 5)
    assert found.mappings() == [{"id": "one", "pid": 5}, {"id": "two", "pid": 5}]
    with pytest.raises(exc.MultipleResultsFound):
        found.one_or_none()
    changed = await database.run(_RENEW.execute, {"p_id": "two"})
    assert (changed.rowcount, changed.rows, changed.mappings(), changed.first()) == (1, [], [], None)
    with pytest.raises(exc.NoResultFound):
        changed.scalar_one()
    assert (await database.run(_RENEW.execute, {"p_id": "three"})).rowcount == 0


@pytest.mark.parametrize("many", [False, True])
async def test_a_refusal_is_an_error_of_sqlalchemy_that_names_no_values(
    database: Database, *, many: bool
) -> None:
    def add(conn: sa.Connection, row: dict[str, object]) -> None:
        if many:
            _ADD.execute_many(conn, [row])
        else:
            _ADD.execute(conn, row)

    await database.run(add, dialer("one"))
    with pytest.raises(exc.IntegrityError) as caught:
        await database.run(add, dialer("one"))
    assert "INSERT INTO dialers" in str(caught.value)
    assert "secret-host" not in str(caught.value)
    assert not caught.value.connection_invalidated


async def test_it_goes_with_the_transaction_that_it_is_in(database: Database) -> None:
    def add_and_fail(conn: sa.Connection) -> None:
        _ADD.execute(conn, dialer("one"))
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await database.run(add_and_fail)
    assert (await database.read(_ALL.execute, {})).rows == []


async def test_a_read_begins_where_it_is_the_first(database: Database) -> None:
    """Else the statements behind it would see what was committed since, on SQLite."""

    def is_in_transaction(conn: sa.Connection) -> bool:
        assert not conn.in_transaction()
        _ALL.execute(conn, {})
        return conn.in_transaction()

    assert await database.read(is_in_transaction)


@pytest.mark.postgres
async def test_a_connection_that_breaks_is_given_up_and_the_write_done_anew(postgres_url: str) -> None:
    broken: list[exc.DBAPIError] = []

    def add(conn: sa.Connection) -> None:
        if not broken:
            pid = conn.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
            with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
        try:
            _ADD.execute(conn, dialer("one"))
        except exc.DBAPIError as error:
            broken.append(error)
            raise

    async with Database(postgres_url) as database:
        await database.run(add)
        assert len((await database.read(_ALL.execute, {})).rows) == 1
    assert [error.connection_invalidated for error in broken] == [True]


async def test_what_core_made_a_parameter_of_is_bound(database: Database) -> None:
    closed = Statement(sa.select(accounts.c.id).where(accounts.c.name == "nobody"))
    assert (await database.read(closed.execute, {})).rows == []


async def test_a_number_is_written_where_the_planner_has_to_know_it(database: Database) -> None:
    limited = Statement(
        sa.select(dialers.c.id)
        .where(dialers.c.pid == bindparam("p_pid"))
        .order_by(dialers.c.id)
        .limit(bindparam("p_limit", type_=sa.Integer, literal_execute=True))
        .offset(bindparam("p_offset"))
    )
    await database.run(_ADD.execute_many, [dialer("one"), dialer("three"), dialer("two")])
    for limit, offset, ids in ((1, 0, ["one"]), (2, 1, ["three", "two"]), (0, 0, [])):
        values = {"p_pid": 5, "p_limit": limit, "p_offset": offset}
        found = await database.read(limited.execute, values)
        assert [row[0] for row in found.rows] == ids
    with pytest.raises(ValueError, match="format code"):
        await database.read(limited.execute, {"p_pid": 5, "p_limit": "1; DROP TABLE calls", "p_offset": 0})
