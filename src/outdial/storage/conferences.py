"""Which dialer has a conference room: those who are in one hear each other in one process.

A room belongs to the dialer of whoever comes first, until the last one goes; what a dialer that died had is
free at once.
"""

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.statement import Statement
from outdial.storage.tables import conferences, dialers

_THIS = (conferences.c.account_id == bindparam("p_account"), conferences.c.room == bindparam("p_room"))
_ADD = sa.text(
    "INSERT INTO conferences (account_id, room, dialer_id) VALUES (:p_account, :p_room, :p_dialer)"
    " ON CONFLICT DO NOTHING"
)
_OWNER_LIVES = sa.exists().where(dialers.c.id == conferences.c.dialer_id, dialers.c.lost_at.is_(None))
_TAKE_OVER = Statement(
    sa.update(conferences).where(*_THIS, ~_OWNER_LIVES).values(dialer_id=bindparam("p_dialer"))
)
_OWNER = Statement(sa.select(conferences.c.dialer_id).where(*_THIS))
_FREE = Statement(sa.delete(conferences).where(*_THIS, conferences.c.dialer_id == bindparam("p_dialer")))


def open_room(conn: sa.Connection, account_id: int, room: str, *, dialer_id: str) -> bool:
    """Have a room for a dialer; False if another one that lives has it."""
    this = {"p_account": account_id, "p_room": room}
    conn.execute(_ADD, this | {"p_dialer": dialer_id})
    if _OWNER.execute(conn, this).scalar_one() == dialer_id:
        return True
    return _TAKE_OVER.execute(conn, this | {"p_dialer": dialer_id}).rowcount == 1


def close_room(conn: sa.Connection, account_id: int, room: str, *, dialer_id: str) -> None:
    """Let go of a room that is empty."""
    _FREE.execute(conn, {"p_account": account_id, "p_room": room, "p_dialer": dialer_id})
