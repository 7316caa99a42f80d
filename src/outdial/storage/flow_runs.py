"""What calls did in their flows: a row for each attempt that came into one, written with its CDR."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.domain.flow_run import FlowRun
from outdial.storage.statement import Statement
from outdial.storage.tables import calls, flow_runs

_INSERT = Statement(sa.insert(flow_runs))
_OF_CALLS = sa.select(flow_runs).where(flow_runs.c.call_id.in_(bindparam("p_calls", expanding=True)))

_JOINED = sa.join(flow_runs, calls, calls.c.id == flow_runs.c.call_id)
_COLUMNS = (*flow_runs.c, calls.c.to_number)
_OLDEST_FIRST = (flow_runs.c.ended_at, flow_runs.c.call_id, flow_runs.c.number)
_NEWEST_FIRST = tuple(column.desc() for column in _OLDEST_FIRST)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run with whose it was."""

    call_id: str
    number: int
    to: str
    ended_at: int
    run: FlowRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs of a flow are meant; what is None does not matter."""

    ended_from: int | None = None
    """Ended then or later, Unix milliseconds."""
    ended_before: int | None = None
    version: int | None = None
    result: str | None = None


ANY_RUN = RunFilter()


def insert(conn: sa.Connection, lease: Lease, run: FlowRun, *, ended_at: int) -> None:
    """Write the run of the attempt that `lease` names."""
    _INSERT.execute(
        conn,
        {
            "call_id": lease.call_id,
            "number": lease.number,
            "flow_id": run.flow_id,
            "version": run.version,
            "result": run.result,
            "ended_at": ended_at,
            "path": json.dumps([dict(each) for each in run.path]),
            "variables": json.dumps(dict(run.variables)),
            "tags": json.dumps(list(run.tags)),
            "problems": json.dumps(list(run.problems)),
        },
    )


def of_calls(conn: sa.Connection, call_ids: Sequence[str]) -> Mapping[tuple[str, int], FlowRun]:
    """Return the runs of these calls, by call id and the number of the attempt."""
    rows = conn.execute(_OF_CALLS, {"p_calls": list(call_ids)})
    return {(row.call_id, row.number): _run(row) for row in rows}


def find(
    conn: sa.Connection,
    account_id: int,
    flow_id: int,
    wanted: RunFilter = ANY_RUN,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[StoredRun], int]:
    """Return the runs of a flow, newest first, and how many there are of that kind."""
    these = _these(account_id, flow_id, wanted)
    newest = sa.select(*_COLUMNS).select_from(_JOINED).where(*these).order_by(*_NEWEST_FIRST)
    rows = conn.execute(newest.limit(limit).offset(offset)).all()
    total = conn.execute(sa.select(sa.func.count()).select_from(_JOINED).where(*these)).scalar_one()
    return [_stored(row) for row in rows], total


def following(
    conn: sa.Connection,
    account_id: int,
    flow_id: int,
    wanted: RunFilter = ANY_RUN,
    *,
    after: StoredRun | None,
    limit: int,
) -> list[StoredRun]:
    """Return the runs of a flow that ended after another one, oldest first: all of them, part by part."""
    these = _these(account_id, flow_id, wanted)
    if after is not None:
        these.append(flow_runs.c.ended_at >= after.ended_at)
        these.append(sa.tuple_(*_OLDEST_FIRST) > sa.tuple_(after.ended_at, after.call_id, after.number))
    query = sa.select(*_COLUMNS).select_from(_JOINED).where(*these).order_by(*_OLDEST_FIRST).limit(limit)
    return [_stored(row) for row in conn.execute(query)]


def _these(account_id: int, flow_id: int, wanted: RunFilter) -> list[sa.ColumnElement[bool]]:
    these = [flow_runs.c.flow_id == flow_id, calls.c.account_id == account_id]
    if wanted.ended_from is not None:
        these.append(flow_runs.c.ended_at >= wanted.ended_from)
    if wanted.ended_before is not None:
        these.append(flow_runs.c.ended_at < wanted.ended_before)
    if wanted.version is not None:
        these.append(flow_runs.c.version == wanted.version)
    if wanted.result is not None:
        these.append(flow_runs.c.result == wanted.result)
    return these


def _stored(row: "sa.Row[*tuple[Any, ...]]") -> StoredRun:
    return StoredRun(
        call_id=row.call_id, number=row.number, to=row.to_number, ended_at=row.ended_at, run=_run(row)
    )


def _run(row: "sa.Row[*tuple[Any, ...]]") -> FlowRun:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return FlowRun(
        flow_id=values["flow_id"],
        version=values["version"],
        result=values["result"],
        path=json.loads(values["path"]),
        variables=json.loads(values["variables"]),
        tags=json.loads(values["tags"]),
        problems=json.loads(values["problems"]),
    )
