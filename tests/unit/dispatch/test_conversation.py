"""A flow on a leg that is gone waits for nobody."""

import asyncio
from typing import Any, cast

from tests.unit.dispatch.scripted import ScriptedPhone, ScriptedTracer

from outdial.dispatch.conversation import Conversation, Flows
from outdial.domain.call import Call, CallState, Lease
from outdial.domain.disposition import EndReason, HangupBy
from outdial.egress.message import Answer, EgressRequest
from outdial.flow.definition import Library, parse_flow
from outdial.telephony.leg_values import LegRequest

ASKS = {
    "schema_version": 1,
    "entry": "ask",
    "nodes": {
        "ask": {
            "type": "http_request",
            "settings": {"url": "https://crm.example/slow", "timeout": 30},
            "exits": {"ok": "bye"},
        },
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}


class SlowServer:
    """Takes a request and never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def fetch(self, request: EgressRequest, *, most_bytes: int) -> Answer:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("it was answered")


async def test_a_callee_who_hangs_up_ends_the_call_though_a_server_has_not_answered() -> None:
    server = SlowServer()
    phone = ScriptedPhone(cast("LegRequest", None), ScriptedTracer())
    call = Call(
        id="r:1",
        account_id=1,
        bridge="1",
        trunk_id=1,
        to="2",
        submitted_at=0,
        due_at=0,
        ivr_id="7",
        flow_version=1,
        state=CallState.LEASED,
        attempts_started=1,
        attempts_spent=0,
        trunk_faults=0,
        cancel_requested_at=None,
        disposition=None,
        reason=None,
        done_at=None,
    )
    nothing = cast("Any", None)
    flows = Flows(
        library=nothing,
        prompts=nothing,
        egress=cast("Any", server),
        messages=nothing,
        agents=nothing,
        conferences=nothing,
    )
    lease = Lease("r:1", 1, 1, "d")
    conversation = Conversation(
        phone, nothing, "PCMU", lambda: 0, call, lease, nothing, nothing, nothing, flows
    )
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(conversation.run(Library.of(parse_flow(ASKS))))
        await server.asked.wait()
        phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
    assert running.result().reason is EndReason.CALLEE_HUNG_UP
    run = conversation.left_behind()
    assert run is not None
    assert run.result == "callee_hung_up"
