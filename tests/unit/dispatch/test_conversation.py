"""A flow on a leg: whom it does not wait for, and what has to be on disk before it is over."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from tests.unit.dispatch.scripted import ScriptedPhone, ScriptedTracer
from tests.unit.dispatch.test_runner import claimed_call

from outdial.dispatch.conversation import Conversation, Flows
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason, HangupBy
from outdial.egress.message import Answer, EgressRequest
from outdial.errors import DatabaseUnavailable
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


NOTHING = cast("Any", None)
FLOWS = Flows(
    library=NOTHING,
    prompts=NOTHING,
    egress=NOTHING,
    messages=NOTHING,
    agents=NOTHING,
    conferences=NOTHING,
)


def a_conversation(phone: ScriptedPhone, **changes: Any) -> Conversation:
    call = claimed_call(ivr_id="7", flow_version=1).call
    values: dict[str, Any] = {
        "phone": phone,
        "clips": NOTHING,
        "codec": "PCMU",
        "clock": lambda: 0,
        "call": call,
        "lease": Lease(call.id, 1, 1, "d"),
        "store": NOTHING,
        "trunk": NOTHING,
        "is_lost": lambda: False,
    }
    return Conversation(**(values | changes))


async def test_a_callee_who_hangs_up_ends_the_call_though_a_server_has_not_answered() -> None:
    server = SlowServer()
    phone = ScriptedPhone(cast("LegRequest", None), ScriptedTracer())
    conversation = a_conversation(phone, flows=replace(FLOWS, egress=cast("Any", server)))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(conversation.run(Library.of(parse_flow(ASKS))))
        await server.asked.wait()
        phone.end(EndReason.CALLEE_HUNG_UP, HangupBy.CALLEE)
    assert running.result().reason is EndReason.CALLEE_HUNG_UP
    run = conversation.left_behind()
    assert run is not None
    assert run.result == "callee_hung_up"


class Away:
    """A database that comes back after some tries."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        self.written: list[str] = []

    async def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.tries:
            self.tries -= 1
            raise DatabaseUnavailable("away")
        self.written.append(fn.__name__)


OPTS_OUT = {
    "schema_version": 1,
    "entry": "out",
    "nodes": {
        "out": {"type": "opt_out", "settings": {}, "exits": {"next": "bye"}},
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}


@pytest.mark.parametrize(("lost", "written"), [(False, ["add"]), (True, [])])
async def test_who_says_no_more_is_heard_also_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, lost: bool, written: list[str]
) -> None:
    turn = partial(asyncio.sleep, 0)
    lost_now = False

    async def no_pause(_: float) -> None:
        nonlocal lost_now
        lost_now = lost
        await turn()

    monkeypatch.setattr("outdial.dispatch.conversation.asyncio.sleep", no_pause)
    store = Away(tries=3)
    phone = ScriptedPhone(cast("LegRequest", None), ScriptedTracer())
    conversation = a_conversation(phone, flows=FLOWS, store=store, is_lost=lambda: lost_now)
    async with asyncio.timeout(10):
        await conversation.run(Library.of(parse_flow(OPTS_OUT)))
    assert store.written == written
