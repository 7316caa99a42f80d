"""Every chaos test runs on a prepaid account, so that the ledger can be audited after each of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from outdial.domain.call import CallState
from outdial.domain.rating import Rate, bill
from outdial.storage import credit, rates
from outdial.storage.credit import Credit, Kind
from outdial.storage.credit import Entry as Line
from outdial.storage.tables import agent_legs, calls
from outdial.supervisor.first_start import default_account
from outdial.supervisor.parts import wall_clock_ms
from tests.chaos.ledger import Entry

# Pulses so long that what is reserved for a short sound also covers a slow machine.
RATE = Rate(prefix="1", first_pulse_s=10, next_pulse_s=10, first_price=70, next_price=30, connection_fee=5)
TOP_UP = 100_000_000


@dataclass(frozen=True)
class Money:
    """How the account stands, and every line of its ledger, oldest first."""

    credit: Credit
    lines: list[Line]
    open_reserved: int
    """What the calls that are not over have reserved, by their own rows."""


def make_prepaid(conn: sa.Connection) -> None:
    """Put the default account's calls at a price, and give it credit for many of them."""
    account, now = default_account(conn), wall_clock_ms()
    rates.put(conn, [rates.NewCardRow(rate=RATE, currency=account.currency)], now=now)
    credit.add(conn, account.id, TOP_UP, kind=Kind.TOP_UP, note="", now=now)
    credit.set_terms(conn, account.id, prepaid=True, currency=account.currency)


def read_account(conn: sa.Connection) -> Money:
    """The default account's money."""
    account = default_account(conn)
    stands = credit.get(conn, account.id)
    assert stands is not None
    lines = credit.entries(conn, account.id, limit=1_000_000)[::-1]
    query = sa.select(sa.func.coalesce(sa.func.sum(calls.c.reserved), 0))
    open_reserved = conn.execute(query.where(calls.c.state != CallState.DONE.value)).scalar_one()
    legs = sa.select(sa.func.coalesce(sa.func.sum(agent_legs.c.reserved), 0))
    open_reserved += conn.execute(legs.where(agent_legs.c.state != "ended")).scalar_one()
    return Money(stands, lines, int(open_reserved))


def money_problems(ledger: Mapping[str, Entry], money: Money) -> list[str]:
    """Everything in the account and in the bills of these calls that does not add up."""
    charged: dict[str | None, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
    for line in money.lines:
        if line.kind is Kind.CHARGE:
            charged[line.call_id][line.attempt].append(-line.amount)
    found = [*_account(money)]
    for call_id, entry in ledger.items():
        found += _call(entry, charged.get(call_id, {}))
    return found


def _account(money: Money) -> Iterable[str]:
    balance = 0
    for line in money.lines:
        balance += line.amount
        if line.balance_after != balance:
            yield f"ledger line {line.id} says {line.balance_after}, the lines up to it make {balance}"
    if money.credit.balance != balance:
        yield f"the balance is {money.credit.balance}, the ledger makes {balance}"
    reserved = sum(line.reserved for line in money.lines)
    if not money.credit.reserved == reserved == money.open_reserved:
        yield (
            f"{money.credit.reserved} is reserved, the ledger makes {reserved},"
            f" the open calls {money.open_reserved}"
        )
    if money.credit.available < 0:
        yield f"the account is overdrawn by {-money.credit.available}"


def _call(entry: Entry, charged: Mapping[int | None, list[int]]) -> Iterable[str]:
    """One charge for each attempt that was answered, at the price that was promised, and no other."""
    call = entry.call
    if call.rate is None or not call.reserved:
        yield f"{call.id} has the rate {call.rate} and reserved {call.reserved}"
    billed: dict[int | None, list[int]] = {}
    for record in entry.cdrs:
        outcome = record.outcome
        answered = outcome.answered_at is not None
        wanted = bill(call.rate, answered=answered, talk_ms=outcome.talk_ms, most=call.reserved)
        if record.bill != wanted:
            yield f"{call.id}: attempt {record.number} has the bill {record.bill}, not {wanted}"
        if answered:
            billed[record.number] = [record.bill.charge]
    if charged != billed:
        yield f"{call.id} was charged {dict(charged)}, its CDRs say {billed}"
