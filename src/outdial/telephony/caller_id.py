"""Who is calling: From, P-Asserted-Identity, Remote-Party-ID and Privacy (RFC 3261 §8.1.1.3, 3323, 3325)."""

from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.uri import SipUri
from outdial.telephony.trunk import CallerIdMode, Trunk

ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""RFC 3323 §4.1.1.3."""


def caller_id(
    trunk: Trunk, number: str, name: str, local_host: str
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return From without a tag, and the identity headers.

    `number` is the bridge's, `name` what the callee's display shows, both as the user set them.
    """
    domain = trunk.from_domain or local_host
    identity = str(NameAddr(name, SipUri.for_user(number, domain)))
    headers: list[tuple[str, str]] = []
    mode = trunk.caller_id_mode
    if mode is CallerIdMode.P_ASSERTED_IDENTITY or (mode is CallerIdMode.FROM and trunk.privacy):
        # From says nothing then, and the trunk has to learn the number all the same.
        headers.append(("P-Asserted-Identity", identity))
    elif mode is CallerIdMode.REMOTE_PARTY_ID:
        privacy = "full" if trunk.privacy else "off"
        headers.append(("Remote-Party-ID", f"{identity};party=calling;screen=yes;privacy={privacy}"))
    if trunk.privacy:
        headers.append(("Privacy", "id"))
        return ANONYMOUS, tuple(headers)
    return str(NameAddr(name, SipUri.for_user(trunk.from_user or number, domain))), tuple(headers)


def contact_user(trunk: Trunk, number: str) -> str:
    """Return the user part of Contact, which proxies hand on to the callee (RFC 3323 §4.1)."""
    return "anonymous" if trunk.privacy else number
