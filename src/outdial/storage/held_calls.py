"""Calls that wait for their audio: queued, only due later, so that they hold neither a lease nor a line.

Whoever finds that the audio of a call is being fetched gives the call back until the fetch is over at the
latest, and all other due calls with this URL, so that they are not claimed one by one to learn the same.
When it is over they are due at once. Calls of a queue that play the same wait together, too, while it cannot
be had.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Call, Lease
from outdial.storage import audio_urls, giving_back, wake
from outdial.storage.audio_urls import Busy, Ready, Unusable
from outdial.storage.due_queues import DUE_IN_QUEUE, QUEUED
from outdial.storage.tables import calls

_SOON_MS = 500
"""When the answer is there already: time for the dialer that asked to learn it."""

_URL = calls.c.audio_url == bindparam("p_url")

# What another dialer claims at this moment is held by that dialer, if need be.
_DUE = (
    sa.select(calls.c.seq)
    .where(QUEUED, _URL, calls.c.due_at <= bindparam("p_now"))
    .with_for_update(skip_locked=True)
)

_HELD = (
    sa.select(calls.c.seq)
    .where(QUEUED, _URL, calls.c.due_at.in_(bindparam("p_untils", expanding=True)))
    .with_for_update(skip_locked=True)
)

_HOLD = sa.update(calls).where(calls.c.seq.in_(_DUE), QUEUED).values(due_at=bindparam("p_until"))

# A part of `ix_calls_due`, as a claim reads it.
_ALIKE = (
    sa.select(calls.c.seq)
    .where(
        DUE_IN_QUEUE,
        calls.c.sound_id.is_not_distinct_from(bindparam("p_sound")),
        calls.c.audio_url.is_not_distinct_from(bindparam("p_url")),
        calls.c.ivr_id.is_not_distinct_from(bindparam("p_flow")),
    )
    .with_for_update(skip_locked=True)
)

_HOLD_ALIKE = (
    sa.update(calls)
    .where(calls.c.seq.in_(_ALIKE), QUEUED)
    .values(due_at=bindparam("p_until"), held_why=bindparam("p_why"))
)

_LET_GO = sa.update(calls).where(calls.c.seq.in_(_HELD), QUEUED).values(due_at=bindparam("p_due_at"))


def hold(conn: sa.Connection, lease: Lease, url: str, *, until: int, now: int) -> bool:
    """Give a claimed call back, and make it and all due calls with this audio URL due at `until`.

    Or when the fetch that is under way elsewhere is over, which may have been just now. No attempt is spent.
    False, and nothing written, if the call was dialled or the lease is lost.
    """
    if not giving_back.release(conn, lease, now=now):
        return False
    match audio_urls.look_and_lock(conn, url, now=now):
        case Busy(until=over_at):
            until = max(over_at, now + _SOON_MS)
        case Ready() | Unusable():
            until = now + _SOON_MS
        case None:
            pass
    conn.execute(_HOLD, {"p_url": url, "p_until": until, "p_now": now})
    return True


def hold_alike(conn: sa.Connection, lease: Lease, call: Call, *, until: int, why: str, now: int) -> bool:
    """Give a claimed call back, and make it and all due calls of its queue that play the same due at `until`.

    `why` is the sentence that they wait by. No attempt is spent. False, and nothing written, if the call was
    dialled or the lease is lost.
    """
    if not giving_back.release(conn, lease, now=now, due_at=until, why=why):
        return False
    alike = {
        "p_trunk": call.trunk_id,
        "p_account": call.account_id,
        "p_bridge": call.bridge,
        "p_sound": call.sound_id,
        "p_url": call.audio_url,
        "p_flow": call.ivr_id,
    }
    conn.execute(_HOLD_ALIKE, {**alike, "p_until": until, "p_why": why, "p_now": now})
    return True


def let_go(conn: sa.Connection, url: str, untils: Collection[int], *, due_at: int) -> int:
    """Make the calls that are held until one of `untils` due at `due_at`; return how many."""
    if not untils:
        return 0
    count = conn.execute(_LET_GO, {"p_url": url, "p_untils": sorted(untils), "p_due_at": due_at}).rowcount
    if count:
        wake.announce(conn, wake.CALLS)
    return count
