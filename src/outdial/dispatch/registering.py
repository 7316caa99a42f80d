"""Registration at trunks that want it (RFC 3261 §10): while a trunk does not know us, its calls wait."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog

from outdial.dispatch.lines import Lines
from outdial.dispatch.phones import Binding, PhoneNetwork
from outdial.dispatch.ports import Clock
from outdial.sip.registration.status import RegistrationStatus
from outdial.storage import registrations
from outdial.storage.database import Database
from outdial.storage.registrations import StoredRegistration
from outdial.telephony.registration import describe, is_same
from outdial.telephony.trunk import Trunk

_LONGEST_ANSWER_S = 33.0
"""A REGISTER is retransmitted for 32 s."""
_LEAVE_S = 2.0
"""How long a trunk may take to confirm that it forgets our address, which lapses anyhow."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    """A registration that is kept up, and for which version of the trunk."""

    line: Trunk
    binding: Binding = field(init=False)
    contact: str = ""
    registered: bool = False


class TrunkRegistrations:
    """Registers this dialer at each trunk that wants it; every dialer registers an address of its own."""

    def __init__(self, network: PhoneNetwork, lines: Lines, database: Database, clock: Clock) -> None:
        self._network = network
        self._lines = lines
        self._database = database
        self._clock = clock
        self._wanted: dict[int, Trunk] = {}
        self._kept: dict[int, _Kept] = {}
        self._changed = asyncio.Event()

    def update(self) -> None:
        """Take the trunks as they are now. What is not registered yet takes no calls from this moment on."""
        self._wanted = self._lines.to_register()
        for trunk_id in self._wanted.keys() - self._kept.keys():
            self._lines.set_unregistered(trunk_id, "it has not answered yet", again_in_s=_LONGEST_ANSWER_S)
        self._changed.set()

    def renew(self) -> None:
        """Register everywhere again at once: what was wrong may be mended."""
        for trunk_id, kept in self._kept.items():
            if self._is_wanted(trunk_id):
                kept.binding.renew()

    async def keep_registering(self) -> None:
        """Follow `update` until cancelled."""
        async with asyncio.TaskGroup() as keeping:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._leave(trunk_id for trunk_id in self._kept if not self._is_wanted(trunk_id))
                for trunk_id in self._wanted.keys() - self._kept.keys():
                    kept = self._begin(trunk_id, self._wanted[trunk_id])
                    keeping.create_task(self._keep(trunk_id, kept))

    async def leave(self) -> None:
        """Take our addresses back from all trunks; waits for two seconds at most."""
        self._wanted = {}
        await self._leave(self._kept)

    def _is_wanted(self, trunk_id: int) -> bool:
        wanted = self._wanted.get(trunk_id)
        return wanted is not None and is_same(self._kept[trunk_id].line, wanted)

    async def _leave(self, trunk_ids: Iterable[int]) -> None:
        gone = {trunk_id: self._kept[trunk_id] for trunk_id in trunk_ids}
        await asyncio.gather(*(kept.binding.stop(wait_s=_LEAVE_S) for kept in gone.values()))
        for trunk_id, kept in gone.items():
            if self._kept.pop(trunk_id, None) is not None:
                self._database.post(registrations.forget, trunk_id, kept.contact)
            if trunk_id not in self._wanted:
                self._lines.set_registered(trunk_id)

    def _begin(self, trunk_id: int, line: Trunk) -> _Kept:
        self._lines.set_unregistered(trunk_id, "it has not answered yet", again_in_s=_LONGEST_ANSWER_S)
        kept = self._kept[trunk_id] = _Kept(line)
        kept.binding = self._network.register(line, partial(self._note, trunk_id, kept))
        return kept

    async def _keep(self, trunk_id: int, kept: _Kept) -> None:
        try:
            await kept.binding.keep()
        except Exception as error:  # noqa: BLE001 - one trunk's fault must not end the calls of the others
            _log.exception("registration_failed", trunk=kept.line.name, error=str(error))
            why = "a fault of ours, which the log of the dialer names"
            self._lines.set_unregistered(trunk_id, why, again_in_s=_LONGEST_ANSWER_S)

    def _note(self, trunk_id: int, kept: _Kept, status: RegistrationStatus) -> None:
        """Take news of a registration; of one that was replaced they come late, and mean nothing."""
        if self._kept.get(trunk_id) is not kept:
            return
        if status.ended:
            self._lines.set_unregistered(trunk_id, "it is registered anew", again_in_s=_LONGEST_ANSWER_S)
            return
        now, now_ms = asyncio.get_running_loop().time(), self._clock()
        again_in_s = _LONGEST_ANSWER_S + max(0.0, (status.retry_at or now) - now)
        until = None if status.until is None else now_ms + int((status.until - now) * 1000)
        if status.registered:
            self._lines.set_registered(trunk_id)
        else:
            self._lines.set_unregistered(trunk_id, describe(status), again_in_s=again_in_s)
        row = StoredRegistration(
            contact=status.contact,
            registered_until=until,
            problem=None if status.registered and status.problem is None else describe(status),
            sip_code=status.status,
            holds_until=until or now_ms + int(again_in_s * 1000),
        )
        self._database.post(registrations.note, trunk_id, row, now=now_ms)
        if kept.contact != status.contact:
            self._database.post(registrations.forget, trunk_id, kept.contact)
        _tell(kept, status, again_in_s)
        kept.contact, kept.registered = status.contact, status.registered


def _tell(kept: _Kept, status: RegistrationStatus, again_in_s: float) -> None:
    if status.problem is not None:
        _log.warning(
            "trunk_registration_failed",
            trunk=kept.line.name,
            registered=status.registered,
            problem=describe(status),
            again_in_s=round(again_in_s - _LONGEST_ANSWER_S),
        )
    elif status.registered and not kept.registered:
        _log.info("trunk_registered", trunk=kept.line.name, contact=status.contact)
