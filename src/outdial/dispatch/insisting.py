"""Writes that must not be lost because the database is away: outcomes, costs, wishes not to be called."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from outdial.errors import DatabaseUnavailable

_AGAIN_S = 1.0

T = TypeVar("T")

_log = structlog.get_logger(__name__)


async def insist(
    write: Callable[[], Awaitable[T]], *, is_lost: Callable[[], bool], waiting: str, call_id: str
) -> T | None:
    """Do `write` until it is done, and return what it returns; None once the lease `is_lost`.

    `waiting` is the event of the log where the database is away. Each try waits inside `Store.run`, too.
    """
    while not is_lost():
        try:
            return await write()
        except DatabaseUnavailable as error:
            _log.warning(waiting, call_id=call_id, error=str(error))
            await asyncio.sleep(_AGAIN_S)
    return None
