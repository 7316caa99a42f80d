"""The credit of accounts: one balance, what calls hold back of it, and an append-only ledger of both.

What is reserved when a call is accepted covers its charge, so a prepaid balance is never overdrawn: the one
place where it could be is the conditional statement of `reserve`. The sum of an account's ledger is its
balance; what its calls that are not done have reserved is its `reserved`.
"""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.errors import StorageError
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, ledger

_THIS = accounts.c.id == bindparam("p_account")
_GET = Statement(
    sa.select(accounts.c.balance, accounts.c.reserved, accounts.c.currency, accounts.c.prepaid).where(_THIS)
)
_MOVE = (
    sa.update(accounts)
    .values(
        balance=accounts.c.balance + bindparam("p_amount", type_=sa.BigInteger),
        reserved=accounts.c.reserved + bindparam("p_reserved", type_=sa.BigInteger),
    )
    .returning(accounts.c.balance)
)
_MOVE_ANYWAY = Statement(_MOVE.where(_THIS))
_MOVE_IF_COVERED = Statement(
    _MOVE.where(
        _THIS,
        accounts.c.balance - accounts.c.reserved
        >= bindparam("p_reserved", type_=sa.BigInteger) - bindparam("p_amount", type_=sa.BigInteger),
    )
)
_NOTE = Statement(
    sa.insert(ledger).values(
        {column.name: bindparam(column.name) for column in ledger.c if column.name != "id"}
    )
)
_TERMS = (
    sa.update(accounts).where(_THIS).values(prepaid=bindparam("p_prepaid"), currency=bindparam("p_currency"))
)
_OWES_NOTHING = accounts.c.balance >= accounts.c.reserved
_ENTRIES = (
    sa.select(ledger)
    .where(ledger.c.account_id == bindparam("p_account"))
    .order_by(ledger.c.id.desc())
    .limit(bindparam("p_limit"))
    .offset(bindparam("p_offset"))
)
_COUNT = sa.select(sa.func.count()).select_from(ledger).where(ledger.c.account_id == bindparam("p_account"))

# Dialers and the API write about several accounts in one transaction, each in its own order. With one lock
# for all of them none waits for another in a circle, which PostgreSQL would notice only after a second.
_LOCK = "SELECT pg_advisory_xact_lock(7310595)"


class Kind(StrEnum):
    """Why an entry of the ledger was made."""

    TOP_UP = "top_up"
    CHARGE = "charge"
    RESERVE = "reserve"
    RELEASE = "release"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """How an account stands, in units."""

    balance: int
    """Below 0, an account that is not prepaid owes as much."""
    reserved: int
    """The part of the balance that accepted calls may still use up."""
    currency: str
    prepaid: bool
    """Only what the balance covers is dialled."""

    @property
    def available(self) -> int:
        """What further calls may use."""
        return self.balance - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger."""

    id: int
    account_id: int
    kind: Kind
    amount: int
    """Added to the balance."""
    reserved: int
    """Added to what is reserved."""
    balance_after: int
    call_id: str | None
    """The call; for a list the id of the request."""
    attempt: int | None
    note: str
    at: int


class NotCovered(StorageError):  # noqa: N818 - named for what is wrong, as all of errors.py
    """The available part of the balance is smaller than what is wanted of it."""

    def __init__(self, credit: Credit, needed: int) -> None:
        super().__init__("the balance does not cover it")
        self.credit = credit
        self.needed = needed


def get(conn: sa.Connection, account_id: int) -> Credit | None:
    """Return how an account stands; None if there is none."""
    row = _GET.execute(conn, {"p_account": account_id}).one_or_none()
    if row is None:
        return None
    return Credit(balance=row[0], reserved=row[1], currency=row[2], prepaid=bool(row[3]))


def reserve(
    conn: sa.Connection, account_id: int, units: int, *, call_id: str, now: int, note: str = ""
) -> None:
    """Hold `units` back for a call, or for all calls of a request. Raises NotCovered."""
    _move(conn, account_id, Kind.RESERVE, 0, units, if_covered=True, call_id=call_id, now=now, note=note)


def add(conn: sa.Connection, account_id: int, units: int, *, kind: Kind, note: str, now: int) -> None:
    """Top an account up, or adjust its balance.

    Raises NotCovered for less than what its calls have reserved.
    """
    _move(conn, account_id, kind, units, 0, if_covered=units < 0, now=now, note=note)


def settle(
    conn: sa.Connection,
    account_id: int,
    call_id: str,
    *,
    charge: int,
    reserved: int,
    now: int,
    attempt: int | None = None,
    note: str = "",
) -> None:
    """Take what a call cost from the balance and let go of what it had reserved; once, when it is done.

    `charge` is not above `reserved` unless nothing was reserved.
    """
    if charge:
        used = min(charge, reserved)
        _move(conn, account_id, Kind.CHARGE, -charge, -used, call_id=call_id, attempt=attempt, now=now)
        reserved -= used
    if reserved:
        _move(
            conn,
            account_id,
            Kind.RELEASE,
            0,
            -reserved,
            call_id=call_id,
            attempt=attempt,
            note=note,
            now=now,
        )


def set_terms(conn: sa.Connection, account_id: int, *, prepaid: bool, currency: str) -> None:
    """Make an account prepaid or not, and choose its currency.

    Raises NotCovered if it shall be prepaid and owes something.
    """
    terms = _TERMS.where(_OWES_NOTHING) if prepaid else _TERMS
    values = {"p_account": account_id, "p_prepaid": prepaid, "p_currency": currency}
    if conn.execute(terms, values).rowcount != 1 and (credit := get(conn, account_id)) is not None:
        raise NotCovered(credit, 0)


def entries(conn: sa.Connection, account_id: int, *, limit: int = 50, offset: int = 0) -> list[Entry]:
    """Return an account's ledger, newest first."""
    rows = conn.execute(_ENTRIES, {"p_account": account_id, "p_limit": limit, "p_offset": offset})
    return [Entry(**{**row, "kind": Kind(row["kind"])}) for row in rows.mappings()]


def count(conn: sa.Connection, account_id: int) -> int:
    """Return how many entries an account's ledger has."""
    return int(conn.execute(_COUNT, {"p_account": account_id}).scalar_one())


def _move(
    conn: sa.Connection,
    account_id: int,
    kind: Kind,
    amount: int,
    reserved: int,
    *,
    now: int,
    if_covered: bool = False,
    call_id: str | None = None,
    attempt: int | None = None,
    note: str = "",
) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(_LOCK)
    move = _MOVE_IF_COVERED if if_covered else _MOVE_ANYWAY
    row = move.execute(
        conn, {"p_account": account_id, "p_amount": amount, "p_reserved": reserved}
    ).one_or_none()
    if row is None:
        credit = get(conn, account_id)
        if credit is None:
            raise StorageError(f"there is no account {account_id}")
        raise NotCovered(credit, reserved - amount)
    _NOTE.execute(
        conn,
        {
            "account_id": account_id,
            "kind": kind.value,
            "amount": amount,
            "reserved": reserved,
            "balance_after": row[0],
            "call_id": call_id,
            "attempt": attempt,
            "note": note,
            "at": now,
        },
    )
