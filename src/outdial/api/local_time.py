"""The time zone of the account that the request in progress belongs to.

A context variable: every endpoint writes times, in rows that are made far from where the token is known.
"""

from contextvars import ContextVar
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
_zone: ContextVar[ZoneInfo] = ContextVar("outdial_zone", default=UTC)


def use_zone(zone: ZoneInfo) -> None:
    """Write and read times of this request in `zone`."""
    _zone.set(zone)


def current_zone() -> ZoneInfo:
    """The zone of the request in progress; UTC outside of any."""
    return _zone.get()
