"""What a receiver sees of a flow's event is what the guide prints, and its data cannot hide a field."""

import json
from pathlib import Path

from tests.unit.webhooks.events import END_MS, call, event

from outdial.domain.call import CallState
from outdial.storage.outbox_claims import FlowEvent
from outdial.webhooks.flow_event import flow_event_payload
from outdial.webhooks.request import request_for

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "webhooks.md"


def test_the_payload_is_what_the_guide_prints() -> None:
    _, _, rest = GUIDE.read_text(encoding="utf-8").partition("## What a flow says")
    printed = rest.split("```\n")[1]
    said = FlowEvent(name="promised", data={"amount": "1200", "day": "2019-08-20"}, attempt=1)
    on_the_line = call(state=CallState.LEASED, disposition=None, reason=None, done_at=None, ivr_id="12")
    told = event(call=on_the_line, cdr=None, flow_event=said, attempts_left=1, created_at=END_MS)
    payload = flow_event_payload(told, said)
    assert json.loads(json.dumps(payload)) == json.loads(printed)
    body = request_for(told, now_ms=END_MS, timeout_s=1.0).body
    assert body is not None
    assert json.loads(body) == payload
