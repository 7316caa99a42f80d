"""`Idempotency-Key`: a request that is sent again does nothing again and gets the same answer.

Only what succeeded is kept: a request that was refused may be mended and sent with the same key.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import Request, Response
from pydantic_core import to_json

from outdial.api.auth import Principal
from outdial.api.context import ApiContext, context_of
from outdial.api.errors import ApiError, invalid
from outdial.storage import idempotency
from outdial.storage.idempotency import IdempotencyKey, Kept

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_LONGEST_KEY = 255

T = TypeVar("T")


def key_of(request: Request, principal: Principal, form: Mapping[str, Any]) -> IdempotencyKey | None:
    """The key of a request, None without one. Raises ApiError 422 for one that cannot be a key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (1 <= len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        sentence = f"{HEADER} should be 1 to {_LONGEST_KEY} printable ASCII characters, such as a UUID."
        raise invalid({HEADER: [sentence]})
    meant = json.dumps([request.url.path, form], sort_keys=True, default=str).encode()
    return IdempotencyKey(
        account_id=principal.account_id, key=key, request_sha256=hashlib.sha256(meant).hexdigest()
    )


async def replayed(context: ApiContext, key: IdempotencyKey | None) -> Response | None:
    """The answer that is kept under `key`, before any work is done. Raises ApiError 409."""
    if key is None:
        return None
    kept = await context.database.read(idempotency.find, key, now=context.now_ms())
    return None if kept is None else _again(kept)


async def create(
    request: Request,
    principal: Principal,
    form: Mapping[str, Any],
    work: Callable[[sa.Connection], T],
    body_of: Callable[[T], Any],
) -> Response:
    """Answer a request that makes something: `work` in one transaction, once for each key if it has one.

    For endpoints that have nothing to do before and after; the others use `key_of`, `replayed` and `once`.
    """
    context = context_of(request)
    key = key_of(request, principal, form)
    return await replayed(context, key) or await once(context, key, work, body_of)


async def amend(context: ApiContext, key: IdempotencyKey | None, body: Any) -> None:
    """Keep another answer under a key: what was made has come further since."""
    if key is not None:
        await context.database.run(idempotency.keep, key, to_json(body))


async def once(
    context: ApiContext,
    key: IdempotencyKey | None,
    work: Callable[[sa.Connection], T],
    body_of: Callable[[T], Any],
) -> Response:
    """Do `work` in one transaction with `key`, and answer `body_of` its result as JSON.

    With a key that is taken nothing is done and the kept answer comes again. Raises ApiError 409 when it was
    kept for another request.
    """
    if key is None:
        result = await context.database.run(work)
        return Response(to_json(body_of(result)), media_type="application/json")
    # The answer is written in the thread of the database, but in this request's time zone.
    within = copy_context()

    def written(result: T) -> Any:
        return within.run(body_of, result)

    done = await context.database.run(_once, key, work, written, now=context.now_ms())
    return _again(done) if isinstance(done, Kept) else Response(done, media_type="application/json")


def _once(
    conn: sa.Connection,
    key: IdempotencyKey,
    work: Callable[[sa.Connection], T],
    body_of: Callable[[T], Any],
    *,
    now: int,
) -> Kept | bytes:
    kept = idempotency.claim(conn, key, now=now)
    if kept is not None:
        return kept
    answer = to_json(body_of(work(conn)))
    idempotency.keep(conn, key, answer)
    return answer


def _again(kept: Kept) -> Response:
    if not kept.same_request:
        raise ApiError(
            409,
            f"This {HEADER} was used for another request in the last 24 hours; each request needs its own.",
        )
    return Response(kept.answer, headers={REPLAYED: "true"}, media_type="application/json")
