"""Answers that came too late are written until they are on disk, each once and in order."""

import asyncio
from typing import Any, cast

import pytest

from outdial.dispatch.late_answers import LateAnswers
from outdial.domain.call import Lease
from outdial.errors import DatabaseUnavailable

FIRST, SECOND, THIRD = (Lease(f"r:{number}", 1, 1, "d") for number in range(3))


class Store:
    def __init__(self, *, away: int = 0) -> None:
        self.away = away
        self.written: list[tuple[Lease, int]] = []

    async def run(self, _fn: Any, lease: Lease, *, now: int) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("away")
        self.written.append((lease, now))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; no time passes."""
    waited: list[float] = []
    no_time = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            waited.append(seconds)
        await no_time(0)

    monkeypatch.setattr("outdial.dispatch.late_answers.asyncio.sleep", sleep)
    return waited


async def turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_the_database_may_be_away_for_a_while(pauses: list[float]) -> None:
    store = Store(away=3)
    answers = LateAnswers(cast("Any", store))
    writing = asyncio.ensure_future(answers.keep_writing())
    answers.note(FIRST, 10)
    answers.note(SECOND, 20)
    await turns()
    answers.note(THIRD, 30)
    await turns()
    assert store.written == [(FIRST, 10), (SECOND, 20), (THIRD, 30)]
    assert len(pauses) == 3, "the store is not asked again and again without a pause"
    writing.cancel()


async def test_at_the_end_what_is_left_is_tried_once_more() -> None:
    answers = LateAnswers(cast("Any", Store(away=1)))
    answers.note(FIRST, 10)
    assert not await answers.write()
    assert await answers.write()
