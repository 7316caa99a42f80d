"""Trunks: carrier accounts, as the person who runs the server set them up."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import paces, wake
from outdial.storage.tables import calls, trunks

_INSERT = sa.insert(trunks).returning(trunks.c.id)
_UPDATE = sa.update(trunks).where(trunks.c.id == bindparam("p_id"))
_BY_ID = sa.select(trunks).where(trunks.c.id == bindparam("p_id"))
_BY_NAME = sa.select(trunks).where(trunks.c.name == bindparam("p_name"))
_NAME_FOR_CALL = (
    sa.select(trunks.c.name)
    .join_from(calls, trunks, trunks.c.id == calls.c.trunk_id)
    .where(calls.c.id == bindparam("p_call"))
)
_ALL = sa.select(trunks).order_by(trunks.c.id)
_DELETE = sa.delete(trunks).where(trunks.c.id == bindparam("p_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrunk:
    """A trunk's settings."""

    name: str
    host: str
    port: int = 5060
    transport: str = "udp"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    auth_username: str | None = None
    """For the digest, where it differs from `username`."""
    from_user: str | None = None
    """Overrides the bridge's number in From."""
    from_domain: str | None = None
    dial_prefix: str = ""
    """Put before the number in the request line, for instance `+`."""
    caller_id_mode: str = "from"
    """`from`, `p_asserted_identity` or `remote_party_id`."""
    privacy: bool = False
    """Ask the trunk to hide the caller id (RFC 3323)."""
    codecs: tuple[str, ...] = ("PCMA", "PCMU", "G722")
    """In the order of the offer."""
    ptime_ms: int = 20
    ring_timeout_s: int = 45
    max_call_s: int = 3600
    session_expires_s: int = 0
    """What we offer as Session-Expires (RFC 4028); 0 offers none."""
    options_interval_s: int = 0
    """Between OPTIONS as a health check, 30 is usual; 0 sends none. A silent trunk's calls stay queued."""
    register_expires_s: int = 0
    """For how long we ask to be registered (RFC 3261 §10), 300 is usual; 0 registers nowhere."""
    calls_per_second: float = 10.0
    max_concurrent: int = 100
    keep_to_peer: bool = False
    """Send in-dialog requests to the signalling peer, not to a Contact that may be private."""
    addresses: tuple[str, ...] = ()
    """Further networks in CIDR form that the trunk sends from; its host's addresses are always among them."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to every INVITE."""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk(NewTrunk):
    """A stored trunk."""

    id: int
    created_at: int


def insert(conn: sa.Connection, trunk: NewTrunk, *, now: int) -> Trunk:
    """Add a trunk and tell the dialers; a name that exists raises IntegrityError."""
    trunk_id = conn.execute(_INSERT, _row(trunk) | {"created_at": now}).scalar_one()
    paces.add(conn, paces.TRUNK, trunk_id)
    _announce(conn)
    return _with_id(trunk, trunk_id, now)


def update(conn: sa.Connection, trunk_id: int, trunk: NewTrunk) -> bool:
    """Replace a trunk's settings and tell the dialers; False if there is none."""
    found = conn.execute(_UPDATE.values(**_row(trunk)), {"p_id": trunk_id}).rowcount == 1
    _announce(conn)
    return found


def delete(conn: sa.Connection, trunk_id: int) -> bool:
    """Remove a trunk and tell the dialers; False if there is none.

    One that a bridge belongs to, or that any call was accepted for, raises IntegrityError: records name it.
    """
    found = conn.execute(_DELETE, {"p_id": trunk_id}).rowcount == 1
    wake.announce(conn, wake.TRUNKS)
    return found


def get(conn: sa.Connection, trunk_id: int) -> Trunk | None:
    """Return one trunk."""
    row = conn.execute(_BY_ID, {"p_id": trunk_id}).mappings().one_or_none()
    return None if row is None else _trunk(row)


def get_by_name(conn: sa.Connection, name: str) -> Trunk | None:
    """Return the trunk of that name."""
    row = conn.execute(_BY_NAME, {"p_name": name}).mappings().one_or_none()
    return None if row is None else _trunk(row)


def name_for_call(conn: sa.Connection, call_id: str) -> str | None:
    """Return the name of the trunk that a call goes by now."""
    return conn.scalar(_NAME_FOR_CALL, {"p_call": call_id})


def find_all(conn: sa.Connection) -> list[Trunk]:
    """Return all trunks, oldest first."""
    return [_trunk(row) for row in conn.execute(_ALL).mappings()]


def _announce(conn: sa.Connection) -> None:
    """Tell the dialers: what was wrong with a trunk's registration may be mended now."""
    wake.announce(conn, wake.TRUNKS)
    wake.announce(conn, wake.REGISTRATIONS)


def _row(trunk: NewTrunk) -> dict[str, Any]:
    return {column: getattr(trunk, column) for column in NewTrunk.__slots__} | {
        "codecs": json.dumps(list(trunk.codecs)),
        "addresses": json.dumps(list(trunk.addresses)),
        "headers": json.dumps(dict(trunk.headers)),
    }


def _with_id(trunk: NewTrunk, trunk_id: int, now: int) -> Trunk:
    return Trunk(**asdict(trunk), id=trunk_id, created_at=now)


def _trunk(row: sa.RowMapping) -> Trunk:
    return Trunk(
        **{
            **row,
            "codecs": tuple(json.loads(row["codecs"])),
            "addresses": tuple(json.loads(row["addresses"])),
            "headers": json.loads(row["headers"]),
        }
    )
