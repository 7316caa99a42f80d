"""The calls that one `outgoing/send` accepted together: their ids are `<request uuid>:<n>`.

They were stored in one transaction, with the time at which they were accepted, so the index of an account's
calls by time finds all of them from any one.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import CallState
from outdial.storage import endings
from outdial.storage.database import Database
from outdial.storage.tables import calls

_LOOKED_FOR_AT_ONCE = 500
"""Positions of a request that one query looks for: the first ones may have been refused."""

_ANY_OF = (
    sa.select(calls.c.account_id, calls.c.submitted_at)
    .where(calls.c.id.in_(bindparam("p_ids", expanding=True)))
    .limit(1)
)

OF_REQUEST = (
    calls.c.account_id == bindparam("p_account"),
    calls.c.submitted_at == bindparam("p_at"),
    calls.c.id.like(bindparam("p_ids")),
)
"""Conditions on `calls`; `Request.parameters` gives the parameters."""

# What is queued first, so that it is not dialled while the others are looked after.
_TO_CANCEL = (
    sa.select(calls.c.id)
    .where(*OF_REQUEST, calls.c.state != sa.literal_column("'done'"), calls.c.cancel_requested_at.is_(None))
    .order_by(calls.c.state.desc(), calls.c.seq)
)

_COUNTS = sa.select(calls.c.state, sa.func.count()).where(*OF_REQUEST).group_by(calls.c.state)


@dataclass(frozen=True, slots=True)
class Request:
    """One accepted request."""

    id: str
    """A UUID, as the part before the colon of its calls' ids."""
    account_id: int
    submitted_at: int

    @property
    def parameters(self) -> dict[str, str | int]:
        """Of the condition that names its calls."""
        return {"p_account": self.account_id, "p_at": self.submitted_at, "p_ids": f"{self.id}:%"}


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancel found; together all calls of the request."""

    cancelled: int
    """Done by it, without being dialled (again)."""
    hanging_up: int
    """In progress; their dialers hang them up."""
    ended: int
    """Had ended before."""


def find(conn: sa.Connection, request_id: str, *, most: int) -> Request | None:
    """Return the request with that UUID, of whichever account; `most` is how many calls one may have."""
    for first in range(1, most + 1, _LOOKED_FOR_AT_ONCE):
        ids = [f"{request_id}:{n}" for n in range(first, min(first + _LOOKED_FOR_AT_ONCE, most + 1))]
        row = conn.execute(_ANY_OF, {"p_ids": ids}).first()
        if row is not None:
            return Request(request_id, row.account_id, row.submitted_at)
    return None


async def cancel(database: Database, request: Request, *, now: int) -> Cancelled:
    """Cancel all calls of a request, batch by batch, so that other writers get their turn in between.

    Cancelling it again, after a crash in between or at any time, does what is left.
    """
    cancelled = 0
    ids = await database.read(_to_cancel, request)
    for first in range(0, len(ids), endings.BATCH):
        batch = ids[first : first + endings.BATCH]
        states = await database.run(endings.cancel, batch, now=now)
        cancelled += sum(state is CallState.DONE for state in states.values())
    counts = await database.read(_counts, request)
    ended = counts.get(CallState.DONE, 0) - cancelled
    return Cancelled(cancelled, sum(counts.values()) - counts.get(CallState.DONE, 0), ended)


def _to_cancel(conn: sa.Connection, request: Request) -> list[str]:
    return list(conn.scalars(_TO_CANCEL, request.parameters))


def _counts(conn: sa.Connection, request: Request) -> dict[CallState, int]:
    return {CallState(state): count for state, count in conn.execute(_COUNTS, request.parameters)}
