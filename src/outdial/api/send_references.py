"""What a request to call names and has to be there: the bridge, a sound or a flow, a webhook."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from outdial.api.developer_webhooks import why_off
from outdial.api.flows import why_not_callable
from outdial.api.send_request import SendRequest, unknown_sound, unknown_webhook
from outdial.storage import bridges, sounds, webhooks
from outdial.storage.bridges import Bridge
from outdial.storage.sounds import Sound


@dataclass(slots=True)
class References:
    """What was found; `wrong` has sentences by the name of the parameter."""

    bridge: Bridge | None = None
    sound: Sound | None = None
    flow_version: int | None = None
    wrong: dict[str, list[str]] = field(default_factory=dict)


def look_up(conn: sa.Connection, account_id: int, wanted: SendRequest) -> References:
    """Look for what the request names; of a request that is wrong elsewhere, for what it names rightly."""
    found = References()
    if wanted.bridge:
        bridge = bridges.get_by_number(conn, wanted.bridge)
        if bridge is None or bridge.account_id != account_id:
            found.wrong["bridge"] = [unknown_bridge(wanted.bridge)]
        else:
            found.bridge = bridge
    if wanted.sound_id is not None:
        found.sound = sounds.get(conn, account_id, wanted.sound_id)
        if found.sound is None:
            found.wrong["audio"] = [unknown_sound(wanted.sound_id)]
    if wanted.flow_id is not None:
        why_not, found.flow_version = why_not_callable(conn, account_id, wanted.flow_id)
        if why_not is not None:
            found.wrong["ivr_id"] = [why_not]
    if wanted.webhook_id is not None and (sentence := _why_not(conn, account_id, wanted.webhook_id)):
        found.wrong["webhook_id"] = [sentence]
    return found


def unknown_bridge(number: str) -> str:
    """The sentence for a number that the account cannot call from."""
    return f"There is no bridge {number[:40]}; GET /api/v1/voice/bridges lists the numbers to call from."


def _why_not(conn: sa.Connection, account_id: int, webhook_id: int) -> str | None:
    """Why a webhook cannot be told about calls, as a sentence; None if it can."""
    webhook = webhooks.get(conn, account_id, webhook_id)
    if webhook is None:
        return unknown_webhook(webhook_id)
    reason = why_off(webhook)
    return None if reason is None else f"The webhook {webhook_id} is off: {reason}"
