"""What a trunk can be given, validated: for the HTTP API and for the command line."""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from outdial.api.fields import Fields

CODECS = ("PCMA", "PCMU", "G722")
CALLER_ID_MODES = ("from", "p_asserted_identity", "remote_party_id")

_SESSION_EXPIRES_MIN = 90
_REGISTER_EXPIRES = range(60, 86_401)
_HOST = re.compile(r"(?i)[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?")
_TOKEN = re.compile(r"[A-Za-z0-9!%*_+`'~.-]+")
_OURS = frozenset(
    [
        "via",
        "from",
        "to",
        "call-id",
        "cseq",
        "contact",
        "max-forwards",
        "content-length",
        "content-type",
        "route",
        "record-route",
        "authorization",
        "proxy-authorization",
    ]
)
"""Headers that the user agent writes itself."""


def read_trunk_request(body: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Return the settings of a trunk that a request gives, by their names in storage.

    A new one needs name and host; a change may leave anything out. Raises ApiError 422.
    """
    fields = Fields(body)
    fields.text("name", required=is_new)
    fields.text("host", required=is_new, check=_host)
    fields.whole("port", 1, 65535)
    for name in ("username", "password", "auth_username", "from_user"):
        fields.text(name, empty=None)
    fields.text("from_domain", empty=None, check=_domain)
    fields.text("dial_prefix", empty="", most=20)
    fields.choice("caller_id_mode", CALLER_ID_MODES)
    fields.flag("privacy")
    fields.texts("codecs", _codec)
    fields.choice("ptime_ms", ("10", "20", "30", "40", "60"))
    fields.whole("ring_timeout_s", 1, 180)
    fields.whole("max_call_s", 1, 86_400)
    fields.text("session_expires_s", check=_session_expires)
    fields.text("register_expires_s", check=_register_expires)
    fields.whole("options_interval_s", 0, 3600)
    fields.number("calls_per_second", 0.01, 10_000)
    fields.whole("max_concurrent", 1, 1_000_000)
    fields.flag("keep_to_peer")
    fields.texts("addresses", network)
    fields.mapping("headers", _header)
    fields.flag("enabled")
    values = fields.done()
    if "ptime_ms" in values:
        values["ptime_ms"] = int(values["ptime_ms"])
    if values.get("codecs") == ():
        fields.wrong("codecs", f"codecs should be some of {', '.join(CODECS)}.")
    return fields.done()


def network(text: str) -> str:
    """A network in CIDR form, or an address. Raises ValueError with a sentence."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a network: write it as in 192.0.2.0/24.") from None


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        if _HOST.fullmatch(text) is None:
            raise ValueError(
                f"host should be a name or an address, such as sip.example.com, not {text[:40]!r}."
            ) from None
        return text


def _domain(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError(f"from_domain should be a name or an address, not {text[:40]!r}.")
    return text


def _codec(text: str) -> str:
    if text.upper() not in CODECS:
        raise ValueError(f"codecs should be some of {', '.join(CODECS)}, not {text[:40]!r}.")
    return text.upper()


def _session_expires(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1
    if seconds != 0 and seconds < _SESSION_EXPIRES_MIN:
        raise ValueError(f"session_expires_s should be 0, or {_SESSION_EXPIRES_MIN} or more (RFC 4028 §4).")
    return seconds


def _register_expires(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1
    if seconds != 0 and seconds not in _REGISTER_EXPIRES:
        raise ValueError(
            f"register_expires_s should be 0, or {_REGISTER_EXPIRES[0]} to {_REGISTER_EXPIRES[-1]} seconds."
        )
    return seconds


def _header(name: str, value: str) -> tuple[str, str]:
    if _TOKEN.fullmatch(name) is None or name.lower() in _OURS:
        raise ValueError(f"{name[:40]!r} is not a header that can be added to an INVITE.")
    if len(value) > 255 or any(each < " " or each == "\x7f" for each in value):
        raise ValueError(f"The header {name[:40]} should have one line of at most 255 characters.")
    return name, value.strip()
