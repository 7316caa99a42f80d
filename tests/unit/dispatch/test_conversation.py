"""A flow on a leg: whom it does not wait for, and what has to be on disk before it is over."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.dispatch.scripted import ScriptedPhone, ScriptedTracer
from tests.unit.dispatch.test_runner import claimed_call

from outdial.dispatch.conversation import Conversation, Flows
from outdial.dispatch.messages import Messages
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason, HangupBy
from outdial.domain.flow_run import FlowRun
from outdial.egress.message import Answer, EgressRequest
from outdial.errors import DatabaseUnavailable, NotFound
from outdial.flow.definition import Library, parse_flow
from outdial.flow.speakable import Prompt
from outdial.telephony.leg_values import LegRequest, PlayResult

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


SAYS_BACK = {
    "schema_version": 1,
    "entry": "record",
    "nodes": {
        "record": {"type": "record", "settings": {"beep": False}, "exits": {"next": "back", "empty": None}},
        "back": {
            "type": "play",
            "settings": {"prompt": ["You said {{recording@sound}}. Thank you.", {"sound": "s-1"}]},
            "exits": {"next": "bye", "failed": "bye"},
        },
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}


class Spoken:
    """Prompts whose clips have the names of what they say."""

    async def clips_of(self, prompt: Prompt, codec: str, account_id: int) -> list[Path]:
        return [Path(str(getattr(item, "text", None) or getattr(item, "sound", ""))) for item in prompt]


class Blobs:
    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem

    async def take(self, key: str, file: Path) -> None:
        file.unlink()

    async def local_path(self, key: str) -> Path:
        if self.problem is not None:
            raise self.problem
        return Path("blobs", key)


async def said_back(
    tmp_path: Path, blobs: Blobs, flow: dict[str, Any] = SAYS_BACK
) -> tuple[list[str], FlowRun]:
    """The clips that a callee hears who has left a message, and the run."""
    phone = ScriptedPhone(cast("LegRequest", None), ScriptedTracer())
    phone.played.set_result(PlayResult(500, completed=True))
    flows = replace(FLOWS, prompts=cast("Any", Spoken()), messages=Messages(tmp_path / "messages", blobs))
    conversation = a_conversation(phone, flows=flows, store=Away(tries=0))
    async with asyncio.timeout(10):
        await conversation.run(Library.of(parse_flow(flow)))
    run = conversation.left_behind()
    assert run is not None
    return [str(clip) for clip in phone.clips], run


async def test_a_message_can_be_said_back_in_the_call_that_recorded_it(tmp_path: Path) -> None:
    clips, run = await said_back(tmp_path, Blobs())
    assert clips == ["You said", f"blobs/{run.variables['recording']}", ". Thank you.", "s-1"]
    assert run.problems == []


async def test_a_message_that_is_gone_or_another_s_is_no_sound(tmp_path: Path) -> None:
    clips, run = await said_back(tmp_path, Blobs(NotFound("There is no such object.")))
    assert clips == []
    assert run.problems == ["back: the message cannot be heard: There is no such object."]
    theirs = json.loads(json.dumps(SAYS_BACK).replace("{{recording@sound}}", "{{theirs@sound}}"))
    theirs["variables"] = {"theirs": {"default": "recordings/others-1-record-1-recording.ulaw"}}
    clips, _ = await said_back(tmp_path, Blobs(), theirs)
    assert clips[1] == "recordings/others-1-record-1-recording.ulaw", "it is looked for among the sounds"
