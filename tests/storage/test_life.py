"""A call's whole life in any order, with crashes: every rule of storage at once, beside what really happened.

Dialers claim, dial, are answered and die; some go on after they were declared lost. Meanwhile calls are
cancelled, suppressed, paused, expire, and are rescued. What is true on the wire is kept by the model: whose
phone was made to ring, and who picked up.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from outdial.domain.agent_leg import AgentLegOutcome
from outdial.domain.call import AttemptOutcome, CallState, ClaimedCall, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify
from outdial.domain.flow_run import FlowRun
from outdial.domain.rating import Rate
from outdial.domain.retry_policy import decide
from outdial.storage import (
    accounts,
    agent_legs,
    attempts,
    bridges,
    callbacks,
    calls,
    cdrs,
    claims,
    credit,
    dial,
    endings,
    giving_back,
    leases,
    outbox,
    outbox_claims,
    pauses,
    rates,
    rescue,
    suppressions,
    trunks,
    webhooks,
)
from outdial.storage.agent_legs import Begun, NewLeg
from outdial.storage.credit import Kind, NotCovered
from outdial.storage.dial import Dial
from outdial.storage.engine import writer_engine
from outdial.storage.outbox_claims import Event
from outdial.storage.rates import NewCardRow
from outdial.storage.suppressions import NewSuppression
from outdial.storage.tables import agent_legs as legs_table
from outdial.storage.tables import attempts as attempts_table
from outdial.storage.tables import calls as calls_table
from outdial.storage.tables import metadata
from tests.storage.test_outbox import new_webhook
from tests.storage.world import BRIDGE

T = TypeVar("T")
NUMBERS = ("12025550100", "12025550101")
RATE = Rate(prefix="1", first_pulse_s=30, next_pulse_s=30, first_price=5000, next_price=5000)
RESERVED = 15_000
FOREVER_MS = 10 * 365 * 86_400_000
STEPS = 250


@dataclass(eq=False)
class Try:
    """One attempt in the hands of a dialer, and what is true of it on the wire."""

    claimed: ClaimedCall
    dialed: bool = False
    rang: bool = False
    answered_at: int | None = None
    over: bool = False
    """The dialer has done with it, whatever the database said."""
    dialed_at: int = 0
    legs: list[Begun] = field(default_factory=list)


class Life:
    """All of it on one database, which is emptied before."""

    def __init__(self, engine: sa.Engine, seed: int) -> None:
        self.random = random.Random(seed)
        self.engine = engine
        self.now = 1_000_000
        self.made = 0
        self.picked_up: set[str] = set()
        """Calls whose callee picked up."""
        self.tries: list[Try] = []
        self.dialers: list[str] = []
        self.lost: set[str] = set()
        self.accepted: list[str] = []
        self.sequences: dict[str, list[int]] = {}
        self.last: dict[str, Event] = {}
        with engine.begin() as conn:
            for table in reversed(metadata.sorted_tables):
                if table.name != "retention_marks":
                    conn.execute(sa.delete(table))
            self.account = accounts.insert(conn, name="a", now=1).id
            wide = trunks.NewTrunk(name="t", host="192.0.2.1", calls_per_second=1e4, max_concurrent=10_000)
            self.trunk = trunks.insert(conn, wide, now=1).id
            bridges.insert(conn, number=BRIDGE, account_id=self.account, trunk_id=self.trunk, now=1)
            rates.put(conn, [NewCardRow(rate=RATE, currency="USD")], now=1)
            credit.add(conn, self.account, 60_000, kind=Kind.TOP_UP, note="", now=1)
            credit.set_terms(conn, self.account, prepaid=True, currency="USD")
            added = webhooks.insert(conn, self.account, new_webhook(), now=1)
            webhooks.mark_verified(conn, added, now=1)
            self.webhook = added.id
        self.start()
        self.accept(NUMBERS[0], 2, expires=False)

    # what dialers have in their hands

    @property
    def fresh(self) -> list[Try]:
        return [each for each in self.tries if not each.over and not each.dialed]

    @property
    def ringing(self) -> list[Try]:
        return [each for each in self.tries if not each.over and each.dialed and each.answered_at is None]

    @property
    def talking(self) -> list[Try]:
        return [each for each in self.tries if not each.over and each.answered_at is not None]

    @property
    def missed(self) -> list[Try]:
        return [each for each in self.tries if each.over and each.dialed and each.answered_at is None]

    def one(self, things: list[T]) -> T:
        return self.random.choice(things)

    def step(self) -> None:
        """Something that may happen now; what stops everything is rare, so that calls come far."""
        some, alive = self.random, [each for each in self.dialers if each not in self.lost]
        may_happen: list[tuple[float, Callable[[], object]]] = [
            (4, lambda: self.accept(some.choice(NUMBERS), some.randrange(3), expires=some.random() < 0.1)),
            (1, lambda: self.top_up(some.choice([5_000, 40_000]))),
            (8, lambda: self.claim(some.randint(1, 3))),
            (0 if len(alive) > 1 else 4, self.start),
            (0.3, self.is_declared_lost),
            (1, self.somebody_rescues),
            (1, self.calls_expire),
            (3, lambda: self.time_passes(some.choice([1, 1_000, 6_000]))),
            (3, lambda: self.events_are_sent(works=some.random() < 0.7)),
            (0.5, lambda: self.suppress(some.choice(NUMBERS), lift=some.random() < 0.8)),
            (0.5, lambda: self.pause(some.choice(["account", "campaign"]), on=some.random() < 0.3)),
            (0.7, self.cancel),
        ]
        if self.fresh:
            may_happen += [(10, self.begin), (0.5, self.is_given_back)]
        if self.ringing:
            how = some.choice(["busy", "timeout", "fault", "declined", "cancelled"])
            may_happen += [(2, self.rings), (3, self.picks_up), (5, lambda: self.ends(how))]
        if self.talking:
            may_happen += [
                (1, self.asks_for_a_callback),
                (2, self.calls_an_agent),
                (1, self.a_flow_says_something),
                (1, lambda: self.ends("busy")),
            ]
        if self.missed:
            may_happen.append((0.7, self.picks_up_late))
        if any(each.legs for each in self.tries):
            may_happen.append((3, lambda: self.the_agent_is_done(answered=some.random() < 0.5)))
        weights, actions = zip(*may_happen, strict=True)
        some.choices(actions, weights)[0]()
        self.the_ledger_adds_up()
        self.every_state_fits()
        self.events_come_in_order()

    def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.engine.begin() as conn:
            return fn(conn, *args, **kwargs)

    # what users do

    def accept(self, to: str, retries: int, *, expires: bool) -> None:
        self.made += 1
        new = NewCall(
            id=f"request{self.made}:1",
            account_id=self.account,
            bridge=BRIDGE,
            trunk_id=self.trunk,
            to=to,
            submitted_at=self.now,
            due_at=self.now,
            sound_id="s",
            name="campaign",
            webhook_id=str(self.webhook),
            retries=retries,
            rate=RATE,
            reserved=RESERVED,
            expires_at=self.now + 5_000 if expires else None,
        )

        def store(conn: sa.Connection) -> None:
            credit.reserve(conn, self.account, RESERVED, call_id=new.id, now=self.now)
            calls.insert_calls(conn, [new])

        try:
            self.run(store)
        except NotCovered:
            return
        self.accepted.append(new.id)

    def top_up(self, units: int) -> None:
        self.run(credit.add, self.account, units, kind=Kind.TOP_UP, note="", now=self.now)

    def cancel(self) -> None:
        self.run(calls.request_cancel, self.one(self.accepted), now=self.now)

    def suppress(self, to: str, *, lift: bool) -> None:
        if lift:
            self.run(suppressions.delete_all, self.account)
        else:
            new = NewSuppression(receiver=to)
            self.run(suppressions.add, self.account, new, source="test", now=self.now)

    def pause(self, what: str, *, on: bool) -> None:
        if what == "account":
            self.run(accounts.pause, self.account, now=self.now) if on else self.run(
                accounts.resume, self.account
            )
            return
        this = {"p_account": self.account, "p_kind": "campaign", "p_name": "campaign"}
        with self.engine.begin() as conn:
            if on:
                pauses._add(conn, this | {"p_now": self.now})
                pauses._mark_batch(conn, this, pauses._seqs(conn, this, None, pauses._TO_MARK))
            else:
                pauses._remove(conn, this)
                pauses._unmark_batch(conn, this, pauses._seqs(conn, this, None, pauses._MARKED))

    def time_passes(self, ms: int) -> None:
        self.now += ms

    # what dialers do

    def start(self) -> None:
        self.made += 1
        name = f"dialer{self.made}"
        self.run(leases.register, name, host="h", pid=1, now=self.now, lease_until=self.now + FOREVER_MS)
        self.dialers.append(name)

    def claim(self, limit: int) -> None:
        dialer = self.one(self.dialers[::-1])
        found = self.run(
            claims.claim_due,
            dialer_id=dialer,
            now=self.now,
            limit=limit,
            free_by_trunk={self.trunk: limit},
        )
        assert dialer not in self.lost or not found.calls
        self.tries += [Try(claimed) for claimed in found.calls]

    def begin(self) -> None:
        tried = self.one(self.fresh)
        call = tried.claimed.call
        said = self.run(dial.begin, tried.claimed.lease, call, now=self.now)
        if said is Dial.NOW:
            assert call.id not in self.picked_up, "who picked up is never called again"
            unknown = [each for each in self.tries if each.claimed.call.id == call.id and each.dialed]
            assert all(each.over for each in unknown), "a phone that may ring is not rung again"
            tried.dialed, tried.dialed_at = True, self.now
        elif said is Dial.SUPPRESSED:
            self.end(tried, EndReason.SUPPRESSED, None)
        else:
            tried.over = True

    def rings(self) -> None:
        tried = self.one(self.ringing)
        tried.rang = True
        self.run(attempts.mark_ringing, tried.claimed.lease, at=self.now)

    def picks_up(self) -> None:
        tried = self.one(self.ringing)
        self.picked_up.add(tried.claimed.call.id)
        tried.answered_at = self.now
        if not self.run(attempts.mark_answered, tried.claimed.lease, at=self.now):
            assert tried.claimed.lease.dialer_id in self.lost
            tried.over = True

    def picks_up_late(self) -> None:
        tried = self.one(self.missed[::-1])
        self.picked_up.add(tried.claimed.call.id)
        self.run(endings.answered_late, tried.claimed.lease, now=self.now)

    def ends(self, how: str) -> None:
        tried = self.one(self.ringing + self.talking)
        reason, code = {
            "busy": (EndReason.REJECTED, 486),
            "timeout": (EndReason.RING_TIMEOUT, 487),
            "fault": (EndReason.REJECTED, 503),
            "declined": (EndReason.REJECTED, 603),
            "cancelled": (EndReason.CANCELLED, 487),
        }[how]
        self.end(tried, EndReason.COMPLETED if tried.answered_at is not None else reason, code)

    def is_given_back(self) -> None:
        tried = self.one(self.fresh)
        self.run(giving_back.release, tried.claimed.lease, now=self.now)
        tried.over = True

    def asks_for_a_callback(self) -> None:
        lease = self.one(self.talking).claimed.lease
        self.run(callbacks.request, lease, at=self.now + 1_000, now=self.now)

    def calls_an_agent(self) -> None:
        tried = self.one(self.talking)
        new = NewLeg(
            account_id=self.account,
            trunk_id=self.trunk,
            to=NUMBERS[1],
            bridge=BRIDGE,
            caller_id=BRIDGE,
            callee=tried.claimed.call.to,
            sip_call_id="sip",
            talk_ms=28_000,
        )
        begun = self.run(agent_legs.begin, tried.claimed.lease, new, now=self.now)
        if isinstance(begun, Begun):
            assert tried.claimed.lease.dialer_id not in self.lost
            tried.legs.append(begun)

    def the_agent_is_done(self, *, answered: bool) -> None:
        tried = self.one([each for each in self.tries if each.legs])
        leg, at = tried.legs.pop(), self.now if answered else None
        lease = tried.claimed.lease
        if answered:
            self.run(agent_legs.mark_answered, lease, leg.leg, at=self.now)
        outcome = AgentLegOutcome(
            disposition=Disposition.ANSWER if answered else Disposition.BUSY,
            reason=EndReason.COMPLETED if answered else EndReason.REJECTED,
            hangup_by=HangupBy.SYSTEM,
            ended_at=self.now + 40_000,
            answered_at=at,
        )
        self.run(agent_legs.finish, lease, leg.leg, outcome, now=self.now)

    def a_flow_says_something(self) -> None:
        lease = self.one(self.talking).claimed.lease
        self.run(outbox.add_flow_event, lease, "said", {}, now=self.now)

    def end(self, tried: Try, reason: EndReason, code: int | None) -> None:
        call, answered = tried.claimed.call, tried.answered_at is not None
        outcome = AttemptOutcome(
            disposition=classify(answered=answered, reason=reason, sip_code=code, q850=None),
            reason=reason,
            hangup_by=HangupBy.SYSTEM,
            ended_at=self.now,
            dialing_at=tried.dialed_at if tried.dialed else None,
            ringing_at=tried.dialed_at if tried.rang else None,
            answered_at=tried.answered_at,
            flow_run=FlowRun(flow_id=1, version=1, result="") if answered else None,
        )
        decision = decide(
            outcome.disposition,
            reason,
            code,
            rang=tried.rang,
            attempts_spent=call.attempts_spent,
            trunk_faults=call.trunk_faults,
            retries=call.retries,
            interval_minutes=0,
            ended_at=self.now,
        )
        mine = self.run(attempts.finish, tried.claimed.lease, outcome, decision, now=self.now)
        assert mine or tried.claimed.lease.dialer_id in self.lost
        tried.over = True

    # what goes wrong

    def is_declared_lost(self) -> None:
        """It may be dead, or only frozen: then what it does goes on, and is refused."""
        dialer = self.one(self.dialers)
        self.lost.add(dialer)
        self.run(leases.give_up, dialer, now=self.now)

    def somebody_rescues(self) -> None:
        self.run(rescue.rescue_lost, silent={}, now=self.now)

    def calls_expire(self) -> None:
        self.run(endings.expire, now=self.now)

    # what webhooks are told

    def events_are_sent(self, *, works: bool) -> None:
        claimed = self.run(
            outbox_claims.claim_due,
            now=self.now,
            lease_until=self.now + 30_000,
            limit=10,
            per_endpoint=10,
            in_flight={},
        )
        for event in claimed.events:
            if works:
                assert self.run(outbox_claims.delivered, event, now=self.now)
                self.sequences.setdefault(event.call.id, []).append(event.sequence)
                self.last[event.call.id] = event
            else:
                assert self.run(outbox_claims.try_again, event, due_at=self.now + 1_000)

    # what always holds

    def the_ledger_adds_up(self) -> None:
        with self.engine.begin() as conn:
            account = credit.get(conn, self.account)
            assert account is not None
            lines = credit.entries(conn, self.account, limit=10_000)
            open_calls = conn.execute(
                sa.select(sa.func.coalesce(sa.func.sum(calls_table.c.reserved), 0)).where(
                    calls_table.c.state != "done"
                )
            ).scalar_one()
            open_legs = conn.execute(
                sa.select(sa.func.coalesce(sa.func.sum(legs_table.c.reserved), 0)).where(
                    legs_table.c.state != "ended"
                )
            ).scalar_one()
        assert sum(line.amount for line in lines) == account.balance
        assert sum(line.reserved for line in lines) == account.reserved == open_calls + open_legs
        assert 0 <= account.reserved <= account.balance

    def every_state_fits(self) -> None:
        with self.engine.begin() as conn:
            found = calls.find(conn, self.account, limit=10_000)
            active = {
                row.call_id
                for row in conn.execute(sa.select(attempts_table).where(attempts_table.c.state != "ended"))
            }
            ended = conn.execute(
                sa.select(attempts_table.c.call_id, attempts_table.c.number).where(
                    attempts_table.c.state == "ended"
                )
            ).all()
            records = cdrs.of_calls(conn, [call.id for call in found])
        assert sorted((each.call_id, each.number) for each in records) == sorted(map(tuple, ended))
        for call in found:
            assert (call.state is CallState.LEASED) == (call.id in active)
            assert 0 <= call.attempts_spent <= call.retries + 1
            answers = [
                each
                for each in records
                if each.call_id == call.id and each.outcome.disposition is Disposition.ANSWER
            ]
            assert len(answers) <= 1
            assert not answers or call.state is CallState.DONE
        assert len({call.id for call in found}) == len(found)

    def events_come_in_order(self) -> None:
        for found in self.sequences.values():
            assert found == list(range(1, len(found) + 1))

    def end_all(self) -> None:
        """Everybody dies, everything is cancelled, the endpoint works: each call has one end; it is told."""
        with self.engine.begin() as conn:
            for dialer in leases.beats(conn):
                leases.give_up(conn, dialer, now=self.now)
        self.run(rescue.rescue_lost, silent={}, now=self.now)
        self.run(calls.all_open, cancel_at=self.now)
        for _ in range(200):
            self.now += 60_000
            before = sum(map(len, self.sequences.values()))
            self.events_are_sent(works=True)
            if sum(map(len, self.sequences.values())) == before:
                break
        self.the_ledger_adds_up()
        self.every_state_fits()
        self.events_come_in_order()
        with self.engine.begin() as conn:
            found = calls.find(conn, self.account, limit=10_000)
            account = credit.get(conn, self.account)
        assert account is not None
        assert account.reserved == 0
        for call in found:
            assert call.state is CallState.DONE
            assert self.last[call.id].attempts_left == 0, "the last that is told is its end"


@pytest.mark.parametrize("seed", range(4))
def test_a_call_has_one_end_whatever_happens(database_url: str, seed: int) -> None:
    engine = writer_engine(database_url)
    try:
        life = Life(engine, seed)
        for _ in range(STEPS):
            life.step()
        life.end_all()
    finally:
        engine.dispose()
