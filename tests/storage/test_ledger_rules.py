"""The ledger under any order of what can happen to it: it adds up and a prepaid account is never overdrawn.

On SQLite alone, because what is asked here is arithmetic; `test_credit.py` asks both databases for the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from outdial.storage import accounts, credit
from outdial.storage.credit import Kind, NotCovered
from outdial.storage.tables import metadata

UNITS = st.integers(1, 30)


class Ledger(RuleBasedStateMachine):
    """One prepaid account beside a model of it: a balance, and what each open call holds back."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = sa.create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.conn = self.engine.connect()
        account = accounts.insert(self.conn, name="a", now=1)
        self.other = accounts.insert(self.conn, name="b", now=1).id
        self.account_id = account.id
        credit.set_terms(self.conn, account.id, prepaid=True, currency="USD")
        self.balance = 0
        self.open: dict[str, int] = {}
        self.made = 0

    def teardown(self) -> None:
        self.conn.close()
        self.engine.dispose()

    @property
    def available(self) -> int:
        return self.balance - sum(self.open.values())

    @contextmanager
    def refused_if(self, too_much: bool) -> Iterator[None]:
        if not too_much:
            yield
            return
        with pytest.raises(NotCovered):
            yield

    @rule(units=UNITS)
    def top_up(self, units: int) -> None:
        credit.add(self.conn, self.account_id, units, kind=Kind.TOP_UP, note="", now=1)
        self.balance += units

    @rule(units=UNITS)
    def take_away(self, units: int) -> None:
        too_much = units > self.available
        with self.refused_if(too_much):
            credit.add(self.conn, self.account_id, -units, kind=Kind.ADJUSTMENT, note="", now=1)
        self.balance -= 0 if too_much else units

    @rule(units=UNITS)
    def accept(self, units: int) -> None:
        self.made += 1
        too_much = units > self.available
        with self.refused_if(too_much):
            credit.reserve(self.conn, self.account_id, units, call_id=f"c:{self.made}", now=1)
        if not too_much:
            self.open[f"c:{self.made}"] = units

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.open)))
        reserved = self.open.pop(call_id)
        charge = data.draw(st.integers(0, reserved))
        credit.settle(self.conn, self.account_id, call_id, charge=charge, reserved=reserved, now=1)
        self.balance -= charge

    @invariant()
    def adds_up(self) -> None:
        account = credit.get(self.conn, self.account_id)
        assert account is not None
        assert (account.balance, account.reserved) == (self.balance, sum(self.open.values()))
        lines = credit.entries(self.conn, self.account_id, limit=10_000)
        assert sum(line.amount for line in lines) == account.balance
        assert sum(line.reserved for line in lines) == account.reserved
        assert 0 <= account.reserved <= account.balance
        after = 0
        for line in reversed(lines):
            after += line.amount
            assert line.balance_after == after
        assert credit.count(self.conn, self.other) == 0


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
