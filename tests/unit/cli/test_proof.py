"""The demo fails when anything differs: the far end's record is compared, not believed."""

import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outdial.audio.wire import Pcm, decode_wire, encode_clip
from outdial.cli.demo.proof import Verdict, judge
from outdial.cli.demo.scenes import SCENES, Scene
from outdial.sandbox.heard import Heard
from outdial.sandbox.voices import murmur_on_the_wire

SCENE = Scene(
    number="1", title="t", status="ANSWER", heard=True, dtmf="1", hangup_by="system", least_played_s=2.0
)
STATUS: dict[str, Any] = {
    "status": "ANSWER",
    "dtmf": "1",
    "attempts": [
        {
            "hangup_by": "system",
            "codec": "PCMA",
            "ptime": 20,
            "played_seconds": 3.0,
            "recording": "recordings/r.alaw",
        }
    ],
}
HEARD = Heard(
    number="1", caller="2", call_id="c", outcome="answered", invited_at=0, codec="PCMA", recording="r.wav"
)


def _noise(seed: int) -> Pcm:
    return (np.random.default_rng(seed).standard_normal(24_000) * 5_000).astype(np.int16)


def _judge(folder: Path, scene: Scene = SCENE, heard: Heard | None = HEARD, **changes: Any) -> Verdict:
    sent = encode_clip(_noise(1), "PCMA")
    (folder / "PCMA.clip").write_bytes(sent)
    with wave.open(str(folder / "r.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(decode_wire(changes.pop("audio", sent), "PCMA").astype("<i2").tobytes())
    (folder / "recordings").mkdir()
    reply = changes.pop("reply", murmur_on_the_wire("1", "PCMA"))
    (folder / "recordings" / "r.alaw").write_bytes(reply)
    return judge(scene, {**STATUS, **changes}, heard, folder, folder, folder)


def test_what_is_right_has_no_problems(tmp_path: Path) -> None:
    verdict = _judge(tmp_path)
    assert verdict.problems == []
    assert verdict.correlation is not None
    assert verdict.correlation.peak > 0.99
    assert verdict.reply is not None
    assert verdict.reply.peak > 0.99
    assert verdict.as_row()["ok"] is True


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "BUSY"}, "status is 'BUSY'"),
        ({"dtmf": ""}, "dtmf is ''"),
        ({"audio": encode_clip(_noise(2), "PCMA")}, "the far end heard a correlation of"),
        ({"audio": encode_clip(_noise(1)[:12_000], "PCMA")}, "the far end heard a correlation of"),
        ({"heard": None}, "no record"),
        ({"reply": murmur_on_the_wire("2", "PCMA")}, "own voice we recorded a correlation of"),
        ({"attempts": [{**STATUS["attempts"][0], "recording": None}]}, "own voice we recorded nothing"),
        ({"heard": replace(HEARD, recording=None)}, "heard nothing"),
        ({"scene": replace(SCENE, codec="G722")}, "codec is 'PCMA'"),
        ({"scene": replace(SCENE, ptime=30)}, "ptime is 20"),
        ({"scene": replace(SCENE, hangup_by="callee")}, "hangup_by is 'system'"),
        ({"scene": replace(SCENE, least_played_s=5.0)}, "3.0 s were played"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    verdict = _judge(tmp_path, **changes)
    assert any(words in problem for problem in verdict.problems), verdict.problems
    assert verdict.as_row()["ok"] is False


def test_the_scenes_show_what_the_demo_promises() -> None:
    assert len({scene.number for scene in SCENES}) == len(SCENES)
    assert {scene.status for scene in SCENES} == {"ANSWER", "BUSY", "NOANSWER", "CONGESTION"}
    assert any(scene.dtmf and scene.heard for scene in SCENES)
    assert sum(scene.heard for scene in SCENES) >= 8
