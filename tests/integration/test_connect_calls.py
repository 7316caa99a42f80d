"""Transfers as real calls: agents that answer, are busy or ring in vain, and whose voice is heard."""

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System

from outdial.audio.compare import correlate
from outdial.audio.wire import Pcm, decode_wire
from outdial.domain.agent_leg import AgentLeg
from outdial.sandbox.heard import Heard
from outdial.sandbox.voices import murmur
from outdial.storage import agent_legs, bridges, flow_runs
from outdial.storage.blobs import Blobs

pytestmark = pytest.mark.timeout(300)

RATE = 8_000
BUSY, RINGS = "12025550102", "12025550104"
CALLEE, QUICK, SLOW, IMPATIENT, ALSO = (f"120255501{n}" for n in (60, 61, 62, 63, 64))
PHONES = f"""
[phones.{CALLEE}]
digits = "5"
digits_after_s = 3.0

[phones.{QUICK}]
digits = "7#"
digits_after_s = 2.0
hang_up_after_s = 5.0

[phones.{SLOW}]
answer_after_s = 3.0

[phones.{IMPATIENT}]
hang_up_after_s = 2.0

[phones.{ALSO}]
digits_after_s = 3.0
"""


def flow(settings: dict[str, Any]) -> dict[str, Any]:
    ends = {name: {"type": "hang_up", "settings": {"result": name}} for name in ("busy", "silent", "sorry")}
    return {
        "schema_version": 1,
        "entry": "connect",
        "nodes": {
            "connect": {
                "type": "connect",
                "settings": settings,
                "exits": {"answered": "after", "busy": "busy", "no_answer": "silent", "failed": "sorry"},
            },
            "after": {"type": "wait", "settings": {"seconds": 1}, "exits": {"next": "talked"}},
            "talked": {"type": "hang_up", "settings": {"result": "talked"}},
            **ends,
        },
    }


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    settings = {"media.workers": 2}
    async with System(tmp_path, sqlite_url, phones=PHONES, settings=settings) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def call(system: System, callee: str, **settings: Any) -> tuple[str, dict[str, Any]]:
    """A call that connects `callee` with somebody; its id, and its status once it is over."""
    made = await ok(system, "POST", "flows", json={"name": "connect", "document": flow(settings)})
    await ok(system, "POST", f"flows/{made['id']}/publish", json={})
    form = {"bridge": BRIDGE, "to": callee, "ivr_id": str(made["id"])}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    return row["id"], await system.done(row["id"])


def result_of(system: System, call_id: str) -> tuple[str, dict[str, Any], list[str]]:
    (run,) = system.read(flow_runs.of_calls, [call_id]).values()
    return run.result, dict(run.variables), list(run.problems)


def legs_of(system: System, call_id: str) -> list[AgentLeg]:
    return system.read(agent_legs.of_calls, [call_id])


async def heard_by(system: System, sip_call_id: str) -> Heard:
    def found() -> list[Heard]:
        return [each for each in system.heard() if each.call_id == sip_call_id]

    (heard,) = await until(found, "the phone has hung up")
    return heard


def sound_of(system: System, heard: Heard) -> Pcm:
    assert heard.recording is not None
    with wave.open(str(system.data_dir / "sandbox" / heard.recording), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def voice_in(sound: Pcm, number: str) -> float:
    """How like the voice of a phone a second of `sound` is."""
    return correlate(np.tile(murmur(number, RATE), 2), sound, RATE).peak


async def test_the_two_hear_each_other_and_each_other_s_keys_and_the_flow_goes_on(system: System) -> None:
    call_id, status = await call(
        system, CALLEE, to=[BUSY, QUICK], ring_seconds=10, record=True, caller_id=CALLEE
    )
    result, variables, problems = result_of(system, call_id)
    assert (result, variables["agent"], problems) == ("talked", QUICK, [])
    busy, talked = legs_of(system, call_id)
    assert busy.outcome is not None
    assert talked.outcome is not None
    assert (busy.outcome.disposition, busy.outcome.sip_code) == ("BUSY", 486)
    assert (talked.outcome.disposition, talked.outcome.reason) == ("ANSWER", "callee_hung_up")
    agent = await heard_by(system, talked.sip_call_id)
    callee = await heard_by(system, status["attempts"][0]["sip_call_id"])
    assert (agent.caller, agent.outcome, agent.ended_by) == (CALLEE, "answered", "phone")
    # The callee presses a key while they talk, the agent two.
    assert (agent.digits, callee.digits) == ("5", "7#")
    at_agent, at_callee = sound_of(system, agent), sound_of(system, callee)
    assert voice_in(at_agent[3 * RATE : 4 * RATE], CALLEE) > 0.9
    joined_s = (talked.outcome.joined_at - (talked.answered_at or 0)) / 1_000
    assert joined_s < 1
    middle = len(at_callee) - round(3.5 * RATE)  # a second of waiting in the flow comes last
    assert voice_in(at_callee[middle : middle + RATE], QUICK) > 0.9
    # When the agent has hung up, the callee hears silence again.
    assert np.abs(at_callee[-RATE // 2 :]).max() < 300
    key = talked.outcome.recording_key
    assert key == variables["agent_recording"]
    stored = await Blobs(f"file://{system.data_dir / 'blobs'}").local_path(key)
    both = np.frombuffer(stored.read_bytes()[58:], dtype=np.uint8).reshape(-1, 2)
    left, right = (decode_wire(both[:, side].tobytes(), "PCMU")[3 * RATE : 4 * RATE] for side in (0, 1))
    assert (voice_in(left, CALLEE) > 0.9, voice_in(right, QUICK) > 0.9) == (True, True)


async def test_how_transfers_end_otherwise(system: System) -> None:
    """Side by side: they share nothing but the server."""
    first, in_vain, left, nobody, last = await asyncio.gather(
        call(system, CALLEE, to=[SLOW, QUICK, RINGS], strategy="parallel", ring_seconds=10),
        call(system, ALSO, to=[RINGS], ring_seconds=5),
        call(system, IMPATIENT, to=[RINGS, SLOW], ring_seconds=20, strategy="parallel"),
        call(system, ALSO, to=["not a number", BUSY], ring_seconds=5),
        call(system, ALSO, to=[SLOW], ring_seconds=10, max_seconds=10, caller_id="19995550100"),
    )
    # The first who answers has it; the others are given up while they ring, and nobody is left on the line.
    assert result_of(system, first[0])[:2][0] == "talked"
    slow, quick, rings = legs_of(system, first[0])
    assert [each.outcome is not None and each.outcome.disposition for each in (slow, quick, rings)] == [
        "CANCEL",
        "ANSWER",
        "CANCEL",
    ]
    for each in (slow, rings):
        assert (await heard_by(system, each.sip_call_id)).outcome == "cancelled"

    assert result_of(system, in_vain[0])[0] == "silent"
    (leg,) = legs_of(system, in_vain[0])
    assert leg.outcome is not None
    assert (leg.outcome.disposition, leg.outcome.reason) == ("NOANSWER", "ring_timeout")

    # The callee hangs up: the agents stop ringing, and the call is over.
    assert result_of(system, left[0])[0] == "callee_hung_up"
    legs = legs_of(system, left[0])
    assert {each.outcome.disposition for each in legs if each.outcome} == {"CANCEL"}
    for each in legs:
        assert (await heard_by(system, each.sip_call_id)).outcome == "cancelled"

    result, _, problems = result_of(system, nobody[0])
    assert result == "busy"
    assert "not a number" in problems[0]

    result, _, problems = result_of(system, last[0])
    assert result == "sorry"
    assert problems == [
        f"{SLOW} was not called: 19995550100 is no bridge of the account and not the callee's number"
    ]
    assert legs_of(system, last[0]) == []


async def test_an_agent_for_whom_there_is_no_place_is_not_called_and_the_trace_says_why(
    system: System,
) -> None:
    await system.write(bridges.limit, BRIDGE, calls_per_second=None, max_concurrent=1)
    call_id, status = await call(system, ALSO, to=[QUICK], ring_seconds=5)
    result, _, problems = result_of(system, call_id)
    full = f"the bridge {BRIDGE} has 1 call in progress, as many as it may (max_concurrent)"
    assert (result, problems) == ("sorry", [f"{QUICK} was not called: {full}"])
    assert status["attempts"][0]["agents"] == []
    trace = await ok(system, "GET", "outgoing/trace", params={"id": call_id})
    assert f"agent {problems[0]}" in [entry["summary"] for entry in trace["entries"]]
