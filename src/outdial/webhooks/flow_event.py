"""What a receiver sees of an event that a flow sent in the middle of a call."""

from typing import Any

from outdial.storage.outbox import FLOW_EVENT
from outdial.storage.outbox_claims import Event, FlowEvent
from outdial.webhooks.payload import SOURCE, local_time


def flow_event_payload(event: Event, said: FlowEvent) -> dict[str, Any]:
    """Return what is sent as JSON: `event` tells it from the end of an attempt.

    The same at every try and replay: nothing in it changes while the call goes on.
    """
    call = event.call
    return {
        "event": FLOW_EVENT,
        "name": said.name,
        "data": dict(said.data),
        "id": call.id,
        "webhook_id": event.webhook.id,
        "bridge": call.bridge,
        "from": call.bridge,
        "to": call.to,
        "source": SOURCE,
        "mid": call.id.partition(":")[0],
        "flow_id": call.ivr_id,
        "sent_at": local_time(event.created_at, event.time_zone),
        "attempt": said.attempt,
        "campaign": call.name,
        "customid": call.customid,
        "customid1": call.customid1,
        "variables": dict(call.variables),
        "sequence": event.sequence,
    }
