"""Which addresses of ours each trunk knows: as the dialers that keep them registered say it.

Each dialer registers an address of its own, so the address names the dialer. What one that died had
registered is true until it lapses at the trunk, too.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import registrations

_THIS = (
    registrations.c.trunk_id == bindparam("p_trunk"),
    registrations.c.contact == bindparam("p_contact"),
)
_INSERT = sa.insert(registrations)
_DELETE = sa.delete(registrations).where(*_THIS)
_DELETE_OLD = sa.delete(registrations).where(registrations.c.holds_until <= bindparam("p_now"))
_CURRENT = (
    sa.select(registrations)
    .where(registrations.c.holds_until > bindparam("p_now"))
    .order_by(registrations.c.trunk_id, registrations.c.contact)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRegistration:
    """One address of ours at one trunk."""

    contact: str
    """As a SIP URI; empty before it is known."""
    registered_until: int | None = None
    """Unix milliseconds; it is refreshed long before. None while it is not registered."""
    problem: str | None = None
    """What the last REGISTER came to, as a part of a sentence; None if it was granted."""
    sip_code: int | None = None
    holds_until: int
    """When this lapses, or is over at the latest if no news come: Unix milliseconds."""


def note(conn: sa.Connection, trunk_id: int, row: StoredRegistration, *, now: int) -> None:
    """Keep what a dialer says about its address, and forget what is over."""
    conn.execute(_DELETE_OLD, {"p_now": now})
    forget(conn, trunk_id, row.contact)
    values = {column: getattr(row, column) for column in StoredRegistration.__slots__}
    conn.execute(_INSERT, values | {"trunk_id": trunk_id})


def forget(conn: sa.Connection, trunk_id: int, contact: str) -> None:
    """Note that a dialer does not register this address any more."""
    conn.execute(_DELETE, {"p_trunk": trunk_id, "p_contact": contact})


def of_trunks(conn: sa.Connection, *, now: int) -> dict[int, list[StoredRegistration]]:
    """Return what is known of each trunk's registrations, by its id."""
    found: dict[int, list[StoredRegistration]] = {}
    for row in conn.execute(_CURRENT, {"p_now": now}).mappings():
        values = {column: row[column] for column in StoredRegistration.__slots__}
        found.setdefault(row["trunk_id"], []).append(StoredRegistration(**values))
    return found
