"""What a server under measurement wrote down about its calls, read beside it."""

import asyncio
import itertools
import sqlite3
import time

from bench.server import Server

_LOOK_EVERY_S = 0.1


def database(server: Server) -> sqlite3.Connection:
    """Its database, to be read."""
    return sqlite3.connect(f"file:{server.data_dir}/outdial.db?mode=ro", uri=True)


async def until_done(server: Server, count: int, seconds: float) -> None:
    """Wait until so many CDRs are there; gives up after so many seconds, and the missing ones have failed."""
    deadline = time.monotonic() + seconds
    with database(server) as conn:
        while time.monotonic() < deadline:
            if conn.execute("SELECT count(*) FROM cdrs").fetchone()[0] >= count:
                return
            await asyncio.sleep(_LOOK_EVERY_S)


def most_at_once(server: Server) -> int:
    """Calls that were up at the same time."""
    with database(server) as conn:
        spans = conn.execute(
            "SELECT answered_at, ended_at FROM cdrs WHERE answered_at IS NOT NULL"
        ).fetchall()
    changes = sorted([(ended, -1) for _, ended in spans] + [(answered, 1) for answered, _ in spans])
    return max(itertools.accumulate(change for _, change in changes), default=0)
