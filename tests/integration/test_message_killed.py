"""A message whose process is killed while it is recorded: what was said until the last second is there."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System

from outdial.audio.compare import correlate
from outdial.audio.wire import decode_wire
from outdial.sandbox.voices import murmur

pytestmark = pytest.mark.timeout(120)

TALKS = "12025550100"
RATE = 8_000
FLOW: dict[str, Any] = {
    "schema_version": 1,
    "entry": "message",
    "nodes": {
        "message": {
            "type": "record",
            "settings": {"beep": False, "max_seconds": 60, "silence_seconds": 0},
            "exits": {"next": "bye", "empty": "bye"},
        },
        "bye": {"type": "hang_up"},
    },
}


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(
        tmp_path, sqlite_url, settings={"dispatch.lease_seconds": 2, "media.workers": 1}
    ) as running:
        await running.start()
        yield running


@pytest.mark.parametrize("whom", ["dialer", "media"])
async def test_what_was_said_until_the_last_second_is_on_disk(system: System, whom: str) -> None:
    status, made = await system.request("POST", "flows", json={"name": "message", "document": FLOW})
    assert status == 200, made
    flow_id = str(made["data"]["id"])
    await system.request("POST", f"flows/{flow_id}/publish", json={})
    form = {"bridge": BRIDGE, "to": TALKS, "ivr_id": flow_id}
    status, answer = await system.request("POST", "outgoing/send", data=form)
    assert status == 200, answer

    def recording() -> list[Path]:
        return [file for file in (system.data_dir / "messages").iterdir() if file.stat().st_size]

    (file,) = await until(recording, "somebody is recorded")
    began, written = time.monotonic(), file.stat().st_size
    await asyncio.sleep(3)
    os.kill(system.pid_of(whom), signal.SIGKILL)
    said_s = time.monotonic() - began

    def left() -> list[Path]:
        # The dialer that outlives its worker keeps the message; otherwise it stays where it was recorded.
        kept = [*(system.data_dir / "blobs").rglob(f"{file.name}*"), file]
        return [each for each in kept if each.exists()]

    await system.done(answer["data"][0]["id"])
    (found, *_) = left()
    audio = found.read_bytes()
    assert said_s - (len(audio) - written) / RATE < 1.0
    voice = np.tile(murmur(TALKS, RATE), 2)
    lasts = [decode_wire(audio[-RATE:], codec) for codec in ("PCMA", "PCMU")]
    assert max(correlate(voice, last, RATE).peak for last in lasts) > 0.9
