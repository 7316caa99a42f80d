"""`/healthz`: does this process live? `/readyz`: would a call that it accepts now be dialled? Both need no
token: they are for load balancers, for what restarts processes, and for people.
"""

import asyncio
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import success
from outdial.errors import DatabaseUnavailable
from outdial.storage import leases, revision

router = APIRouter(tags=["health"])
_VERSION = version("outdial")
_DATABASE_TIMEOUT_S = 5.0
"""A probe wants an answer before it gives up by itself."""
_LEAST_FREE_BYTES = 100 * 1024 * 1024
"""SQLite's log, uploads and recordings need room; below this the next of them may fail."""
_CHECKS = {"database": "ok", "schema": "ok", "dialer": "ok", "disk": "ok"}


@router.get(
    "/healthz",
    summary="Whether the process lives",
    responses=success("It lives.", {"status": "ok", "version": "0.1.0"}),
)
async def healthz() -> Response:
    """Answer 200 whatever the database does: restarting this process would not mend that."""
    return _answer(200, {"status": "ok", "version": _VERSION})


@router.get(
    "/readyz",
    summary="Whether the server works",
    responses=success(
        "A call that is accepted now is dialled; `dialers` is how many hold a lease.",
        {"status": "ok", "checks": _CHECKS, "dialers": 1, "version": "0.1.0"},
    )
    | {
        503: {
            "description": "Something is wrong: `checks` has a sentence in place of each `ok`.",
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {
                        "status": "unavailable",
                        "checks": _CHECKS
                        | {"dialer": "No dialer holds a lease: accepted calls wait until one runs."},
                        "dialers": 0,
                        "version": "0.1.0",
                    },
                }
            },
        }
    },
)
async def readyz(request: Request) -> Response:
    """Answer 200 when the database can be read, its schema is the right one, a dialer is alive and the disk
    has room; 503 with what is wrong else.
    """
    context = context_of(request)
    checks = dict(_CHECKS)
    checks["disk"] = await asyncio.to_thread(_disk, context.options.work_dir)
    dialers = await _database(context, checks)
    ready = all(each == "ok" for each in checks.values())
    body = {
        "status": "ok" if ready else "unavailable",
        "checks": checks,
        "dialers": dialers,
        "version": _VERSION,
    }
    return _answer(200 if ready else 503, body)


async def _database(context: ApiContext, checks: dict[str, str]) -> int | None:
    try:
        async with asyncio.timeout(_DATABASE_TIMEOUT_S):
            stored, dialers = await context.database.read(_look, now=context.now_ms())
    except (DatabaseUnavailable, TimeoutError, sa.exc.DBAPIError) as error:
        checks["database"] = f"The database cannot be read ({type(error).__name__}); the log says why."
        checks["schema"] = checks["dialer"] = "Not known without the database."
        return None
    needed = await asyncio.to_thread(_newest_revision)
    if stored != needed:
        checks["schema"] = (
            f"The database is at revision {stored}, this version needs {needed}: run `outdial db upgrade`."
        )
    if not dialers:
        checks["dialer"] = "No dialer holds a lease: accepted calls wait until one runs."
    return dialers


def _look(conn: sa.Connection, *, now: int) -> tuple[str | None, int]:
    return revision.stored(conn), len(leases.alive(conn, now=now))


def _newest_revision() -> str:
    from outdial.storage import schema  # the migrations' library is slow to load, and seldom asked for

    return schema.newest_revision()


def _disk(folder: Path) -> str:
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        disk = os.statvfs(there)
    except OSError as error:
        return f"The data folder cannot be read: {error.strerror}."
    free = disk.f_bavail * disk.f_frsize
    if free >= _LEAST_FREE_BYTES:
        return "ok"
    return f"{free // 1_048_576} MiB are free where the data folder is; at least 100 MiB should be."


def _answer(status: int, body: dict[str, Any]) -> Response:
    return Response(to_json(body), status, media_type="application/json")
