"""Prices and credit as an administrator changes them: each one transaction with its line of the audit log."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from outdial.domain.money import to_text
from outdial.errors import NotFound
from outdial.storage import audit, credit, rates
from outdial.storage.administration import check_references, the_account
from outdial.storage.audit import Actor
from outdial.storage.credit import Credit, Kind
from outdial.storage.rates import CardRow, NewCardRow


def put_rate(conn: sa.Connection, actor: Actor, row: NewCardRow, *, now: int) -> CardRow:
    """Set a price, in the place of the one with its account, currency and prefix.

    Raises InvalidReference for an unknown account.
    """
    check_references(conn, {"account_id": row.account_id})
    before = rates.same(conn, row)
    rates.put(conn, [row], now=now)
    after = rates.same(conn, row)
    assert after is not None
    audit.write(
        conn,
        actor,
        at=now,
        action="create" if before is None else "change",
        thing="rate",
        thing_id=after.id,
        before=None if before is None else _noted(before),
        after=_noted(after),
    )
    return after


def import_rates(conn: sa.Connection, actor: Actor, rows: Sequence[NewCardRow], *, now: int) -> None:
    """Set many prices at once, with one line of the audit log. Raises InvalidReference."""
    accounts = sorted({row.account_id for row in rows if row.account_id is not None})
    for account_id in accounts:
        check_references(conn, {"account_id": account_id})
    rates.put(conn, rows, now=now)
    audit.write(
        conn,
        actor,
        at=now,
        action="import",
        thing="rate",
        thing_id="",
        after={"prices": len(rows), "accounts": accounts},
    )


def remove_rate(conn: sa.Connection, actor: Actor, rate_id: int, *, now: int) -> None:
    """Remove a price; calls that were accepted at it are still charged by it. Raises NotFound."""
    before = rates.get(conn, rate_id)
    if before is None:
        raise NotFound(f"There is no price {rate_id}.")
    rates.delete(conn, rate_id)
    audit.write(conn, actor, at=now, action="remove", thing="rate", thing_id=rate_id, before=_noted(before))


def add_credit(
    conn: sa.Connection, actor: Actor, account_id: int, units: int, *, note: str, now: int
) -> Credit:
    """Add credit, or take it away if `units` is below 0.

    Raises NotFound, and NotCovered for less than what the account's calls have reserved.
    """
    the_account(conn, account_id)
    kind = Kind.TOP_UP if units > 0 else Kind.ADJUSTMENT
    credit.add(conn, account_id, units, kind=kind, note=note, now=now)
    after = credit.get(conn, account_id)
    assert after is not None
    audit.write(
        conn,
        actor,
        at=now,
        action="change",
        thing="credit",
        thing_id=account_id,
        before={"balance": to_text(after.balance - units)},
        after={"balance": to_text(after.balance)},
    )
    return after


def _noted(row: CardRow) -> dict[str, Any]:
    values = asdict(row)
    rate: dict[str, Any] = values.pop("rate")
    money = {name: to_text(rate[name]) for name in ("first_price", "next_price", "connection_fee")}
    return rate | money | values
