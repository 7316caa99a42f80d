"""What a registrar says about times: for how long it keeps our address, and for how long at least."""

import re

from outdial.errors import SipParseError
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.message import Response
from outdial.sip.uri import SipUri

LONGEST_S = 86_400
"""Nobody is asked for more, in seconds, whatever a Min-Expires says."""

_DELTA_SECONDS = re.compile(r"\s*([0-9]{1,10})\s*(?:;.*)?", re.DOTALL)
_DEFAULT_PORT = 5060


def granted_s(response: Response, contact: SipUri, asked_s: int) -> int:
    """Return for how many seconds a 2xx keeps `contact`, and never more than was asked for; 0 for not at all.

    The response lists all that the registrar knows (§10.3 step 8), also what other dialers registered: ours
    is found by its address. Where none is ours, a border controller on the way put another address there,
    and the one that lapses first is taken for it. Without any Contact, which a registrar should not do, or
    without its `expires`, the header counts (§10.2.4), and without that what was asked for.
    """
    listed = _contacts(response)
    ours = [each for each in listed if _is_same(each.uri, contact)]
    header = _seconds(response.headers.get("Expires"))
    default = asked_s if header is None else header
    times = [_or(_seconds(each.parameters.get("expires")), default) for each in ours or listed]
    return min([asked_s, *(times or [default])])


def min_expires_s(response: Response) -> int | None:
    """Return the Min-Expires of a 423 in seconds (§20.23), None where it says nothing or too much."""
    seconds = _seconds(response.headers.get("Min-Expires"))
    return None if seconds is None or seconds > LONGEST_S else seconds


def _contacts(response: Response) -> list[NameAddr]:
    """Every Contact that can be read: one bad address must not cost the registration."""
    found = []
    for value in response.headers.get_all("Contact"):
        try:
            found.append(NameAddr.parse(value))
        except SipParseError:
            continue
    return found


def _is_same(one: SipUri, other: SipUri) -> bool:
    """Compare what says where we are (§19.1.4); parameters that a registrar adds or drops do not count."""
    return (
        one.user_text == other.user_text
        and one.host.lower() == other.host.lower()
        and (one.port or _DEFAULT_PORT) == (other.port or _DEFAULT_PORT)
    )


def _seconds(text: str | None) -> int | None:
    match = _DELTA_SECONDS.fullmatch(text or "")
    return None if match is None else int(match[1])


def _or(seconds: int | None, default: int) -> int:
    return default if seconds is None else seconds
