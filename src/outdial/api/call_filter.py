"""Which calls a request is about: `?mobile=`, `?customid=` and `?date=`, alone or together."""

from datetime import date, datetime, timedelta

from starlette.datastructures import QueryParams

from outdial.api.errors import invalid
from outdial.api.local_time import current_zone
from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidPhoneNumber
from outdial.storage.calls import CallFilter

NAMES = ("mobile", "customid", "date")


def read_call_filter(query: QueryParams) -> CallFilter | None:
    """The filter that a query asks for, None when it names none. Raises ApiError 422."""
    values = {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}
    if not values:
        return None
    errors: dict[str, list[str]] = {}
    to = day = None
    if "mobile" in values:
        try:
            to = PhoneNumber.parse(values["mobile"]).digits
        except InvalidPhoneNumber as error:
            errors["mobile"] = [str(error)]
    if "date" in values:
        try:
            day = midnight(values["date"])
        except ValueError:
            errors["date"] = [f"date should be a day as in 2019-08-16, not {values['date'][:40]!r}."]
    if errors:
        raise invalid(errors)
    return CallFilter(
        to=to,
        customid=values.get("customid"),
        submitted_from=None if day is None else unix_ms(day),
        submitted_before=None if day is None else unix_ms(day + timedelta(days=1)),
    )


def midnight(text: str) -> datetime:
    """Midnight of `YYYY-MM-DD` in the account's time zone, of a year that Unix time knows.

    Raises ValueError.
    """
    found = date.fromisoformat(text)
    if not 1970 <= found.year < 9999:
        raise ValueError("no such year")
    return datetime(found.year, found.month, found.day, tzinfo=current_zone())


def unix_ms(at: datetime) -> int:
    """Unix milliseconds."""
    return int(at.timestamp() * 1000)
