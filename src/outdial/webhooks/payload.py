"""An event as its receiver sees it, and the variables of composed webhooks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from outdial.domain.money import to_text
from outdial.domain.number_origin import NOWHERE, origin_of
from outdial.domain.rating import NOTHING
from outdial.storage import recordings
from outdial.storage.outbox_claims import Event
from outdial.storage.webhooks import Webhook

SOURCE = "OBD"


def payload_of(event: Event, base: str = "") -> dict[str, Any]:
    """Return what is sent as JSON: the family's fields, then ours. Addresses begin with `base`.

    The same at every try and replay: it is made of what never changes once the attempt has ended.
    """
    call = event.call
    outcome = None if event.cdr is None else event.cdr.outcome
    bill = NOTHING if event.cdr is None else event.cdr.bill
    talk_ms = 0 if outcome is None else outcome.talk_ms
    run = None if outcome is None else outcome.flow_run
    return {
        "id": call.id,
        "webhook_id": event.webhook.id,
        "bridge": call.bridge,
        "from": call.bridge,
        "to": call.to,
        "source": SOURCE,
        "mid": call.id.partition(":")[0],
        "flow_id": call.ivr_id,
        "start_at": local_time(None if outcome is None else outcome.answered_at, event.time_zone),
        "end_at": local_time(call.done_at if outcome is None else outcome.ended_at, event.time_zone),
        "duration": _duration(talk_ms),
        "billing": _duration(talk_ms if bill.pulse_s == 0 else bill.billed_ms),
        "pulsing": str(bill.pulse_s),
        "charges": to_text(0 if event.cdr is None else event.cdr.charge),
        "status": call.disposition if outcome is None else outcome.disposition,
        "hangup_by": "system" if outcome is None else outcome.hangup_by,
        "dtmf": "" if outcome is None else outcome.dtmf,
        "recording_url": None if outcome is None else _recording(outcome.recording_key, base),
        "attempt": None if event.cdr is None else event.cdr.number,
        "attempts_left": event.attempts_left,
        "sip_code": None if outcome is None else outcome.sip_code,
        "campaign": call.name,
        "customid": call.customid,
        "customid1": call.customid1,
        "variables": dict(call.variables),
        "flow": None if run is None else run.shown(lambda at: local_time(at, event.time_zone)),
        "sequence": event.sequence,
    }


def variables_of(event: Event, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what templates may name: the payload, the family's variables, and those of the call.

    A variable of the call never hides one of the others.
    """
    own = dict(event.call.variables)
    origin = origin_of(event.call.to) if _asks_for_caller(event.webhook) else NOWHERE
    at = datetime.fromtimestamp(event.created_at / 1000, UTC).astimezone(_zone(event.time_zone))
    return {
        **own,
        **payload,
        "mobile": event.call.to,
        "date": at.strftime("%Y-%m-%d"),
        "unixtime": event.created_at // 1000,
        "caller": {
            "country": event.call.iso,
            "provider": origin.provider,
            "region": origin.region,
            "name": own.get("name"),
            "email": own.get("email"),
        },
    }


def local_time(at_ms: int | None, time_zone: str) -> str | None:
    """A moment as the family prints it, in the account's time zone."""
    if at_ms is None:
        return None
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(_zone(time_zone))
    return at.strftime("%Y-%m-%d %H:%M:%S")


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _asks_for_caller(webhook: Webhook) -> bool:
    """Where numbers come from costs a process half a second and 27 MB, once: not for who does not ask."""
    return "caller" in webhook.uri or "caller" in (webhook.body or "")


def _recording(key: str | None, base: str) -> str | None:
    """Where it is fetched."""
    return None if key is None else f"{base}/api/v1/voice/recordings/{recordings.id_of(key)}/audio"


def _duration(duration_ms: int) -> str:
    minutes, seconds = divmod(ceil(duration_ms / 1000), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
