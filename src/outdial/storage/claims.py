"""Claiming due calls: from `queued` to `leased`, by one dialer only, fair between accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from outdial.domain.call import AttemptState, ClaimedCall, Lease
from outdial.storage import due_queues, paces, ways
from outdial.storage.queue_claim import Claimant, Leased
from outdial.storage.statement import Statement
from outdial.storage.tables import attempts
from outdial.storage.trunk_claim import WHILE_FULL_MS, claim_from
from outdial.storage.ways import NO_DETOURS, Detour, Detours

_INSERT_ATTEMPTS = Statement(sa.insert(attempts))


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim brought."""

    calls: list[ClaimedCall]
    """In the order in which they were due."""
    next_due_at: dict[int, int]
    """When the next queued call of each trunk that was asked for is due, Unix milliseconds; without those
    that have none. In the past where due calls were left behind because there was no room for them."""


def claim_due(
    conn: sa.Connection,
    *,
    dialer_id: str,
    now: int,
    limit: int,
    free_by_trunk: Mapping[int, int],
    detours: Detours = NO_DETOURS,
) -> Claims:
    """Lease up to `limit` due calls to a dialer, at most `free_by_trunk[trunk_id]` of each trunk.

    And no more than the limits of trunk, account and bridge allow all dialers together. Adds each call's
    attempt, in state `claimed`, in the same transaction. Claims nothing if the dialer's own lease is lost.
    `detours` says of which other trunks' queues a trunk takes the calls of some bridges, too.
    """
    claimant = Claimant(dialer_id, now)
    claimed: list[Leased] = []
    next_due: dict[int, int] = {}
    taken_over = {
        trunk: _take_over(conn, now, trunk, min(count, limit), detours[trunk])
        for trunk, count in free_by_trunk.items()
        if trunk in detours
    }
    waiting = [(trunk, list(due_queues.walk(conn, trunk))) for trunk in sorted(free_by_trunk)]
    waiting = [(trunk, queues) for trunk, queues in waiting if queues]
    for trunk, queues in sorted(waiting, key=lambda each: min(queue.due_at for queue in each[1])):
        count = min(free_by_trunk[trunk], limit - len(claimed))
        next_due[trunk] = min(queue.due_at for queue in queues)
        due = [queue for queue in queues if queue.due_at <= now]
        if count > 0 and due:
            found, next_due_at_trunk = claim_from(conn, claimant, trunk, count, queues)
            claimed += found
            next_due.pop(trunk)
            if next_due_at_trunk is not None:
                next_due[trunk] = next_due_at_trunk
    for trunk, due_at in taken_over.items():
        if due_at is not None:
            next_due[trunk] = min(due_at, next_due.get(trunk, due_at))
    if claimed:
        _INSERT_ATTEMPTS.execute_many(conn, [_attempt_row(each.claimed.lease, now) for each in claimed])
    claimed.sort(key=lambda each: each.place)
    return Claims([each.claimed for each in claimed], next_due)


def _take_over(
    conn: sa.Connection, now: int, trunk: int, count: int, detours: Sequence[Detour]
) -> int | None:
    """Move due calls from the queues of closed trunks into those of `trunk`; return when to look again.

    As many as it may take, for each account and bridge: how they share its places is the claim's business.
    """
    looked_at: list[int] = []
    for detour in detours:
        queues = list(due_queues.walk(conn, detour.closed))
        if len(queues) == due_queues.MOST:
            served = paces.served(conn, trunk)
            queues = list(due_queues.walk(conn, detour.closed, after=served + 1)) or queues
        for queue in queues:
            if queue.bridge in detour.bridges:
                looked_at.append(queue.due_at)
                if queue.due_at <= now:
                    ways.move_due(
                        conn,
                        queue.account_id,
                        queue.bridge,
                        closed=detour.closed,
                        to=trunk,
                        limit=count,
                        now=now,
                    )
    return max(min(looked_at), now + WHILE_FULL_MS) if looked_at else None


def _attempt_row(lease: Lease, now: int) -> dict[str, object]:
    return {
        "call_id": lease.call_id,
        "number": lease.number,
        "fence": lease.fence,
        "dialer_id": lease.dialer_id,
        "state": AttemptState.CLAIMED.value,
        "claimed_at": now,
        "dialing_at": None,
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
    }
