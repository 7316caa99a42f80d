"""A conference of real calls: music while alone, voices while together, the end with the moderator."""

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
from outdial.audio.wire import Pcm
from outdial.sandbox.heard import Heard
from outdial.sandbox.voices import murmur
from outdial.storage import flow_runs

pytestmark = pytest.mark.timeout(200)

RATE = 8_000
MODERATOR, TALKS, LISTENS, LATE = (f"120255501{n}" for n in (70, 71, 72, 73))
PHONES = f"""
[phones.{MODERATOR}]
answer_after_s = 2.0
digits = "*"
digits_after_s = 5.0

[phones.{TALKS}]

[phones.{LISTENS}]
voice = "silence"

[phones.{LATE}]
answer_after_s = 4.0
"""


def flow(**settings: Any) -> dict[str, Any]:
    ends = {name: {"type": "hang_up", "settings": {"result": name}} for name in ("left", "ended", "full")}
    room = {"room": "crisis-{{incident}}", "leave_keys": "*", "wait_for_moderator": True, "most": 3}
    return {
        "schema_version": 1,
        "entry": "room",
        "nodes": {
            "room": {
                "type": "conference",
                "settings": room | settings,
                "exits": {**{name: name for name in ends}, "failed": "sorry"},
            },
            "sorry": {"type": "hang_up", "settings": {"result": "sorry"}},
            **ends,
        },
    }


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url, phones=PHONES, settings={"media.workers": 2}) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def call(system: System, to: str, **settings: Any) -> tuple[str, str]:
    """Have somebody in the room; the result of the flow, and the SIP Call-ID, when it is over."""
    made = await ok(system, "POST", "flows", json={"name": "room", "document": flow(**settings)})
    await ok(system, "POST", f"flows/{made['id']}/publish", json={})
    form = {"bridge": BRIDGE, "to": to, "ivr_id": str(made["id"]), "variables[incident]": "7"}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    status = await system.done(row["id"])
    (run,) = system.read(flow_runs.of_calls, [row["id"]]).values()
    assert not run.problems, run.problems
    return run.result, status["attempts"][0]["sip_call_id"]


async def sound_of(system: System, sip_call_id: str) -> Pcm:
    def found() -> list[Heard]:
        return [each for each in system.heard() if each.call_id == sip_call_id and each.recording]

    (heard,) = await until(found, "the phone has hung up")
    with wave.open(str(system.data_dir / "sandbox" / str(heard.recording)), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def likeness(sound: Pcm, at_s: float, number: str) -> float:
    part = sound[round(at_s * RATE) : round((at_s + 1) * RATE)]
    return correlate(np.tile(murmur(number, RATE), 2), part, RATE).peak


async def test_they_hear_each_other_while_the_moderator_is_there(system: System) -> None:
    music = {"sound": await system.add_sound(60_000)}
    moderator, talker, listener, late = await asyncio.gather(
        call(system, MODERATOR, moderator=True),
        call(system, TALKS, music=music),
        call(system, LISTENS, muted=True),
        call(system, LATE),
    )
    assert [each[0] for each in (moderator, talker, listener, late)] == ["left", "ended", "ended", "full"]
    at_talker, at_listener = await sound_of(system, talker[1]), await sound_of(system, listener[1])
    # The moderator comes a second and a half after them and talks for five.
    assert np.abs(at_talker[RATE // 2 : RATE]).max() > 1_000
    assert np.abs(at_listener[RATE // 2 : RATE]).max() < 300
    assert likeness(at_talker, 3.0, MODERATOR) > 0.9
    at_moderator = await sound_of(system, moderator[1])
    assert likeness(at_moderator, 2.0, TALKS) > 0.9
    # The listener hears both at once.
    assert min(likeness(at_listener, 3.0, MODERATOR), likeness(at_listener, 3.0, TALKS)) > 0.4
