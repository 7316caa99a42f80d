"""What the templates and clocks of a flow know of its call."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outdial.domain.call import Call
from outdial.domain.number_origin import NOWHERE, Origin
from outdial.flow.values import Value


@dataclass(frozen=True, slots=True)
class Locality:
    """Where a call is at home. Time zones are names of the time zone database."""

    account: str = "UTC"
    """Time zone of the account."""
    callee: str | None = None
    """Time zone of the number; None where it may be in several."""
    origin: Origin = NOWHERE
    """Of the number; known only to flows that speak of `caller`."""


ANYWHERE = Locality()


def flow_variables(call: Call, locality: Locality, now: int) -> dict[str, Value]:
    """The variables that a run begins with: a variable of the call never hides one of these.

    `start_at` and `date` are in the account's time zone, as everywhere.
    """
    given = dict(call.variables)
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone(_zone(locality.account))
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
        "account": {"timezone": locality.account},
        "caller": {
            "country": call.iso,
            "provider": locality.origin.provider,
            "region": locality.origin.region,
            "name": given.get("name"),
            "email": given.get("email"),
            "timezone": locality.callee,
        },
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # gone from this machine's tables
        return ZoneInfo("UTC")
