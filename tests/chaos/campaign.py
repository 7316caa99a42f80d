"""Two hundred calls of a mixed crowd, from the request to the audit."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from outdial.domain.call import AttemptState, CallState
from outdial.domain.disposition import EndReason
from outdial.supervisor.parts import wall_clock_ms
from tests.chaos.audit import audit, not_as_expected
from tests.chaos.far_end import Witness, ask_far_end
from tests.chaos.ledger import Entry, attempt_states, count_states, last_due_at, make_retries_due, read_ledger
from tests.chaos.money import money_problems, read_account
from tests.chaos.phones import KINDS
from tests.chaos.world import World
from tests.helpers.poll import until

INTERVAL_MINUTES = 5
_NUMBERS_IN_A_REQUEST = 20


class Campaign:
    """The calls of one test, told apart from all others by their campaign name."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.kinds: dict[str, str] = {}
        """Kind of phone by number."""
        self.retried: set[str] = set()
        """Numbers that were sent with an interval."""
        self.accepted: dict[str, str] = {}
        """Call id by number, of every request that was answered with 200."""

    async def send(self, kinds: dict[str, str], rng: Random) -> None:
        """Send these numbers in several requests, half of them with a retry interval."""
        self.kinds |= kinds
        requests: dict[tuple[str, int], list[str]] = {}
        for number, kind in kinds.items():
            key = KINDS[kind].announcement, rng.choice((0, INTERVAL_MINUTES))
            requests.setdefault(key, []).append(number)
        parts = [
            (key, numbers[start : start + _NUMBERS_IN_A_REQUEST])
            for key, numbers in requests.items()
            for start in range(0, len(numbers), _NUMBERS_IN_A_REQUEST)
        ]
        rng.shuffle(parts)
        for (announcement, interval), numbers in parts:
            sound = self.world.sounds[announcement]
            self.accepted |= await self.world.system.send(numbers, sound, interval=interval, name=self.name)
            if interval:
                self.retried |= set(numbers)

    def states(self) -> Counter[CallState]:
        """How many calls are in each state."""
        return self.world.system.read(count_states, self.name)

    def attempts(self) -> Counter[AttemptState]:
        """How many calls' newest attempts are in each state."""
        return Counter(self.world.system.read(attempt_states, self.name).values())

    def ledger(self) -> dict[str, Entry]:
        """All that the database knows, by call id."""
        return self.world.system.read(read_ledger, self.name)

    def witness(self) -> Witness:
        """All that the far end knows."""
        return ask_far_end(self.world.system, self.world.far_end, self.kinds)

    async def begun(self, calls: int) -> None:
        """Wait until this many calls have been claimed at least once."""
        await until(lambda: self.attempts().total() >= calls, f"{calls} calls begun", every_s=0.005)

    async def drain(self) -> None:
        """Wait until every call is done; retry intervals are over at once."""

        async def is_done() -> bool:
            now = wall_clock_ms()
            if self.world.system.read(last_due_at, self.name) > now:
                await self.world.system.write(make_retries_due, self.name, now=now)
            states = self.states()
            return states.total() == states[CallState.DONE]

        await until(is_done, "all calls are done", every_s=0.1)

    def problems(self, *disturbances: EndReason) -> list[str]:
        """Every broken promise, and every call that ended otherwise than its phone or a disturbance says."""
        ledger = self.ledger()
        found = audit(self.accepted, ledger, self.witness())
        for number, call_id in self.accepted.items():
            kind = KINDS[self.kinds[number]]
            attempts = 2 if kind.retried and number in self.retried else 1
            if call_id in ledger:
                found += not_as_expected(
                    ledger[call_id], kind.outcome, attempts, disturbances=frozenset(disturbances)
                )
        found += money_problems(ledger, self.world.system.read(read_account))
        return [*found, *self.world.leases_not_clean()]

    def reasons(self) -> Counter[EndReason]:
        """How often each reason ended a call."""
        ledger = self.ledger().values()
        return Counter(entry.cdrs[-1].outcome.reason for entry in ledger if entry.cdrs)

    async def explanations(self, call_ids: Iterable[str]) -> dict[str, str]:
        """What callstatus says about these calls."""
        return {call_id: (await self.world.system.callstatus(call_id))["explanation"] for call_id in call_ids}
