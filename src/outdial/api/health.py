"""`/healthz`: can this server take calls now? For load balancers and for people; it needs no token."""

from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from outdial.api.context import context_of
from outdial.api.documentation import success
from outdial.errors import DatabaseUnavailable
from outdial.storage import leases

router = APIRouter(tags=["health"])
_VERSION = version("outdial")


@router.get(
    "/healthz",
    summary="Whether the server works",
    responses=success(
        "It works; `dialers` is the number of dialers that hold a lease now.",
        {"status": "ok", "database": "ok", "dialers": 1, "version": "0.1.0"},
    ),
)
async def healthz(request: Request) -> Response:
    """Answer 200 when the database can be read, 503 when not.

    A server without a dialer still accepts calls: they are dialled when one comes.
    """
    context = context_of(request)
    try:
        dialers = len(await context.database.read(leases.alive, now=context.now_ms()))
    except DatabaseUnavailable:
        return _answer(503, database="unavailable", dialers=None)
    return _answer(200, database="ok", dialers=dialers)


def _answer(status: int, *, database: str, dialers: int | None) -> Response:
    word = "ok" if status == 200 else "unavailable"
    body = {"status": word, "database": database, "dialers": dialers, "version": _VERSION}
    return Response(to_json(body), status, media_type="application/json")
