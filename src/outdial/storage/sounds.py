"""Sounds: what accounts uploaded. The clips themselves are blobs, under `clip_key`."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import sounds

_INSERT = sa.insert(sounds)
_THIS = (
    sounds.c.id == bindparam("p_id"),
    sounds.c.account_id == bindparam("p_account"),
    sounds.c.deleted_at.is_(None),
)
_GET = sa.select(sounds).where(*_THIS)
_OF_ACCOUNT = (
    sa.select(sounds)
    .where(sounds.c.account_id == bindparam("p_account"), sounds.c.deleted_at.is_(None))
    .order_by(sounds.c.created_at.desc(), sounds.c.id)
    .limit(bindparam("p_limit"))
    .offset(bindparam("p_offset"))
)
_COUNT = (
    sa.select(sa.func.count())
    .select_from(sounds)
    .where(sounds.c.account_id == bindparam("p_account"), sounds.c.deleted_at.is_(None))
)
_DELETE = sa.update(sounds).where(*_THIS).values(deleted_at=bindparam("p_now"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One uploaded sound."""

    id: str
    """UUID."""
    account_id: int
    name: str
    duration_ms: int
    source_format: str
    """What was uploaded: `mp3`, `wav` …"""
    bytes: int
    """Of the upload."""
    sha256: str
    """Of the upload."""
    created_at: int
    deleted_at: int | None = None


def clip_key(sound_id: str, codec: str) -> str:
    """Return the blob key of a sound's clip in a codec (`PCMU`, `PCMA`, `G722`)."""
    return f"sounds/{sound_id}/{codec}.clip"


def source_key(sound_id: str) -> str:
    """Return the blob key of the sound as it was uploaded."""
    return f"sounds/{sound_id}/source"


def insert(conn: sa.Connection, sound: Sound) -> None:
    """Add a sound whose blobs are stored already."""
    conn.execute(_INSERT, {name: getattr(sound, name) for name in Sound.__slots__})


def get(conn: sa.Connection, account_id: int, sound_id: str) -> Sound | None:
    """Return one sound of an account, unless it was deleted."""
    row = conn.execute(_GET, {"p_id": sound_id, "p_account": account_id}).mappings().one_or_none()
    return None if row is None else Sound(**row)


def of_account(conn: sa.Connection, account_id: int, *, limit: int = 50, offset: int = 0) -> list[Sound]:
    """Return an account's sounds, newest first."""
    parameters = {"p_account": account_id, "p_limit": limit, "p_offset": offset}
    return [Sound(**row) for row in conn.execute(_OF_ACCOUNT, parameters).mappings()]


def count(conn: sa.Connection, account_id: int) -> int:
    """Return how many sounds an account has."""
    return conn.execute(_COUNT, {"p_account": account_id}).scalar_one()


def delete(conn: sa.Connection, account_id: int, sound_id: str, *, now: int) -> bool:
    """Mark a sound as deleted; the row stays for the calls that name it. False if there is none."""
    return conn.execute(_DELETE, {"p_id": sound_id, "p_account": account_id, "p_now": now}).rowcount == 1
