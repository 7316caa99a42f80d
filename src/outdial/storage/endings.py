"""Calls that end without being dialled (again), many in one statement.

What an ending writes is the same for one call and for ten thousand: the call is done, what it had reserved is
free again, its webhooks are told. One entry of the ledger for the calls of a request, as when they were
accepted.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, case

from outdial.domain.call import CallState
from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import credit, outbox, wake
from outdial.storage.tables import calls

BATCH = 250
"""Calls that end in one transaction, so that others get their turn between two."""

_IS_QUEUED = calls.c.state == sa.literal_column("'queued'")
_OF_MONEY = (calls.c.id, calls.c.state, calls.c.account_id, calls.c.reserved)

_CANCEL = (
    sa.update(calls)
    .where(calls.c.id.in_(bindparam("p_ids", expanding=True)), calls.c.state != sa.literal_column("'done'"))
    .values(
        cancel_requested_at=sa.func.coalesce(calls.c.cancel_requested_at, bindparam("p_now")),
        state=case((_IS_QUEUED, sa.literal_column("'done'")), else_=calls.c.state),
        done_at=case((_IS_QUEUED, bindparam("p_now")), else_=calls.c.done_at),
        disposition=case((_IS_QUEUED, bindparam("p_disposition")), else_=calls.c.disposition),
        reason=case((_IS_QUEUED, bindparam("p_reason")), else_=calls.c.reason),
    )
    .returning(*_OF_MONEY)
)


def cancel(conn: sa.Connection, call_ids: Sequence[str], *, now: int) -> dict[str, CallState]:
    """Ask that calls be cancelled; returns the state of each that was not done before.

    A queued call is done at once (CANCEL). One that is being dialled is marked, its dialer is woken and acts
    on it.
    """
    if not call_ids:
        return {}
    rows = conn.execute(
        _CANCEL,
        {
            "p_ids": list(call_ids),
            "p_now": now,
            "p_disposition": Disposition.CANCEL.value,
            "p_reason": EndReason.CANCELLED.value,
        },
    ).all()
    states = {row.id: CallState(row.state) for row in rows}
    if CallState.LEASED in states.values():
        wake.announce(conn, wake.CANCELS)
    _settle(conn, [row for row in rows if row.state == CallState.DONE], now)
    return states


def _settle(conn: sa.Connection, ended: Sequence[sa.Row[Any]], now: int) -> None:
    """Let go of what these calls had reserved, and tell their webhooks."""
    requests: dict[tuple[int, str], list[sa.Row[Any]]] = defaultdict(list)
    for row in ended:
        if row.reserved:
            requests[row.account_id, row.id.partition(":")[0]].append(row)
    for (account_id, request_id), rows in sorted(requests.items(), key=lambda each: each[0]):
        (call_id, note) = (rows[0].id, "") if len(rows) == 1 else (request_id, f"{len(rows)} calls")
        reserved = sum(row.reserved for row in rows)
        credit.settle(conn, account_id, call_id, charge=0, reserved=reserved, now=now, note=note)
    outbox.add_ends(conn, [row.id for row in ended], now=now)
