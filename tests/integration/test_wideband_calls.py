"""Callees who like G.722 best: in a flow of it, in one that takes G.711, and who speak nothing else."""

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
from outdial.sandbox.heard import Heard
from outdial.sandbox.voices import murmur

pytestmark = pytest.mark.timeout(200)

RATE = 8_000
ONLY_WIDE = "12025550110"
CALLEE, AGENT = "12025550180", "12025550181"
PHONES = f"""
[phones.{CALLEE}]
codecs = ["G722", "PCMA"]
voice = "silence"
digits = "*"
digits_after_s = 15.0

[phones.{AGENT}]
codecs = ["G722", "PCMU"]
hang_up_after_s = 4.0
"""


def hang_up(result: str) -> dict[str, Any]:
    return {"type": "hang_up", "settings": {"result": result}}


SAYS = {
    "schema_version": 1,
    "entry": "wait",
    "nodes": {
        "wait": {"type": "play", "settings": {"prompt": [{"beep": True}]}, "exits": {"next": "end"}},
        "end": hang_up("heard"),
    },
}
JOINS = {
    "schema_version": 1,
    "entry": "record",
    "nodes": {
        "record": {
            "type": "record",
            "settings": {"silence_seconds": 2, "max_seconds": 10, "variable": "words"},
            "exits": {"next": "connect", "empty": "bad"},
        },
        "connect": {
            "type": "connect",
            "settings": {"to": [AGENT]},
            "exits": {"answered": "room", "failed": "bad"},
        },
        "room": {
            "type": "conference",
            "settings": {"room": "wide", "leave_keys": "*"},
            "exits": {"left": "end", "ended": "bad", "failed": "bad", "full": "bad"},
        },
        "end": hang_up("all"),
        "bad": hang_up("bad"),
    },
}


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    trunk = {"codecs": ("G722", "PCMA", "PCMU")}
    async with System(tmp_path, sqlite_url, phones=PHONES, trunk=trunk) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def call(system: System, to: str, document: dict[str, Any]) -> dict[str, Any]:
    flow = await ok(system, "POST", "flows", json={"name": to, "document": document})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    form = {"bridge": BRIDGE, "to": to, "ivr_id": str(flow["id"])}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    return dict(await system.done(row["id"]))


async def test_what_joins_or_listens_is_offered_in_g711_and_callstatus_says_so(system: System) -> None:
    wide, joined, refused = await asyncio.gather(
        call(system, ONLY_WIDE, SAYS), call(system, CALLEE, JOINS), call(system, ONLY_WIDE, JOINS)
    )
    (attempt,) = wide["attempts"]
    assert (attempt["codec"], attempt["flow"]["result"]) == ("G722", "heard")

    (attempt,) = joined["attempts"]
    run = attempt["flow"]
    assert (attempt["codec"], run["result"]) == ("PCMA", "all"), run
    assert [step["node"] for step in run["path"]] == ["record", "connect", "room", "end"]
    assert 2 <= run["variables"]["words_seconds"] < 10, "the silence ended it, not the longest time"

    def found() -> list[Heard]:
        lines = [each for each in system.heard() if each.call_id == attempt["sip_call_id"]]
        return [each for each in lines if each.recording]

    (heard,) = await until(found, "the callee has hung up")
    with wave.open(str(system.data_dir / "sandbox" / str(heard.recording)), "rb") as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    loud = np.flatnonzero(np.abs(sound[3 * RATE :]) > 1_000)[0] + 4 * RATE
    assert correlate(np.tile(murmur(AGENT, RATE), 2), sound[loud : loud + RATE], RATE).peak > 0.9

    assert refused["status"] != "ANSWER"
    assert {attempt["sip_code"] for attempt in refused["attempts"]} == {488}
    assert refused["explanation"].startswith(
        "The far end and we have no codec in common (SIP 488 Not Acceptable Here). It was offered PCMA and"
        " PCMU and not G722, because its flow connects, confers or records."
    ), refused["explanation"]
