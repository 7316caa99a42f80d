"""What a suppression may say: which calls to a number are not made."""

from enum import StrEnum, unique

from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidInput, InvalidPhoneNumber

VOICE = "voice"
"""The service that calls are."""
_LONGEST_VALUE = 255


@unique
class SuppressionType(StrEnum):
    """Which calls to the receiver are not made."""

    ALL = "all"
    """Every one; `value` is empty."""
    TAG = "tag"
    """Those whose campaign name is `value`."""
    SENDER = "sender"
    """Those from the bridge `value`."""
    SERVICE = "service"
    """Those of the service `value`: `voice`."""


_MEANT = {
    SuppressionType.TAG: "the name of the campaign",
    SuppressionType.SENDER: "the number of the bridge",
    SuppressionType.SERVICE: f"the service, {VOICE},",
}


def read_type(text: str) -> SuppressionType:
    """Read a type; empty means all. Raises InvalidInput."""
    try:
        return SuppressionType(text.strip().lower() or "all")
    except ValueError:
        expected = ", ".join(SuppressionType)
        raise InvalidInput(f"type should be one of {expected}, not {text[:40]!r}.") from None


def read_value(kind: SuppressionType, text: str) -> str:
    """Read the value that belongs to a type: digits for a sender. Raises InvalidInput."""
    value = text.strip()
    if kind is SuppressionType.ALL:
        if value:
            others = ", ".join(each for each in SuppressionType if each is not kind)
            raise InvalidInput(
                f"value is {value[:40]!r}, and the type all has none: set type to one of {others}, or leave"
                " value out."
            )
        return ""
    if not value:
        raise InvalidInput(f"value is missing: {_MEANT[kind]} that the type {kind} is about.")
    if kind is SuppressionType.SERVICE:
        if value.lower() != VOICE:
            raise InvalidInput(f"value should be {VOICE} for the type service, not {value[:40]!r}.")
        return VOICE
    if len(value) > _LONGEST_VALUE or "\x00" in value:
        raise InvalidInput(f"value should be a text of at most {_LONGEST_VALUE} characters.")
    if kind is SuppressionType.TAG:
        return value
    try:
        return PhoneNumber.parse(value).digits
    except InvalidPhoneNumber as error:
        raise InvalidInput(f"value should be the number of a bridge: {error}") from None
