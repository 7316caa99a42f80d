"""What the receiver of the webhooks has seen, against what the database says was to be told."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

from outdial.domain.money import to_text
from tests.chaos.ledger import Entry
from tests.helpers.endpoint import Endpoint, Received

_FAILS = 0.05
_FAILS_BEFORE_ANOTHER = 0.5
"""Of the first events of calls that go on: the next one, which has to wait for it, often comes meanwhile."""
_REFUSED_AT_MOST = 2
"""Times for one event: each one doubles the wait before the next, and the test waits for all of them."""
_SLOW = 0.02
_SLOW_S = 2.5
"""Longer than the deliverer waits: it takes the event for lost, though it was taken."""


@dataclass(frozen=True)
class Told:
    """One event as it came, and the status with which it was answered; None while it has no answer."""

    event: Mapping[str, Any]
    status: int | None


class UnreliableReceiver:
    """Answers most events at once, some with an error, some too late; of those with a successor, half."""

    def __init__(self, endpoint: Endpoint, rng: Random) -> None:
        self._rng = rng
        self._refused: Counter[tuple[str, int]] = Counter()
        self.told: list[Told] = []
        """In the order in which they came."""
        endpoint.behave = self._behave

    async def _behave(self, received: Received) -> web.StreamResponse:
        place = len(self.told)
        self.told.append(Told(received.json, None))
        status = await self._answer(received.json)
        self.told[place] = Told(received.json, status)
        return web.Response(status=status)

    async def _answer(self, event: Mapping[str, Any]) -> int:
        key = event["id"], event["sequence"]
        if self._refused[key] == _REFUSED_AT_MOST:
            return 200
        luck = self._rng.random()
        fails = _FAILS_BEFORE_ANOTHER if event["sequence"] == 1 and event["attempts_left"] else _FAILS
        self._refused[key] += luck < _SLOW + fails
        if luck < _SLOW:
            await asyncio.sleep(_SLOW_S)
            return 200
        return 503 if luck < _SLOW + fails else 200

    def taken(self) -> set[tuple[str, int]]:
        """The events that were taken, by call and sequence."""
        return {(each.event["id"], each.event["sequence"]) for each in self.told if each.status == 200}


def wanted_events(ledger: Mapping[str, Entry]) -> set[tuple[str, int]]:
    """An event for each attempt of each call."""
    return {(call_id, cdr.number) for call_id, entry in ledger.items() for cdr in entry.cdrs}


def event_problems(ledger: Mapping[str, Entry], told: Iterable[Told]) -> list[str]:
    """Every event that is missing, out of order, invented, or says something else than its CDR."""
    by_call: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        by_call[each.event["id"]].append(each)
    problems = [f"{call_id} was told and is not known" for call_id in by_call.keys() - ledger.keys()]
    for call_id, entry in ledger.items():
        found = [*_order(by_call[call_id]), *_contents(entry, by_call[call_id])]
        problems += [f"{call_id}: {each}" for each in found]
    return problems


def _order(told: list[Told]) -> Iterable[str]:
    """Sequences count from 1; the next comes only when the one before it was taken, and none comes back."""
    taken, last = 0, 0
    for each in told:
        sequence = each.event["sequence"]
        if sequence < last:
            yield f"event {sequence} came after event {last}"
        if sequence > taken + 1:
            yield f"event {sequence} came before event {taken + 1} was taken"
        last = max(last, sequence)
        if each.status == 200:
            taken = max(taken, sequence)


def _contents(entry: Entry, told: list[Told]) -> Iterable[str]:
    cdrs = {cdr.number: cdr for cdr in entry.cdrs}
    taken = {each.event["sequence"] for each in told if each.status == 200}
    if taken != set(cdrs):
        yield f"the events {sorted(taken)} were taken, of the attempts {sorted(cdrs)}"
    for each in told:
        cdr = cdrs.get(each.event["sequence"])
        if cdr is None:
            continue
        said = tuple(each.event[name] for name in ("attempt", "status", "sip_code", "charges"))
        wanted = cdr.number, cdr.outcome.disposition, cdr.outcome.sip_code, to_text(cdr.bill.charge)
        if said != wanted:
            yield f"event {cdr.number} says {said}, not {wanted}"
