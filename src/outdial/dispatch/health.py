"""Trunks' health by OPTIONS (RFC 3261 §11): one that stopped answering gets no calls until it answers again.

Its calls wait in the queue instead of being used up. Only a trunk that has answered OPTIONS before can be
found silent: some carriers drop OPTIONS and take calls.
"""

import asyncio

import structlog

from outdial.dispatch.lines import Lines
from outdial.dispatch.phones import PhoneNetwork
from outdial.telephony.trunk import Trunk

SILENCES = 2
"""Unanswered OPTIONS in a row (each is retransmitted for 32 s) before a trunk is taken for silent."""
_TICK_S = 0.5
_LONGEST_ANSWER_S = 32.0

_log = structlog.get_logger(__name__)


class TrunkHealth:
    """Asks each trunk that wants it, at its own interval."""

    def __init__(self, network: PhoneNetwork, lines: Lines) -> None:
        self._network = network
        self._lines = lines
        self._next: dict[int, float] = {}
        self._answered: set[int] = set()
        self._silences: dict[int, int] = {}

    async def keep_asking(self) -> None:
        """Ask until cancelled. The first time one interval after a trunk appeared."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as asking:
            while True:
                now = loop.time()
                wanted = self._lines.to_ask()
                for gone in self._next.keys() - wanted.keys():
                    del self._next[gone]
                    self._forget(gone)
                for trunk_id, (interval_s, line) in wanted.items():
                    if now >= self._next.setdefault(trunk_id, now + interval_s):
                        # not again before this one has its answer, which may take 32 s
                        self._next[trunk_id] = float("inf")
                        asking.create_task(self._ask(trunk_id, interval_s, line))
                await asyncio.sleep(_TICK_S)

    async def _ask(self, trunk_id: int, interval_s: float, line: Trunk) -> None:
        answered = await self._network.answers(line)
        if trunk_id not in self._next:
            return
        self._next[trunk_id] = asyncio.get_running_loop().time() + interval_s
        if answered:
            self._answered.add(trunk_id)
            if self._silences.pop(trunk_id, 0) >= SILENCES:
                _log.info("trunk_answers_again", trunk=line.name)
                self._lines.set_silent(trunk_id, again_in_s=None)
        elif trunk_id in self._answered:
            self._silences[trunk_id] = silences = self._silences.get(trunk_id, 0) + 1
            if silences >= SILENCES:
                self._lines.set_silent(trunk_id, again_in_s=interval_s + _LONGEST_ANSWER_S)
            if silences == SILENCES:
                _log.warning("trunk_silent", trunk=line.name, host=line.host, port=line.port)

    def _forget(self, trunk_id: int) -> None:
        """A trunk that is not asked any more is given calls, whatever it last said."""
        self._answered.discard(trunk_id)
        if self._silences.pop(trunk_id, 0) >= SILENCES:
            self._lines.set_silent(trunk_id, again_in_s=None)
