"""Which calls a request is about: filters in its query, alone or together."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from outdial.api.documentation import query as parameter
from outdial.api.errors import invalid
from outdial.api.local_time import current_zone
from outdial.domain.call import CallState
from outdial.domain.disposition import Disposition
from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidInput, InvalidPhoneNumber
from outdial.storage.calls import CallFilter

NAMES = ("mobile", "customid", "date")
"""What `outgoing/callstatus` takes."""
LOG_NAMES = (*NAMES, "customid1", "bridge", "name", "status", "state", "start_date", "end_date")
"""What the call log takes."""

_DAY_LENGTH = len("2019-08-16")
_SHOWN = 40
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

PARAMETERS = [
    parameter("mobile", "Calls to this number.", required=False),
    parameter("bridge", "Calls from this number of ours.", required=False),
    parameter("name", "Calls of this campaign.", required=False),
    parameter("status", f"How they ended: {', '.join(Disposition)}.", required=False),
    parameter("state", f"Where they are: {', '.join(CallState)}.", required=False),
    parameter("customid", "Calls that were sent with this `customid`.", required=False),
    parameter("customid1", "Calls that were sent with this `customid1`.", required=False),
    parameter("date", "Calls that were accepted on this day, as in 2019-08-16.", required=False),
    parameter(
        "start_date",
        "Calls that were accepted then or later: a day or a time, as in 2019-08-16 15:00:00, or ISO 8601 with"
        " an offset.",
        required=False,
    ),
    parameter(
        "end_date", "Calls that were accepted then or earlier; of a day, all of it counts.", required=False
    ),
]
"""The description of LOG_NAMES."""


def read_call_filter(query: QueryParams, names: Sequence[str] = NAMES) -> CallFilter | None:
    """The filter that a query asks for, None when it names none. Raises ApiError 422."""
    values = {name: query[name].strip() for name in names if query.get(name, "").strip()}
    if not values:
        return None
    errors: dict[str, list[str]] = {}

    def read(name: str, reader: Callable[[str], Any]) -> Any:
        try:
            return reader(values[name]) if name in values else None
        except (InvalidInput, InvalidPhoneNumber) as error:
            errors[name] = [str(error)]

    day = read("date", _day)
    begin = read("start_date", _begin)
    end = read("end_date", _end)
    if begin is not None and end is not None and end <= begin:
        start, last = (values[name][:_SHOWN] for name in ("start_date", "end_date"))
        errors["end_date"] = [f"end_date should not be before start_date, {start}, as {last!r} is."]
    found = CallFilter(
        to=read("mobile", _digits),
        customid=values.get("customid"),
        customid1=values.get("customid1"),
        bridge=read("bridge", _digits),
        name=values.get("name"),
        disposition=read("status", lambda text: _one_of(Disposition, "status", text.upper())),
        state=read("state", lambda text: _one_of(CallState, "state", text.lower())),
        submitted_from=_latest(None if day is None else unix_ms(day), begin),
        submitted_before=_earliest(None if day is None else unix_ms(day + timedelta(days=1)), end),
    )
    if errors:
        raise invalid(errors)
    return found


def _digits(text: str) -> str:
    return PhoneNumber.parse(text).digits


def _one_of(kind: type[Disposition] | type[CallState], name: str, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(kind)
        raise InvalidInput(f"{name} should be one of {choices}, not {text[:_SHOWN]!r}.") from None


def _day(text: str) -> datetime:
    try:
        return midnight(text)
    except ValueError:
        raise InvalidInput(f"date should be a day as in 2019-08-16, not {text[:_SHOWN]!r}.") from None


def midnight(text: str) -> datetime:
    """Midnight of `YYYY-MM-DD` in the account's time zone, of a year that Unix time knows.

    Raises ValueError.
    """
    found = _read_time(text) if len(text) == _DAY_LENGTH else None
    if found is None:
        raise ValueError("no such day")
    return found


def _begin(text: str) -> int:
    return unix_ms(_time("start_date", text))


def _end(text: str) -> int:
    """The first moment behind a day, or behind a second: answers show times without milliseconds."""
    unit = timedelta(days=1) if len(text) == _DAY_LENGTH else timedelta(seconds=1)
    return unix_ms(_time("end_date", text) + unit)


def _time(name: str, text: str) -> datetime:
    found = _read_time(text)
    if found is None:
        sentence = f"{name} should be a day or a time, as in 2019-08-16 or 2019-08-16 15:00:00,"
        raise InvalidInput(f"{sentence} not {text[:_SHOWN]!r}.")
    return found


def _read_time(text: str) -> datetime | None:
    """A day or a time of a year that Unix time knows; None for anything else.

    In the account's time zone, unless a time has an offset.
    """
    if _DAY.match(text) is None:
        return None
    try:
        found = datetime.fromisoformat(text) if ":" in text else date.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 < found.year < 9999:
        return None
    zone = found.tzinfo if isinstance(found, datetime) and found.tzinfo else current_zone()
    parts = found.timetuple()[:6]
    return datetime(*parts, tzinfo=zone)


def _latest(*times: int | None) -> int | None:
    return max((each for each in times if each is not None), default=None)


def _earliest(*times: int | None) -> int | None:
    return min((each for each in times if each is not None), default=None)


def unix_ms(at: datetime) -> int:
    """Unix milliseconds."""
    return int(at.timestamp() * 1000)
