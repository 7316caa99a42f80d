"""The calls that this dialer runs, and what is asked of them from outside."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from outdial.dispatch.control import CallControl
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason
from outdial.errors import DatabaseUnavailable
from outdial.storage import attempts, traces
from outdial.storage.database import Database


class CallsInProgress:
    """By call id; a dialer runs at most one attempt of a call."""

    def __init__(self) -> None:
        self._running: dict[str, CallControl] = {}
        self._over: list[CallControl] = []

    def __len__(self) -> int:
        return len(self._running)

    def add(self, lease: Lease) -> CallControl:
        """Note a call that starts."""
        control = self._running[lease.call_id] = CallControl(lease)
        return control

    def remove(self, control: CallControl) -> None:
        """Note that a call is over; the rest of its trace is still stored by the next `store_traces`."""
        if self._running.get(control.lease.call_id) is control:
            del self._running[control.lease.call_id]
        if control.tracer is not None and not control.lost:
            self._over.append(control)

    def holds(self, lease: Lease) -> bool:
        """Tell whether exactly this attempt runs here."""
        control = self._running.get(lease.call_id)
        return control is not None and control.lease == lease

    def cancel(self, call_ids: Iterable[str]) -> None:
        """Cancel those of these calls that run here."""
        for call_id in call_ids:
            control = self._running.get(call_id)
            if control is not None:
                control.stop(EndReason.CANCELLED)

    def shut_down(self) -> None:
        """End all of them; each writes its outcome."""
        for control in list(self._running.values()):
            control.stop(EndReason.SHUTDOWN)

    def lose(self, dialer_id: str) -> None:
        """Give up all that are held under a dialer's lease that is lost; nothing is written."""
        for control in list(self._running.values()):
            if control.lease.dialer_id == dialer_id:
                control.lose()

    async def store_traces(self, database: Database, now: int) -> None:
        """Store the trace entries that came since the last time; what cannot be stored waits for the next.

        Raises DatabaseUnavailable.
        """
        over, self._over = self._over, []
        taken = [
            (control, control.tracer, entries)
            for control in (*self._running.values(), *over)
            if control.tracer is not None and not control.lost and (entries := control.tracer.take())
        ]
        if not taken:
            return
        rows = [(control.lease, entries) for control, _, entries in taken]
        try:
            await database.run_patiently(_append, rows, now=now)
        except DatabaseUnavailable:
            for control, tracer, entries in taken:
                tracer.give_back(entries)
                if self._running.get(control.lease.call_id) is not control and control not in self._over:
                    self._over.append(control)
            raise


def _append(conn: sa.Connection, rows: Sequence[tuple[Lease, Sequence[traces.Entry]]], *, now: int) -> None:
    for lease, entries in rows:
        attempts.append_trace(conn, lease, entries)
