"""What calls did in their flows: a row for each attempt that came into one, written with its CDR."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.domain.flow_run import FlowRun
from outdial.storage.statement import Statement
from outdial.storage.tables import calls, flow_runs

_INSERT = Statement(sa.insert(flow_runs))
_OF_CALLS = sa.select(flow_runs).where(flow_runs.c.call_id.in_(bindparam("p_calls", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run with whose it was."""

    call_id: str
    number: int
    to: str
    ended_at: int
    run: FlowRun


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


def of_flow(
    conn: sa.Connection, account_id: int, flow_id: int, *, ended_from: int, ended_before: int, limit: int
) -> Iterator[StoredRun]:
    """Yield the runs of a flow that ended in a span of time, oldest first, at most `limit`."""
    query = (
        sa.select(flow_runs, calls.c.to_number)
        .join_from(flow_runs, calls, calls.c.id == flow_runs.c.call_id)
        .where(
            flow_runs.c.flow_id == flow_id,
            calls.c.account_id == account_id,
            flow_runs.c.ended_at >= ended_from,
            flow_runs.c.ended_at < ended_before,
        )
        .order_by(flow_runs.c.ended_at, flow_runs.c.call_id)
        .limit(limit)
    )
    for row in conn.execute(query):
        yield StoredRun(
            call_id=row.call_id, number=row.number, to=row.to_number, ended_at=row.ended_at, run=_run(row)
        )


def _run(row: "sa.Row[*tuple[object, ...]]") -> FlowRun:
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
