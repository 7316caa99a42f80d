"""The audits of money and events find each kind of broken promise, as that of calls does."""

from dataclasses import replace
from typing import Any

import pytest

from outdial.domain.disposition import Disposition
from outdial.domain.rating import bill
from outdial.storage.credit import Credit, Kind
from outdial.storage.credit import Entry as Line
from tests.chaos.events import Told, event_problems
from tests.chaos.money import RATE, Money, money_problems
from tests.chaos.test_audit import BUSY, CALL_ID, OUTCOME, entry

CHARGE = 75
BARE = entry(BUSY, OUTCOME)
ENTRY = replace(
    BARE,
    call=replace(BARE.call, rate=RATE, reserved=105),
    cdrs=[
        replace(cdr, bill=bill(RATE, answered=cdr.outcome.answered_at is not None, talk_ms=10))
        for cdr in BARE.cdrs
    ],
)


def line(number: int, kind: Kind, amount: int, reserved: int, after: int, attempt: int | None = None) -> Line:
    call_id = None if kind is Kind.TOP_UP else CALL_ID
    return Line(
        id=number,
        account_id=1,
        kind=kind,
        amount=amount,
        reserved=reserved,
        balance_after=after,
        call_id=call_id,
        attempt=attempt,
        note="",
        at=1,
    )


LINES = [
    line(1, Kind.TOP_UP, 1000, 0, 1000),
    line(2, Kind.RESERVE, 0, 105, 1000),
    line(3, Kind.CHARGE, -CHARGE, -CHARGE, 925, 2),
    line(4, Kind.RELEASE, 0, -30, 925, 2),
]
STANDS = Credit(balance=925, reserved=0, currency="USD", prepaid=True)


def money(lines: list[Line] = LINES, **changes: Any) -> Money:
    return Money(replace(STANDS, **changes), lines, 0)


def test_money_that_adds_up_has_no_problems() -> None:
    assert money_problems({CALL_ID: ENTRY}, money()) == []


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (money(balance=1000), "the balance is 1000"),
        (money(reserved=105), "105 is reserved"),
        (money(LINES[:3]), "the ledger makes 30"),
        (money([*LINES, replace(LINES[2], id=5, balance_after=850)], balance=850), "was charged"),
        (
            money([*LINES[:2], replace(LINES[3], reserved=-105, balance_after=1000)], balance=1000),
            "was charged",
        ),
        (money([LINES[0], LINES[1], replace(LINES[2], balance_after=900), LINES[3]]), "line 3 says 900"),
        (money([line(1, Kind.CHARGE, -1, 0, -1)], balance=-1), "overdrawn by 1"),
    ],
)
def test_each_fault_of_the_ledger_is_found(found: Money, problem: str) -> None:
    assert any(problem in each for each in money_problems({CALL_ID: ENTRY}, found))


def test_a_wrong_bill_is_found() -> None:
    dear = replace(ENTRY.cdrs[1], bill=bill(RATE, answered=True, talk_ms=20_000))
    wrong = replace(ENTRY, cdrs=[ENTRY.cdrs[0], dear])
    assert any("has the bill" in each for each in money_problems({CALL_ID: wrong}, money()))


def told(sequence: int, status: int | None = 200, **changes: Any) -> Told:
    outcome = {1: (Disposition.BUSY, 486, "0.0000"), 2: (Disposition.ANSWER, 200, "0.0075")}[sequence]
    names = ("status", "sip_code", "charges")
    said = dict(zip(names, outcome, strict=True)) | {"attempt": sequence}
    return Told({"id": CALL_ID, "sequence": sequence, **said, **changes}, status)


@pytest.mark.parametrize(
    "events",
    [
        [told(1), told(2)],
        [told(1, 503), told(1), told(2, None), told(2)],
        [told(1), told(1), told(2), told(2)],
    ],
)
def test_events_that_came_again_or_failed_first_are_no_problem(events: list[Told]) -> None:
    assert event_problems({CALL_ID: ENTRY}, events) == []


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([told(1)], "the events [1] were taken, of the attempts [1, 2]"),
        ([told(2), told(1)], "event 1 came after event 2"),
        ([told(1, 503), told(2), told(1)], "event 2 came before event 1 was taken"),
        ([told(1), told(2), told(1)], "event 1 came after event 2"),
        ([told(1), told(2, 503)], "the events [1] were taken"),
        ([told(1), told(2, charges="1.0000")], "event 2 says"),
        ([told(1, id="call:9"), told(1), told(2)], "call:9 was told and is not known"),
    ],
)
def test_each_fault_of_the_events_is_found(events: list[Told], problem: str) -> None:
    assert any(problem in each for each in event_problems({CALL_ID: ENTRY}, events))
