"""From stored trunks and bridges to what a leg needs."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from outdial.sip.digest import Credentials
from outdial.storage import bridges
from outdial.storage import trunks as stored_trunks
from outdial.telephony.trunk import CallerIdMode, Trunk


@dataclass(frozen=True, slots=True)
class Routes:
    """All trunks and bridges at one moment."""

    trunks: dict[int, stored_trunks.Trunk] = field(default_factory=dict)
    """The enabled ones, by id."""
    lines: dict[int, Trunk] = field(default_factory=dict)
    """The same, as telephony takes them."""
    known: tuple[Trunk, ...] = ()
    """All trunks, also those that take no calls now: calls in progress may still run over them."""
    trunk_names: dict[int, str] = field(default_factory=dict)
    """The same, by id."""
    names: dict[str, str] = field(default_factory=dict)
    """Display name of each bridge that has one, by number."""
    ways: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The trunks of each bridge that has several, by number, the one that is preferred first."""


def load(conn: sa.Connection) -> Routes:
    """Read all that is needed to dial."""
    stored = stored_trunks.find_all(conn)
    ours = bridges.find_all(conn)
    return Routes(
        trunks={trunk.id: trunk for trunk in stored if trunk.enabled},
        lines={trunk.id: to_line(trunk) for trunk in stored if trunk.enabled},
        known=tuple(map(to_line, stored)),
        trunk_names={trunk.id: trunk.name for trunk in stored},
        names={bridge.number: bridge.display_name for bridge in ours if bridge.display_name},
        ways={bridge.number: bridge.ways for bridge in ours if bridge.further_trunk_ids},
    )


def to_line(trunk: stored_trunks.Trunk) -> Trunk:
    """Translate a stored trunk for telephony."""
    username = trunk.auth_username or trunk.username
    return Trunk(
        name=trunk.name,
        host=trunk.host,
        port=trunk.port,
        credentials=Credentials(username, trunk.password or "") if username else None,
        from_user=trunk.from_user,
        from_domain=trunk.from_domain,
        caller_id_mode=CallerIdMode(trunk.caller_id_mode),
        privacy=trunk.privacy,
        dial_prefix=trunk.dial_prefix,
        codecs=trunk.codecs,
        ptime_ms=trunk.ptime_ms,
        ring_timeout_s=trunk.ring_timeout_s,
        max_call_s=trunk.max_call_s,
        session_expires_s=trunk.session_expires_s,
        keep_to_peer=trunk.keep_to_peer,
        addresses=trunk.addresses,
        register_user=trunk.from_user or trunk.username,
        register_expires_s=trunk.register_expires_s,
        headers=tuple(trunk.headers.items()),
    )
