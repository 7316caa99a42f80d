"""A key stands for one answer, whatever comes at once, and is kept with what it stands for or not at all."""

import asyncio

import pytest
import sqlalchemy as sa

from outdial.storage import calls, idempotency
from outdial.storage.database import Database
from outdial.storage.idempotency import KEPT_MS, IdempotencyKey, Kept
from outdial.storage.tables import idempotency_keys
from tests.storage.world import World

KEY = IdempotencyKey(account_id=1, key="k", request_sha256="a")
OTHER_BODY = IdempotencyKey(account_id=1, key="k", request_sha256="b")


def take(
    conn: sa.Connection, key: IdempotencyKey, answer: bytes, *, now: int = 1, world: World | None = None
) -> Kept | bytes:
    """Claim, do, keep: as the API does it."""
    kept = idempotency.claim(conn, key, now=now)
    if kept is not None:
        return kept
    if world is not None:
        calls.insert_calls(conn, [world.new_call()])
    idempotency.keep(conn, key, answer)
    return answer


async def test_an_answer_is_kept_for_a_day(database: Database) -> None:
    assert await database.run(take, KEY, b"first") == b"first"
    again = Kept(same_request=True, answer=b"first")
    assert await database.run(take, KEY, b"second", now=KEPT_MS) == again
    assert await database.read(idempotency.find, KEY, now=KEPT_MS) == again
    assert await database.read(idempotency.find, KEY, now=KEPT_MS + 1) is None
    assert await database.run(take, KEY, b"third", now=KEPT_MS + 1) == b"third"
    again = Kept(same_request=True, answer=b"third")
    assert await database.run(take, KEY, b"fourth", now=2 * KEPT_MS) == again


async def test_another_request_or_account_is_told_apart(database: Database) -> None:
    await database.run(take, KEY, b"first")
    assert await database.run(take, OTHER_BODY, b"") == Kept(same_request=False, answer=b"")
    elsewhere = IdempotencyKey(account_id=2, key="k", request_sha256="a")
    assert await database.run(take, elsewhere, b"theirs") == b"theirs"
    for key, answer in ((KEY, b"first"), (elsewhere, b"theirs")):
        assert await database.read(idempotency.find, key, now=1) == Kept(same_request=True, answer=answer)


async def test_old_keys_are_cleared_away(database: Database) -> None:
    for number in range(5):
        await database.run(take, IdempotencyKey(account_id=1, key=f"{number}", request_sha256=""), b"")
    await database.run(take, KEY, b"", now=KEPT_MS + 1)
    kept = await database.read(lambda conn: list(conn.scalars(sa.select(idempotency_keys.c.key))))
    assert kept == ["k"]


async def test_many_at_once_from_two_processes_do_it_once(world: World, database_url: str) -> None:
    async with Database(database_url) as other:
        answers = await asyncio.gather(
            *(
                each.run(take, KEY, f"{number}".encode(), world=world)
                for number in range(12)
                for each in (world.database, other)
            )
        )
    (first,) = [each for each in answers if isinstance(each, bytes)]
    assert {each.answer for each in answers if isinstance(each, Kept)} == {first}
    assert await world.database.read(calls.count, world.account_id) == 1


async def test_key_and_calls_come_together_or_not_at_all(world: World) -> None:
    def dies(conn: sa.Connection) -> None:
        take(conn, KEY, b"never sent", world=world)
        raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        await world.database.run(dies)
    assert await world.database.read(calls.count, world.account_id) == 0
    assert await world.database.run(take, KEY, b"sent", world=world) == b"sent"
