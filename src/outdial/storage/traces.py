"""Traces: what an attempt sent, received and played, bounded, in chunks as they come.

An entry is a JSON object with at least `at` (Unix milliseconds); its other keys are the business of who
writes it. An attempt keeps at most MAX_ENTRIES entries and MAX_BYTES bytes; the chunk that would pass a bound
is cut there, and the reader is told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, func

from outdial.storage.statement import Statement
from outdial.storage.tables import traces

Entry = Mapping[str, Any]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

MAX_ENTRIES = 200
MAX_BYTES = 64 * 1024

_INSERT = Statement(sa.insert(traces))
_SIZE = Statement(
    sa.select(
        func.count(),
        func.coalesce(func.sum(traces.c.entries), 0),
        func.coalesce(func.sum(traces.c.bytes), 0),
        func.max(sa.cast(traces.c.cut, sa.Integer)),
    ).where(traces.c.call_id == bindparam("p_call"), traces.c.number == bindparam("p_number"))
)
_READ = (
    sa.select(traces.c.number, traces.c.cut, traces.c.body)
    .where(traces.c.call_id == bindparam("p_call"))
    .order_by(traces.c.number, traces.c.chunk)
)


@dataclass(frozen=True, slots=True)
class AttemptTrace:
    """The trace of one attempt."""

    number: int
    entries: list[dict[str, Any]]
    cut: bool
    """Whether later entries were dropped because a bound was reached."""


def append(conn: sa.Connection, call_id: str, number: int, entries: Sequence[Entry]) -> None:
    """Add entries to an attempt's trace, as far as the bounds allow."""
    chunks, count, size, cut = _SIZE.execute(conn, {"p_call": call_id, "p_number": number}).one()
    if cut or not entries:
        return
    kept, body = _fitting(entries, MAX_ENTRIES - count, MAX_BYTES - size)
    _INSERT.execute(
        conn,
        {
            "call_id": call_id,
            "number": number,
            "chunk": chunks,
            "entries": kept,
            "bytes": len(body.encode()),
            "cut": kept < len(entries),
            "body": body,
        },
    )


def _fitting(entries: Sequence[Entry], most: int, most_bytes: int) -> tuple[int, str]:
    """The first entries as a JSON array, as many as fit; how many, and the array."""
    body = _encode(entries)
    if len(entries) <= most and len(body.encode()) <= most_bytes:
        return len(entries), body
    texts = [_encode(entry) for entry in entries[:most]]
    # Behind each stands a comma or the last bracket.
    ends = accumulate((len(text.encode()) + 1 for text in texts), initial=1)
    kept = max(0, sum(end <= most_bytes for end in ends) - 1)
    return kept, f"[{','.join(texts[:kept])}]"


def read(conn: sa.Connection, call_id: str) -> list[AttemptTrace]:
    """Return the traces of a call's attempts, oldest first; an attempt without entries is not there.

    Entries are in the order of their times: what waited for a database that was away was written later.
    """
    found: dict[int, AttemptTrace] = {}
    for number, cut, body in conn.execute(_READ, {"p_call": call_id}):
        earlier = found.get(number)
        entries = ([] if earlier is None else earlier.entries) + json.loads(body)
        found[number] = AttemptTrace(number, sorted(entries, key=itemgetter("at")), cut)
    return list(found.values())
