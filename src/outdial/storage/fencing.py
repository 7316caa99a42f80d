"""The condition of every write about an attempt: it is still this dialer's, and the dialer is alive."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.storage.tables import attempts, dialers

DIALER_ALIVE = sa.exists().where(dialers.c.id == bindparam("p_dialer"), dialers.c.lost_at.is_(None))
"""Nobody has declared the dialer `p_dialer` lost: until somebody does, nobody takes its calls."""

MINE = (
    attempts.c.call_id == bindparam("p_call"),
    attempts.c.number == bindparam("p_number"),
    attempts.c.fence == bindparam("p_fence"),
    attempts.c.dialer_id == bindparam("p_dialer"),
    DIALER_ALIVE,
)
"""Conditions on `attempts`; `mine` gives the parameters."""


def mine(lease: Lease) -> dict[str, Any]:
    """Return the parameters of MINE."""
    return {
        "p_call": lease.call_id,
        "p_number": lease.number,
        "p_fence": lease.fence,
        "p_dialer": lease.dialer_id,
    }
