"""Compare what the API says about a call with what the far end saw and heard."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.compare import Correlation, correlate
from outdial.audio.wire import Pcm, decode_wire
from outdial.cli.demo.scenes import Scene
from outdial.sandbox.heard import Heard

LEAST_CORRELATION = 0.95
"""The same sound through a codec scores about 0.99, another sound below 0.1."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one scene; `problems` is empty when everything is as it has to be."""

    scene: Scene
    status: dict[str, Any]
    correlation: Correlation | None
    problems: Sequence[str]

    def as_row(self) -> dict[str, Any]:
        """For `--json`."""
        heard = None if self.correlation is None else round(self.correlation.peak, 4)
        return {
            "number": self.scene.number,
            "title": self.scene.title,
            "ok": not self.problems,
            "problems": list(self.problems),
            "correlation": heard,
            "call": self.status,
        }


def judge(
    scene: Scene, status: dict[str, Any], heard: Heard | None, clips: Path, recordings: Path
) -> Verdict:
    """Hold the call's status and the far end's record against the scene."""
    attempt = status["attempts"][-1]
    problems = [
        f"{name} is {found!r}, not {wanted!r}"
        for name, found, wanted in (
            ("status", status["status"], scene.status),
            ("dtmf", status["dtmf"], scene.dtmf),
            ("hangup_by", attempt.get("hangup_by"), scene.hangup_by),
            ("codec", attempt.get("codec"), scene.codec),
            ("ptime", attempt.get("ptime"), scene.ptime),
        )
        if wanted is not None and found != wanted
    ]
    played_s = attempt.get("played_seconds", 0.0)
    if played_s < scene.least_played_s:
        problems.append(f"{played_s} s were played, not {scene.least_played_s} s or more")
    correlation = None
    if heard is None:
        problems.append("the far end has no record of the call")
    elif heard.recording is not None and heard.codec is not None:
        correlation = compare(recordings / heard.recording, clips / f"{heard.codec}.clip", heard.codec)
    if scene.heard and (correlation is None or correlation.peak < LEAST_CORRELATION):
        shown = "nothing" if correlation is None else f"a correlation of {correlation.peak:.3f}"
        problems.append(f"the far end heard {shown}, not {LEAST_CORRELATION} or more")
    return Verdict(scene, status, correlation, problems)


def compare(recording: Path, clip: Path, codec: str) -> Correlation:
    """Find the clip that was sent in the recording of what was heard."""
    return correlate(_read_wav(recording), decode_wire(clip.read_bytes(), codec), SAMPLE_RATES[codec])


def _read_wav(file: Path) -> Pcm:
    with wave.open(str(file), "rb") as recording:
        return np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2").astype(np.int16)
