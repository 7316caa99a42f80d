"""What the rules of dispatch make of a request: which numbers are not called, and when the others are due."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from outdial.api.errors import invalid
from outdial.api.recipients import refusals
from outdial.api.send_request import SendRequest
from outdial.errors import NotFound
from outdial.storage import accounts, dial, pauses, suppressions


class SendRules:
    """The rules as they are now; dials look at them again.

    Raises ApiError 422 if none of the numbers is called.
    """

    def __init__(self, conn: sa.Connection, account_id: int, wanted: SendRequest, *, now: int) -> None:
        account = accounts.get(conn, account_id)
        if account is None:
            raise NotFound(f"There is no account {account_id}.")
        text = wanted.calling_window or account.calling_window
        self._window = None if text is None else dial.read_window(text)
        self._zone = ZoneInfo(account.time_zone)
        self._earliest = now if wanted.schedule is None else max(now, wanted.schedule)
        self._openings: dict[tuple[ZoneInfo, ...], int] = {}
        numbers = [number.digits for number in wanted.to]
        found = suppressions.blocked_of(conn, account_id, numbers, bridge=wanted.bridge, tag=wanted.name)
        self.suppressed: Mapping[str, str] = {
            number: _suppressed(number) for number in numbers if number in found
        }
        """Number → why it is not called."""
        if len(self.suppressed) == len(numbers):
            raise invalid({"to": refusals(self.suppressed.values())})
        pause = (
            pauses.holding_locked(conn, account_id, campaign=wanted.name, call_id="") if wanted.name else None
        )
        self.paused_by = None if pause is None else pause.kind.value
        """What keeps the calls in the queue."""

    def due_at(self, number: str) -> int:
        """When a number may be called first, Unix milliseconds."""
        if self._window is None:
            return self._earliest
        zones = self._window.zones(number, self._zone)
        if zones not in self._openings:  # a long list has few of them
            self._openings[zones] = self._window.opening_in(zones, self._earliest, account_zone=self._zone)
        return self._openings[zones]


def _suppressed(number: str) -> str:
    return f"{number} is on a list of numbers that are not called."
