"""Rate cards: the default one, and prices of an account's own, which win over the same prefix of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.rating import LONGEST_PREFIX, Rate, longest_match
from outdial.storage.statement import Row, Statement
from outdial.storage.tables import rates

_FEW = 20
"""Numbers whose prefixes are looked up one by one; for more of them the whole card is read once."""

_OF_ACCOUNT = sa.or_(rates.c.account_id.is_(None), rates.c.account_id == bindparam("p_account"))
_PRICES = (
    sa.select(
        rates.c.account_id,
        rates.c.prefix,
        rates.c.first_pulse_s,
        rates.c.next_pulse_s,
        rates.c.first_price,
        rates.c.next_price,
        rates.c.connection_fee,
    )
    .where(_OF_ACCOUNT, rates.c.currency == bindparam("p_currency"), rates.c.active)
    # Later ones win in `match_all`.
    .order_by(rates.c.account_id.is_not(None))
)
_ALL_PRICES = Statement(_PRICES)
_PRICES_OF_NUMBER = Statement(
    _PRICES.where(rates.c.prefix.in_([bindparam(f"p_{length}") for length in range(1, LONGEST_PREFIX + 1)]))
)
_LIST = sa.select(rates).order_by(rates.c.prefix, rates.c.account_id, rates.c.currency)
_DELETE = sa.delete(rates).where(rates.c.id == bindparam("p_id"))
_INSERT = sa.insert(rates)
_DELETE_SAME = sa.delete(rates).where(
    rates.c.prefix == bindparam("p_prefix"),
    rates.c.currency == bindparam("p_currency"),
    sa.func.coalesce(rates.c.account_id, 0) == bindparam("p_account"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCardRow:
    """One price to put into a card."""

    rate: Rate
    currency: str
    account_id: int | None = None
    """Whose own card it belongs to; None: the default card."""
    iso: str | None = None
    """Country, ISO 3166 alpha-2."""
    country_name: str = ""
    calling_code: str = ""
    active: bool = True
    """An inactive price is as if it were not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow(NewCardRow):
    """One price of a card."""

    id: int
    updated_at: int


def put(conn: sa.Connection, rows: Sequence[NewCardRow], *, now: int) -> None:
    """Add prices, each in the place of the one with its account, currency and prefix; the last one wins."""
    unique = {(row.account_id, row.currency, row.rate.prefix): row for row in rows}
    if not unique:
        return
    conn.execute(
        _DELETE_SAME,
        [
            {"p_prefix": prefix, "p_currency": currency, "p_account": account_id or 0}
            for account_id, currency, prefix in unique
        ],
    )
    conn.execute(_INSERT, [_values(row) | {"updated_at": now} for row in unique.values()])


def delete(conn: sa.Connection, rate_id: int) -> bool:
    """Remove a price; calls that were accepted at it are still charged by it. False if there is none."""
    return conn.execute(_DELETE, {"p_id": rate_id}).rowcount == 1


def get(conn: sa.Connection, rate_id: int) -> CardRow | None:
    """Return a price."""
    return _one(conn, rates.c.id == rate_id)


def same(conn: sa.Connection, row: NewCardRow) -> CardRow | None:
    """Return the price that `put` puts `row` in the place of."""
    return _one(
        conn,
        rates.c.prefix == row.rate.prefix,
        rates.c.currency == row.currency,
        sa.func.coalesce(rates.c.account_id, 0) == (row.account_id or 0),
    )


def find(
    conn: sa.Connection, *, limit: int, offset: int = 0, account_id: int | None = None, every: bool = False
) -> list[CardRow]:
    """Return the default card and the account's own prices by prefix; with `every` those of all accounts."""
    query = _chosen(_LIST, account_id, every).limit(limit).offset(offset)
    return [_card_row(row) for row in conn.execute(query).mappings()]


def count(conn: sa.Connection, *, account_id: int | None = None, every: bool = False) -> int:
    """Return how many prices `find` has."""
    query = _chosen(sa.select(sa.func.count()).select_from(rates), account_id, every)
    return int(conn.execute(query).scalar_one())


def match_all(conn: sa.Connection, account_id: int, currency: str, numbers: Sequence[str]) -> dict[str, Rate]:
    """Return the rate of each number that has one: the longest prefix; of equal ones the account's own."""
    known: dict[str, Rate] = {}
    parameters: dict[str, Any] = {"p_account": account_id, "p_currency": currency}
    if len(numbers) > _FEW:
        known = _prices(_ALL_PRICES.execute(conn, parameters).rows)
    else:
        for number in numbers:
            prefixes = {f"p_{length}": number[:length] for length in range(1, LONGEST_PREFIX + 1)}
            known |= _prices(_PRICES_OF_NUMBER.execute(conn, parameters | prefixes).rows)
    if not known:
        return {}
    return {number: rate for number in numbers if (rate := longest_match(known, number)) is not None}


def _prices(rows: Sequence[Row]) -> dict[str, Rate]:
    return {
        row[1]: Rate(
            prefix=row[1],
            first_pulse_s=row[2],
            next_pulse_s=row[3],
            first_price=row[4],
            next_price=row[5],
            connection_fee=row[6],
        )
        for row in rows
    }


def _chosen(query: sa.Select[Any], account_id: int | None, every: bool) -> sa.Select[Any]:
    if every:
        return query
    return query.where(sa.or_(rates.c.account_id.is_(None), rates.c.account_id == account_id))


def _one(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> CardRow | None:
    row = conn.execute(sa.select(rates).where(*conditions)).mappings().one_or_none()
    return None if row is None else _card_row(row)


def _values(row: NewCardRow) -> dict[str, Any]:
    return {
        **asdict(row.rate),
        "account_id": row.account_id,
        "currency": row.currency,
        "iso": row.iso,
        "country_name": row.country_name,
        "calling_code": row.calling_code,
        "active": row.active,
    }


def _card_row(row: sa.RowMapping) -> CardRow:
    names = ("prefix", "first_pulse_s", "next_pulse_s", "first_price", "next_price", "connection_fee")
    own = ("id", "updated_at", "account_id", "currency", "iso", "country_name", "calling_code", "active")
    return CardRow(rate=Rate(**{name: row[name] for name in names}), **{name: row[name] for name in own})
