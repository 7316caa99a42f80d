"""Time zones in flows: the callee's, the account's, or one by name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outdial.flow.kinds import Schema, shown
from outdial.flow.problem import Place
from outdial.flow.values import Variables, as_text, lookup

CALLEE_ZONE = "caller.timezone"
"""The variable with the zone of the callee's number."""
ACCOUNT_ZONE = "account.timezone"
_BY_WORD = {"callee": (CALLEE_ZONE, ACCOUNT_ZONE), "account": (ACCOUNT_ZONE,)}


class _ZoneKind:
    """``callee``, ``account`` or a name of the time zone database."""

    def read(self, value: object, place: Place) -> str:
        if isinstance(value, str) and (value in _BY_WORD or find(value) is not None):
            return value
        place.note(f"must be callee, account or a time zone such as Asia/Kolkata, not {shown(value)}")
        return "account"

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


ZONE = _ZoneKind()


def zone_of(word: str, variables: Variables) -> tzinfo:
    """The zone that a setting means: that of the account where the callee's is not known, else UTC."""
    for name in _BY_WORD.get(word, ()):
        zone = find(as_text(lookup(variables, name)))
        if zone is not None:
            return zone
    return find(word) or UTC


def find(name: str) -> tzinfo | None:
    """The zone of that name in the time zone database, or None."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
