"""Claiming due calls: from `queued` to `leased`, by one dialer only, fair between accounts.

Each account and bridge has a queue of its own on a trunk: a stretch of `ix_calls_due`, whose front is found
without reading what waits behind it. Places are shared out among the accounts that have something due, in
turn from claim to claim (the trunk's row in the pacing ledger notes who was served last), so that ten
thousand calls of one do not delay the single call of another. Within an account the longest due come first.

The update is conditional on the state and names the rows by a subquery that locks them (`FOR UPDATE SKIP
LOCKED`, so that dialers do not wait for each other; SQLite has one writer anyway).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import AttemptState, Call, ClaimedCall, Lease
from outdial.domain.pace_ledger import Limits
from outdial.storage import credit, due_queues, paces, ways
from outdial.storage.calls import COLUMNS, to_call
from outdial.storage.due_queues import NOT_PAUSED, QUEUED, Queue
from outdial.storage.fencing import DIALER_ALIVE
from outdial.storage.paces import Ledger
from outdial.storage.statement import Statement
from outdial.storage.tables import attempts, calls, trunks
from outdial.storage.ways import NO_DETOURS, Detour, Detours

_WHILE_FULL_MS = 100
"""How soon to look again at what has due calls and no place: places come back by other dialers, too."""

_TRUNK = Statement(
    sa.select(trunks.c.calls_per_second, trunks.c.max_concurrent).where(trunks.c.id == bindparam("p_trunk"))
)

_DUE = (
    sa.select(calls.c.seq)
    .where(
        QUEUED,
        NOT_PAUSED,
        calls.c.trunk_id == bindparam("p_trunk"),
        calls.c.account_id == bindparam("p_account"),
        calls.c.bridge == bindparam("p_bridge"),
        calls.c.due_at <= bindparam("p_now"),
        DIALER_ALIVE,
    )
    .order_by(calls.c.due_at, calls.c.seq)
    # Rendered as a number: PostgreSQL's generic plans guess a tenth of the table for an unknown limit, and
    # then read all of it.
    .limit(bindparam("p_limit", type_=sa.Integer, literal_execute=True))
    .with_for_update(skip_locked=True, of=calls)
    # PostgreSQL never inlines a CTE with row locks, so it runs once; as a plain subquery the planner may run
    # it again and again and claim more than the limit.
    .cte("due")
)

CLAIM = (
    sa.update(calls)
    .where(calls.c.seq.in_(sa.select(_DUE.c.seq)), QUEUED)
    .values(
        state=sa.literal_column("'leased'"),
        dialer_id=bindparam("p_dialer"),
        fence=calls.c.fence + 1,
        attempts_started=calls.c.attempts_started + 1,
        held_why=sa.null(),
    )
    .returning(calls.c.seq, calls.c.fence, *COLUMNS)
)

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
    claimed: list[tuple[int, int, ClaimedCall]] = []
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
            found, next_due_at_trunk = _claim_trunk(conn, dialer_id, now, trunk, count, queues)
            claimed += found
            next_due.pop(trunk)
            if next_due_at_trunk is not None:
                next_due[trunk] = next_due_at_trunk
    for trunk, due_at in taken_over.items():
        if due_at is not None:
            next_due[trunk] = min(due_at, next_due.get(trunk, due_at))
    if claimed:
        _INSERT_ATTEMPTS.execute_many(conn, [_attempt_row(call.lease, now) for _, _, call in claimed])
    claimed.sort(key=lambda item: item[:2])
    return Claims([call for _, _, call in claimed], next_due)


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
    return max(min(looked_at), now + _WHILE_FULL_MS) if looked_at else None


def next_due_at(conn: sa.Connection, trunk_ids: Iterable[int]) -> dict[int, int]:
    """Return when the next queued call of each of these trunks is due, Unix milliseconds."""
    found = {trunk: [queue.due_at for queue in due_queues.walk(conn, trunk)] for trunk in trunk_ids}
    return {trunk: min(due) for trunk, due in found.items() if due}


def _claim_trunk(
    conn: sa.Connection, dialer_id: str, now: int, trunk: int, count: int, queues: list[Queue]
) -> tuple[list[tuple[int, int, ClaimedCall]], int | None]:
    """Claim from the queues of one trunk in turn; also when there may be more, None for not by time alone."""
    limits = Limits(*_TRUNK.execute(conn, {"p_trunk": trunk}).one())
    ledger = paces.lock(conn, paces.TRUNK, trunk, limits, now=now)
    if ledger is None:
        return [], now
    if len(queues) == due_queues.MOST:
        queues = list(due_queues.walk(conn, trunk, after=ledger.served + 1)) or queues
    later = [queue.due_at for queue in queues if queue.due_at > now]
    if ledger.left == 0:
        full = ledger.free_at == now
        return [], min([*later, now + _WHILE_FULL_MS if full else ledger.free_at])
    locked: dict[tuple[str, int], Ledger] = {}
    turns = _in_turn(conn, [queue for queue in queues if queue.due_at <= now], ledger.served, locked, now)
    claimed: list[tuple[int, int, ClaimedCall]] = []
    places = min(count, ledger.left)
    while places > len(claimed) and turns:
        part = max(1, (places - len(claimed)) // len(turns))
        for account, own in list(turns.items()):
            wanted = min(part, places - len(claimed))
            found = _claim_account(conn, dialer_id, now, trunk, own, wanted, ledger, later) if wanted else []
            claimed += found
            ledger.served = account if found else ledger.served
            if not own:
                del turns[account]
    if turns:
        later.append(ledger.free_at)
    for each in (ledger, *locked.values()):
        each.store(conn)
    return claimed, min(later, default=None)


def _claim_account(
    conn: sa.Connection,
    dialer_id: str,
    now: int,
    trunk: int,
    own: list[Queue],
    wanted: int,
    ledger: Ledger,
    later: list[int],
) -> list[tuple[int, int, ClaimedCall]]:
    """Claim up to `wanted` calls of an account; queues of `own` that have no more now are taken out of it.

    When these may have more is added to `later`.
    """
    claimed: list[tuple[int, int, ClaimedCall]] = []
    while len(claimed) < wanted and own:
        queue = own[0]
        asked = min(wanted - len(claimed), queue.left())
        found = _claim(conn, dialer_id, now, trunk, queue, asked) if asked > 0 else []
        for each in (ledger, *queue.ledgers):
            each.taken += len(found)
        claimed += found
        if len(found) < asked or queue.left() <= 0:
            own.pop(0)
            later += _looked_at_again(conn, queue, trunk, now)
    return claimed


def _in_turn(
    conn: sa.Connection, due: list[Queue], served: int, locked: dict[tuple[str, int], Ledger], now: int
) -> dict[int, list[Queue]]:
    """The queues by account, beginning behind the account that was served last; with what limits them."""
    turns: dict[int, list[Queue]] = {}
    for queue in sorted(due, key=lambda each: (each.account_id <= served, each.account_id, each.due_at)):
        if all(
            _limit(conn, queue, locked, kind, thing, limits, now, name)
            for kind, thing, limits, name in (
                (paces.ACCOUNT, queue.account_id, queue.account_limits, None),
                (paces.BRIDGE, queue.bridge_id, queue.bridge_limits, queue.bridge),
            )
            if thing is not None and limits != Limits()
        ):
            turns.setdefault(queue.account_id, []).append(queue)
    return turns


def _limit(
    conn: sa.Connection,
    queue: Queue,
    locked: dict[tuple[str, int], Ledger],
    kind: str,
    thing: int,
    limits: Limits,
    now: int,
    name: str | None,
) -> bool:
    ledger = locked.get((kind, thing)) or paces.lock(conn, kind, thing, limits, now=now, name=name)
    if ledger is None:
        return False
    locked[kind, thing] = ledger
    queue.ledgers.append(ledger)
    return True


def _looked_at_again(conn: sa.Connection, queue: Queue, trunk: int, now: int) -> list[int]:
    """When a queue that gave less than it was asked for is due again."""
    held = [each for each in queue.ledgers if each.left <= 0]
    if held:
        return [max(now + _WHILE_FULL_MS, *(each.free_at for each in held))]
    for left in due_queues.walk(conn, trunk, after=queue.account_id - 1):
        if left.account_id > queue.account_id:
            break
        if left.account_id == queue.account_id and left.bridge == queue.bridge:
            return [left.due_at]
    return []


def _claim(
    conn: sa.Connection, dialer_id: str, now: int, trunk: int, queue: Queue, count: int
) -> list[tuple[int, int, ClaimedCall]]:
    rows = conn.execute(
        CLAIM,
        {
            "p_dialer": dialer_id,
            "p_now": now,
            "p_trunk": trunk,
            "p_account": queue.account_id,
            "p_bridge": queue.bridge,
            "p_limit": count,
        },
    ).all()
    leased = []
    prepaid: dict[int, bool] = {}
    for row in rows:
        call = to_call(row)
        lease = Lease(call.id, call.attempts_started, row.fence, dialer_id)
        leased.append(
            (call.due_at, row.seq, ClaimedCall(call=call, lease=lease, covered=_covered(conn, call, prepaid)))
        )
    return leased


def _covered(conn: sa.Connection, call: Call, prepaid: dict[int, bool]) -> bool:
    """Look again whether the call is paid for; `prepaid` remembers each account for this claim."""
    if call.reserved or (call.rate is not None and call.rate.is_free):
        return True
    if call.account_id not in prepaid:
        account = credit.get(conn, call.account_id)
        prepaid[call.account_id] = account is not None and account.prepaid
    return not prepaid[call.account_id]


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
