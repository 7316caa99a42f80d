"""The dialer's view of its trunks: routes, the pace of each, and how many legs there are.

What this dialer alone may do; what all dialers may do together is in the ledger that a claim locks
(`storage.paces`). A leg is a leg: each call has one, each agent that a flow calls has another, and every
figure and limit counts both.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import partial

from outdial.dispatch.attempt_values import Ended, Route
from outdial.dispatch.routes import Routes
from outdial.domain.call import AttemptOutcome, Call
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.pacing import TrunkPace
from outdial.storage.ways import Detour, Detours
from outdial.telemetry import metrics
from outdial.telephony.trunk import Trunk

_TRUNK_FAULTS = frozenset(
    {EndReason.REJECTED, EndReason.NO_RESPONSE, EndReason.TRANSPORT_FAILED, EndReason.AUTHENTICATION_FAILED}
)


_SILENT = "it does not answer OPTIONS"


class Check(Enum):
    """What may find out, beside calls, that a trunk takes none."""

    OPTIONS = "options"
    REGISTRATION = "registration"


class Lines:
    """Which trunk may take how many calls now. `now` is monotonic seconds."""

    def __init__(self, *, most: int = 1000, ring_timeout_s: float = 60.0) -> None:
        """`most` is how many legs this dialer may have at a time (`dispatch.max_concurrent`).

        `ring_timeout_s` is the longest that any trunk may let a phone ring.
        """
        self._ring_timeout_s = ring_timeout_s
        self.most = most
        self.legs = 0
        """All that are up or being dialled, and the calls that are about to be."""
        self.on_room: Callable[[], None] = lambda: None
        """Called when a leg to an agent leaves room, where there was none for calls."""
        self.agents_waiting = 0
        self._routes = Routes()
        self._paces: dict[int, TrunkPace] = {}
        self._shut: dict[int, dict[Check, str]] = {}
        """Trunks that a check keeps from being given calls, and why, as a part of a sentence."""
        self._holds: dict[int, tuple[float, str] | None] = {}
        self._why: dict[int, str] = {}
        """What was wrong with each trunk that was held, the last time."""

    def update(self, routes: Routes, now: float) -> None:
        """Take the trunks as they are stored now."""
        self._routes = routes
        self._apply_limits(now)

    def _apply_limits(self, now: float) -> None:
        for trunk_id, trunk in self._routes.trunks.items():
            calls_per_second, max_concurrent = trunk.calls_per_second, trunk.max_concurrent
            pace = self._paces.get(trunk_id)
            if pace is None:
                self._paces[trunk_id] = TrunkPace(calls_per_second, max_concurrent, filled_at=now)
            else:
                pace.limit(calls_per_second=calls_per_second, max_concurrent=max_concurrent, now=now)

    def note_figures(self, now: float) -> None:
        """Bring the metrics of all trunks up to date."""
        paces = [((trunk.name,), self._paces[id_], id_) for id_, trunk in self._routes.trunks.items()]
        metrics.TRUNK_CALLS.replace({name: pace.active for name, pace, _ in paces})
        metrics.TRUNK_CALLS_LIMIT.replace({name: pace.max_concurrent for name, pace, _ in paces})
        metrics.TRUNK_CPS_LIMIT.replace({name: pace.calls_per_second for name, pace, _ in paces})
        metrics.TRUNK_FAULTS.replace({name: pace.faults for name, pace, _ in paces})
        metrics.TRUNK_HELD.replace({name: max(0.0, pace.held_until - now) for name, pace, _ in paces})
        shut = {name: self._shut.get(trunk_id, {}) for name, _, trunk_id in paces}
        metrics.TRUNK_SILENT.replace({name: float(Check.OPTIONS in why) for name, why in shut.items()})
        metrics.TRUNK_UNREGISTERED.replace(
            {name: float(Check.REGISTRATION in why) for name, why in shut.items()}
        )

    def room(self) -> int:
        """Return how many calls this dialer may claim: agents that are waited for go first."""
        return max(0, self.most - self.legs - self.agents_waiting)

    def free(self, now: float) -> dict[int, int]:
        """Return how many calls each trunk may take at this moment, without those that take none."""
        free = {trunk_id: self._paces[trunk_id].free(now) for trunk_id in self._open()}
        return {trunk_id: count for trunk_id, count in free.items() if count > 0}

    def _open(self) -> list[int]:
        return [trunk_id for trunk_id in self._routes.trunks if trunk_id not in self._shut]

    def to_ask(self) -> dict[int, tuple[float, Trunk]]:
        """Return the trunks whose health is asked for, with the interval in seconds."""
        return {
            trunk_id: (trunk.options_interval_s, self._routes.lines[trunk_id])
            for trunk_id, trunk in self._routes.trunks.items()
            if trunk.options_interval_s > 0
        }

    def to_register(self) -> dict[int, Trunk]:
        """Return the trunks that want to know our address."""
        return {
            trunk_id: line for trunk_id, line in self._routes.lines.items() if line.register_expires_s > 0
        }

    def set_silent(self, trunk_id: int, *, again_in_s: float | None) -> None:
        """Keep a trunk's calls in the queue while it is silent, asked again then; None: it answers."""
        if again_in_s is None:
            self._reopen(trunk_id, Check.OPTIONS)
        else:
            self._keep_shut(trunk_id, Check.OPTIONS, _SILENT, again_in_s)

    def set_unregistered(self, trunk_id: int, why: str, *, again_in_s: float) -> None:
        """Keep a trunk's calls in the queue while we are not registered there, tried again then.

        `why` is a part of a sentence.
        """
        self._keep_shut(trunk_id, Check.REGISTRATION, f"not registered: {why}", again_in_s)

    def set_registered(self, trunk_id: int) -> None:
        """Let a trunk take calls: it knows our address, or does not want to any more."""
        self._reopen(trunk_id, Check.REGISTRATION)

    def _keep_shut(self, trunk_id: int, check: Check, why: str, again_in_s: float) -> None:
        self._shut.setdefault(trunk_id, {})[check] = why
        self._hold(trunk_id, again_in_s, why)

    def _reopen(self, trunk_id: int, check: Check) -> None:
        reasons = self._shut.get(trunk_id, {})
        if reasons.pop(check, None) is not None and not reasons:
            del self._shut[trunk_id]
            self._holds[trunk_id] = None
            self.on_room()

    def take_holds(self) -> dict[int, tuple[float, str] | None]:
        """Return the trunks that are given no calls since the last call of this, for how many seconds and
        why, and those that take calls again: None.
        """
        holds, self._holds = self._holds, {}
        return holds

    def next_free_in(self, now: float, due_in: Mapping[int, float]) -> float | None:
        """Return in how many seconds a claim may next bring something by time alone, None if never.

        `due_in` has the seconds until the next call of each trunk that was looked at just now.
        """
        waits = []
        for trunk_id in self._open():
            free_at = self._paces[trunk_id].next_free_at(now)
            if free_at is not None and (free_at > now or trunk_id in due_in):
                waits.append(max(free_at - now, due_in.get(trunk_id, 0.0)))
        return min(waits, default=None)

    def detours(self, now: float) -> Detours:
        """Return which bridges' calls go by another trunk at this moment than the one that they wait for.

        By the first of the bridge's trunks that takes calls; where none does, they wait.
        """
        several = self._routes.ways
        closed = {each for ways in several.values() for each in ways if self._why_closed(each, now)}
        found: dict[int, dict[int, set[str]]] = {}
        if closed:
            for number, ways in several.items():
                best = next((each for each in ways if each not in closed), None)
                if best is not None:
                    for each in closed.intersection(ways):
                        found.setdefault(best, {}).setdefault(each, set()).add(number)
        return {
            best: [Detour(each, frozenset(numbers)) for each, numbers in sorted(by_closed.items())]
            for best, by_closed in found.items()
        }

    def _why_closed(self, trunk_id: int, now: float) -> str | None:
        """What keeps a trunk from being given calls at this moment, as a part of a sentence."""
        if trunk_id not in self._routes.trunks:
            return "it is switched off"
        for why in self._shut.get(trunk_id, {}).values():
            return why
        return self._why.get(trunk_id, "it failed") if self._paces[trunk_id].closed(now) else None

    def take(self, call: Call, now: float) -> Route:
        """Count a claimed call and return how it goes out."""
        self._count(call.trunk_id, now)
        trunk = self._routes.lines[call.trunk_id]
        return Route(
            trunk,
            self._routes.names.get(call.bridge, ""),
            min(trunk.ring_timeout_s, self._ring_timeout_s),
            self._detour(call, trunk.name, now),
            partial(self._taken, call.trunk_id),
        )

    def _detour(self, call: Call, taken: str, now: float) -> str | None:
        first, *further = self._routes.ways.get(call.bridge, (call.trunk_id,))
        if call.trunk_id not in further:
            return None
        why = self._why_closed(first, now) or "it took no call just before"
        return f"It went by the trunk {taken}, not by {self._routes.trunk_names[first]}: {why}."

    def _taken(self, trunk_id: int) -> None:
        """Note that a trunk takes calls, as soon as one of them rings."""
        pace = self._paces[trunk_id]
        if pace.faults:
            pace.success()
            self._holds[trunk_id] = None
            self.on_room()

    def release(self, call: Call, ended: Ended | None, now: float) -> bool:
        """Count a call that is over, and what it says about its trunk's health.

        True if there was no room, so that a claim may bring something now.
        """
        pace = self._paces[call.trunk_id]
        was_full = self._discount(call.trunk_id)
        if ended is not None:
            held_until = pace.held_until
            self._judge(pace, ended, now)
            if pace.held_until > now and pace.held_until != held_until:
                self._hold(call.trunk_id, pace.held_until - now, _fault(ended.outcome))
            elif pace.held_until < held_until:
                self._holds[call.trunk_id] = None
        return was_full

    def _hold(self, trunk_id: int, seconds: float, why: str) -> None:
        self._holds[trunk_id], self._why[trunk_id] = (seconds, why), why

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """An agent waits for a place meanwhile: the next one is not for a call."""
        self.agents_waiting += 1
        try:
            yield
        finally:
            had_no_room = not self.room()
            self.agents_waiting -= 1
            if had_no_room and self.room():
                self.on_room()

    def take_agent(self, trunk_id: int, now: float) -> bool:
        """Count a leg to an agent, if this dialer may have another one."""
        if self.legs >= self.most:
            return False
        self._count(trunk_id, now)
        return True

    def release_agent(self, trunk_id: int) -> None:
        """Count a leg to an agent that is over, or was not dialled after all."""
        if self._discount(trunk_id):
            self.on_room()

    def _count(self, trunk_id: int, now: float) -> None:
        self._paces[trunk_id].take(1, now)
        self.legs += 1

    def _discount(self, trunk_id: int) -> bool:
        """Return whether there was no room before."""
        pace = self._paces[trunk_id]
        was_full = pace.active >= pace.max_concurrent or not self.room()
        pace.release()
        self.legs -= 1
        return was_full

    def _judge(self, pace: TrunkPace, ended: Ended, now: float) -> None:
        outcome = ended.outcome
        if outcome.disposition is not Disposition.CHANUNAVAIL or outcome.ringing_at is not None:
            if outcome.dialing_at is not None and outcome.disposition is not Disposition.CANCEL:
                pace.success()
        elif outcome.reason in _TRUNK_FAULTS:
            pace.fault(now, ended.retry_after_s)


def _fault(outcome: AttemptOutcome) -> str:
    """What was wrong with a trunk, as a part of a sentence."""
    match outcome.reason:
        case EndReason.NO_RESPONSE:
            return "it does not answer"
        case EndReason.TRANSPORT_FAILED:
            return "it cannot be reached" + (f": {outcome.sip_reason}" if outcome.sip_reason else "")
        case EndReason.AUTHENTICATION_FAILED:
            return "it does not accept our user name and password"
        case _:
            return f"it refuses them: SIP {outcome.sip_code} {outcome.sip_reason or ''}".rstrip()
