"""Wait for a condition of another process, with a deadline: never a sleep of a guessed length."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

WITHIN_S = 90.0
"""Generous, because it only bounds a failure: a busy machine must not fail a test."""


async def until(
    condition: Callable[[], Any],
    what: str,
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.02,
) -> Any:
    """Poll `condition`, a coroutine function or a plain one, until it returns something true; return that.

    Raises AssertionError after `within_s`.
    """
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        value = await result if inspect.isawaitable(result) else result
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what} (last seen: {value!r})")
        await asyncio.sleep(every_s)
