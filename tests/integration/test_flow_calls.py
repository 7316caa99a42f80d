"""Flows as real calls: `ivr_id` as the page prints it, keys of a simulated phone, what is kept of it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.helpers.system import BRIDGE, System
from tests.integration.test_conference_calls import RATE, sound_of

from outdial.audio.compare import correlate
from outdial.sandbox.voices import murmur
from outdial.storage import attempts, flow_runs, flows, suppressions
from outdial.storage.audit import Actor
from outdial.storage.tables import audio_urls

pytestmark = pytest.mark.timeout(200)

ANSWERS, PRESSES_42 = "12025550100", "12025550109"
FLOW: dict[str, Any] = {
    "schema_version": 1,
    "entry": "ask",
    "variables": {"name": {"type": "text"}, "code": {"type": "text"}},
    "nodes": {
        "ask": {
            "type": "input",
            "settings": {
                "prompt": "Hello {{name}}. Please enter your code, and then the hash key.",
                "variable": "code",
                "min": 2,
                "max": 4,
                "terminator": "#",
                "first_timeout": 20,
            },
            "exits": {"next": "thanks", "invalid": "sorry", "timeout": "sorry"},
        },
        "thanks": {
            "type": "play",
            "settings": {"prompt": "You entered {{code@digits}}."},
            "exits": {"next": "out"},
        },
        "out": {"type": "opt_out", "settings": {}, "exits": {"next": "bye"}},
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
        "sorry": {"type": "hang_up", "settings": {"result": "failure"}},
    },
}


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url) as running:
        await running.start()
        yield running


async def ok(system: System, method: str, path: str, **arguments: Any) -> Any:
    status, answer = await system.request(method, path, **arguments)
    assert status == 200, answer
    return answer["data"]


async def test_a_call_runs_the_published_flow_and_leaves_its_path(system: System) -> None:
    flow = await ok(system, "POST", "flows", json={"name": "code", "document": FLOW})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    [row] = await ok(
        system,
        "POST",
        "outgoing/send",
        data={
            "bridge": BRIDGE,
            "to": PRESSES_42,
            "ivr_id": str(flow["id"]),
            "name": "obd_api_call",
            "variables[name]": "Ann",
        },
    )
    status = await system.done(row["id"])
    assert status["status"] == "ANSWER", status
    (run,) = system.read(flow_runs.of_calls, [row["id"]]).values()
    assert (run.flow_id, run.version, run.result) == (flow["id"], 1, "success"), run
    assert [step["node"] for step in run.path] == ["ask", "thanks", "out", "bye"]
    assert run.variables == {"code": "42"}
    assert status["attempts"][0]["flow"]["result"] == "success"
    assert system.read(suppressions.blocking, 1, PRESSES_42, bridge=BRIDGE, tag="") is not None
    # What was known was spoken before the dial: "Hello Ann…" and "You entered"; the digits were not.
    (attempt,) = system.read(attempts.of_call, row["id"])
    assert attempt.dialing_at is not None
    spoken_at = system.read(lambda conn: list(conn.scalars(sa.select(audio_urls.c.checked_at))))
    assert [at <= attempt.dialing_at for at in sorted(spoken_at)] == [True, True, False]


async def test_a_flow_that_cannot_be_said_is_not_dialled(system: System) -> None:
    document = {
        "schema_version": 1,
        "entry": "say",
        "nodes": {
            "say": {
                "type": "play",
                "settings": {"prompt": {"text": "Hello", "voice": "nobody"}},
                "exits": {"next": "bye"},
            },
            "bye": {"type": "hang_up"},
        },
    }
    flow = await ok(system, "POST", "flows", json={"name": "mute", "document": document})
    # Publishing refuses a voice that is not there; this one has gone since.
    await system.write(flows.publish, Actor(name="anna"), 1, flow["id"], json.dumps(document), note="", now=1)
    form = {"bridge": BRIDGE, "to": ANSWERS, "ivr_id": str(flow["id"])}
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    status = await system.done(row["id"])
    (attempt,) = status["attempts"]
    assert (attempt["reason"], attempt["dialed_at"]) == ("audio_unavailable", None)
    assert "no voice 'nobody' is on this server" in status["explanation"]
    assert not [each for each in system.heard() if each.number == ANSWERS]


async def test_a_callee_who_asks_for_it_is_called_again_in_a_call_of_its_own(system: System) -> None:
    document = {
        "schema_version": 1,
        "entry": "later",
        "nodes": {
            "later": {
                "type": "callback",
                "settings": {"time": "{{when}}"},
                "exits": {"next": "bye", "failed": "over"},
            },
            "bye": {"type": "hang_up", "settings": {"result": "success"}},
            "over": {"type": "hang_up", "settings": {"result": "failure"}},
        },
    }
    flow = await ok(system, "POST", "flows", json={"name": "later", "document": document})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    when = datetime.now(UTC) + timedelta(seconds=5)
    form = {
        "bridge": BRIDGE,
        "to": ANSWERS,
        "ivr_id": str(flow["id"]),
        "variables[when]": when.isoformat(),
    }
    [row] = await ok(system, "POST", "outgoing/send", data=form)
    first = await system.done(row["id"])
    again = await system.done(first["callback"]["id"])
    assert (again["callback_of"], again["status"], again["mobile"]) == (row["id"], "ANSWER", ANSWERS)
    runs = system.read(flow_runs.of_calls, [row["id"], again["id"]])
    assert runs[row["id"], 1].result == "success"
    # The time is over by then, so nobody is asked again.
    assert (runs[again["id"], 1].version, runs[again["id"], 1].result) == (1, "failure")
    dialled = again["attempts"][0]["dialed_at"]
    assert datetime.fromisoformat(dialled).replace(tzinfo=UTC) >= when - timedelta(seconds=1)
    assert len(first["attempts"]) == 1


async def test_a_message_that_a_callee_leaves_is_said_back_listed_played_and_deleted(system: System) -> None:
    document = {
        "schema_version": 1,
        "entry": "ask",
        "variables": {"said": {"type": "text"}},
        "nodes": {
            "ask": {
                "type": "record",
                "settings": {"variable": "said", "max_seconds": 1, "min_seconds": 0},
                "exits": {"next": "back", "empty": "bye"},
            },
            "back": {"type": "play", "settings": {"prompt": "{{said@sound}}"}, "exits": {"next": "bye"}},
            "bye": {"type": "hang_up", "settings": {"result": "success"}},
        },
    }
    flow = await ok(system, "POST", "flows", json={"name": "message", "document": document})
    await ok(system, "POST", f"flows/{flow['id']}/publish", json={})
    wish = {"bridge": BRIDGE, "to": ANSWERS, "ivr_id": str(flow["id"])}
    [row] = await ok(system, "POST", "outgoing/send", data=wish)
    status = await system.done(row["id"])
    said = status["attempts"][0]["flow"]["variables"]["said"]
    [message] = [each for each in await ok(system, "GET", "voice/recordings") if each["type"] == "message"]
    assert (message["call_id"], message["call_to"]) == (row["id"], ANSWERS)
    assert said == f"recordings/{message['id']}.{said.rpartition('.')[2]}"
    status_code, wav = await system.request("GET", message["audio"])
    assert status_code == 200
    assert wav[:4] == b"RIFF"
    assert len(wav) > 8_000  # half a second and more of voice
    heard = await sound_of(system, status["attempts"][0]["sip_call_id"])
    own_voice = np.tile(murmur(ANSWERS, RATE), 2)
    assert correlate(own_voice, heard[-RATE * 3 // 4 :], RATE).peak > 0.9, "the callee hears what she said"
    await ok(system, "DELETE", f"voice/recordings/{message['id']}")
    assert not (system.data_dir / "blobs" / said).exists()
