"""What the templates and clocks of a flow know of its call."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outdial.domain.call import Call
from outdial.flow.values import Value


@dataclass(frozen=True, slots=True)
class Zones:
    """The time zones of a call, names of the time zone database."""

    account: str = "UTC"
    callee: str | None = None
    """Of the number; None where it may be in several."""


NO_ZONES = Zones()


def flow_variables(call: Call, zones: Zones, now: int) -> dict[str, Value]:
    """The variables that a run begins with: a variable of the call never hides one of these.

    `start_at` and `date` are in the account's time zone, as everywhere.
    """
    given = dict(call.variables)
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone(_zone(zones.account))
    return {
        **given,
        "id": call.id,
        "from": call.bridge,
        "to": call.to,
        "mobile": call.to,
        "bridge": call.bridge,
        "start_at": here.strftime("%Y-%m-%d %H:%M:%S"),
        "date": here.strftime("%Y-%m-%d"),
        "unixtime": now // 1000,
        "account": {"timezone": zones.account},
        "caller": {
            "country": call.iso,
            "name": given.get("name"),
            "email": given.get("email"),
            "timezone": zones.callee,
        },
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # gone from this machine's tables
        return ZoneInfo("UTC")
