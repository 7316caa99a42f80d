"""Texts that become calls, by real processes: what the far end hears is what the voice said."""

import wave
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.compare import correlate
from outdial.audio.wire import Pcm, decode_wire
from outdial.sandbox.heard import Heard
from outdial.storage.tables import fetched_sounds

pytestmark = pytest.mark.timeout(180)

ANSWERS = "12025550100"
TEXT = "Hello {{name}}. | Your code is {{otp@digits}}."


async def _say(system: System, **form: str) -> list[str]:
    data = {"bridge": BRIDGE, "to": ANSWERS, "text": TEXT} | form
    status, answer = await system.request("POST", "outgoing/tts", data=data)
    assert status == 200, answer
    return [row["id"] for row in answer["data"]]


def _heard_by(system: System, heard: Heard) -> Pcm:
    with wave.open(str(system.data_dir / "sandbox" / str(heard.recording))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


async def test_a_text_is_heard_as_it_was_spoken_and_spoken_once(tmp_path: Path, sqlite_url: str) -> None:
    async with System(tmp_path, sqlite_url) as system:
        await system.start()
        variables = {"variables[name]": "Asha", "variables[otp]": "47"}
        options = {"break[identifier]": "|", "iteration_tries": "2", "voice.language": "en"}
        calls = [call for _ in range(3) for call in await _say(system, **variables, **options)]
        [unspeakable] = await _say(system, text="नमस्ते")
        rows = [await system.done(call) for call in calls]
        assert [row["status"] for row in rows] == ["ANSWER"] * 3

        [(sound_id, milliseconds)] = system.read(
            lambda conn: conn.execute(sa.select(fetched_sounds.c.id, fetched_sounds.c.duration_ms)).all()
        )
        assert (
            4_000 < milliseconds < 12_000
        )  # twice a sentence of two to five seconds, with half a second between
        heard = await until(
            lambda: [each for each in system.heard() if each.recording][2:], "three were heard"
        )
        assert heard[0].codec is not None
        clip = system.data_dir / "blobs" / "sounds" / sound_id / f"{heard[0].codec}.clip"
        sent = decode_wire(clip.read_bytes(), heard[0].codec)
        found = correlate(_heard_by(system, heard[0]), sent, SAMPLE_RATES[heard[0].codec])
        assert found.peak > 0.95

        refused = await system.done(unspeakable)
        assert refused["status"] == "CHANUNAVAIL"
        assert refused["attempts"][0]["reason"] == "audio_unavailable"
        assert "cannot say 'न'" in refused["explanation"]
        assert len(system.heard()) == 3  # nobody was dialled to hear nothing
