"""The promises of the architecture, checked call by call: the database against itself and the far end.

Every function returns sentences, one for each broken promise; an empty list is what a test wants.
"""

from collections.abc import Iterable, Mapping

from outdial.domain.call import Attempt, AttemptOutcome, AttemptState, CallState, Cdr
from outdial.domain.disposition import Disposition, EndReason
from outdial.sandbox.heard import Heard
from tests.chaos.far_end import Witness
from tests.chaos.ledger import Entry
from tests.chaos.world import LEASE_S

_LONGEST_BETWEEN_RENEWALS_MS = LEASE_S * 1000 // 2
"""A dialer renews its lease three times in each lease time; an interrupted attempt ends with the last one."""


def audit(accepted: Mapping[str, str], ledger: Mapping[str, Entry], witness: Witness) -> list[str]:
    """Everything that is wrong with drained calls; `accepted` has the id of each by its number."""
    problems = []
    for number, call_id in accepted.items():
        entry = ledger.get(call_id)
        if entry is None:
            problems.append(f"{call_id}: accepted and lost")
            continue
        found = [*_bookkeeping(entry), *_no_second_chance(entry), *_far_end(number, entry, witness)]
        problems += [f"{call_id} to {number}: {each}" for each in found]
    return problems


def _bookkeeping(entry: Entry) -> Iterable[str]:
    """One end, one CDR for each attempt, and every number in the call's row adds up."""
    call, tries, records = entry.call, entry.attempts, entry.cdrs
    if call.state is not CallState.DONE:
        yield f"is {call.state}, not done"
    if entry.dialer_id is not None:
        yield f"is still leased to {entry.dialer_id}"
    if any(each.state is not AttemptState.ENDED for each in tries):
        yield f"has attempts {[each.state.value for each in tries]}"
    if [each.number for each in tries] != list(range(1, call.attempts_started + 1)):
        yield f"has attempts {[each.number for each in tries]}, but started {call.attempts_started}"
    if [each.number for each in records] != [each.number for each in tries]:
        yield f"has CDRs {[each.number for each in records]} of attempts {[each.number for each in tries]}"
    if call.attempts_spent + call.trunk_faults != len(records):
        yield f"spent {call.attempts_spent} + {call.trunk_faults} attempts, has {len(records)} CDRs"
    if call.attempts_spent > 1 + call.retries:
        yield f"spent {call.attempts_spent} attempts of {1 + call.retries}"
    for attempt, record in zip(tries, records, strict=False):
        if _times(attempt) != _times(record.outcome):
            yield f"attempt {attempt.number} says {_times(attempt)}, its CDR {_times(record.outcome)}"
    if records:
        last = records[-1].outcome
        if (call.disposition, call.reason) != (last.disposition, last.reason):
            yield f"is {call.disposition} {call.reason}, its last CDR {last.disposition} {last.reason}"


def _no_second_chance(entry: Entry) -> Iterable[str]:
    """Whoever answered, or may have answered, is never dialled again; attempts do not overlap."""
    for earlier, later in zip(entry.cdrs, entry.attempts[1:], strict=False):
        outcome = earlier.outcome
        if outcome.answered_at is not None or outcome.disposition is Disposition.ANSWER:
            yield f"was dialled again after the answer of attempt {earlier.number}"
        if outcome.reason is EndReason.INTERRUPTED:
            yield f"was dialled again after attempt {earlier.number}, whose outcome is unknown"
        if later.claimed_at < outcome.ended_at:
            yield f"attempt {later.number} began before attempt {earlier.number} ended"


def _far_end(number: str, entry: Entry, witness: Witness) -> Iterable[str]:
    """What the phone saw is what the database says."""
    called = witness.called.get(number, [])
    by_id = {each.outcome.sip_call_id: each for each in entry.cdrs if each.outcome.sip_call_id}
    dialled = [each for each in entry.cdrs if each.outcome.dialing_at is not None]
    unknown = [each for each in dialled if each.outcome.sip_call_id is None]
    if len(called) > len(dialled):
        yield f"the phone was called {len(called)} times, {len(dialled)} attempts were dialled"
    strays = [each for each in called if each not in by_id]
    if len(strays) > len(unknown):
        yield f"the phone was called by {strays}, which no attempt knows"
    for record in by_id.values():
        outcome = record.outcome
        # A challenge comes from the network, before any phone is called.
        spoken_to = outcome.sip_code not in (None, 401, 407) or outcome.ringing_at is not None
        if spoken_to and outcome.sip_call_id not in called:
            yield f"attempt {record.number} has an answer of a phone that was never called"
    picked_up = witness.picked_up(number)
    if len(picked_up) > 1:
        yield f"the callee picked up {len(picked_up)} times"
    if picked_up and called[-1] != picked_up[-1].call_id:
        yield "the phone was called again after the callee had picked up"
    answered = {each.call_id for each in picked_up}
    for record in by_id.values():
        if (record.outcome.sip_call_id in answered) != (record.outcome.answered_at is not None):
            yield f"attempt {record.number} and the phone disagree about whether it was answered"
    for heard in picked_up:
        known = by_id.get(heard.call_id)
        if any(_heard_too_early(heard, each) for each in ([known] if known else unknown)):
            yield "the callee heard the announcement before the answer was on disk"


def _heard_too_early(heard: Heard, record: Cdr) -> bool:
    """Whether the attempt played to the callee though it was not on record as answered.

    Of an interrupted attempt the time counts: what arrives when its dialer was dead is a stray of another
    call, whose leg has got the port that this phone still sends to.
    """
    if heard.first_sound_ms is None or record.outcome.answered_at is not None:
        return False
    if record.outcome.reason is not EndReason.INTERRUPTED:
        return True
    sound_at = heard.invited_at + (heard.answered_after_ms or 0) + heard.first_sound_ms
    return sound_at < record.outcome.ended_at + _LONGEST_BETWEEN_RENEWALS_MS


def _times(row: Attempt | AttemptOutcome) -> tuple[int | None, ...]:
    names = ("dialing_at", "ringing_at", "answered_at", "ended_at")
    return tuple(getattr(row, name) for name in names)


def not_as_expected(
    entry: Entry, outcome: tuple[str, str], attempts: int, *, disturbances: frozenset[EndReason]
) -> list[str]:
    """Say so if a call came neither to its normal outcome nor to one of the disturbances.

    A ring timeout always counts as one: on a busy machine an answer may come too late.
    """
    disturbances |= {EndReason.RING_TIMEOUT} - {outcome[1]}
    found = [(each.outcome.disposition.value, each.outcome.reason) for each in entry.cdrs]
    normal = [each for each in found if each[1] not in disturbances]
    cut_short = bool(found) and found[-1][1] in disturbances
    complete = len(normal) <= attempts <= len(found)  # a disturbance may spend an attempt or not
    if normal == [outcome] * len(normal) and (cut_short or complete):
        return []
    return [f"{entry.call.id}: came to {found}, not to {attempts} times {outcome}"]
