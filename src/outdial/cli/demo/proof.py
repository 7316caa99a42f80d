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
from outdial.sandbox.voices import murmur

LEAST_CORRELATION = 0.95
"""The same sound through a codec scores about 0.99, another sound below 0.1."""

LEAST_REPLY = 0.9
"""Lower, because a key that is pressed replaces the voice for a moment."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one scene; `problems` is empty when everything is as it has to be."""

    scene: Scene
    status: dict[str, Any]
    correlation: Correlation | None
    """Of what the far end heard with the sound that was sent."""
    reply: Correlation | None
    """Of what we recorded with the far end's own voice."""
    problems: Sequence[str]

    def as_row(self) -> dict[str, Any]:
        """For `--json`."""
        heard = None if self.correlation is None else round(self.correlation.peak, 4)
        recorded = None if self.reply is None else round(self.reply.peak, 4)
        return {
            "number": self.scene.number,
            "title": self.scene.title,
            "ok": not self.problems,
            "problems": list(self.problems),
            "correlation": heard,
            "recorded_correlation": recorded,
            "call": self.status,
        }


def judge(
    scene: Scene, status: dict[str, Any], heard: Heard | None, clips: Path, recordings: Path, blobs: Path
) -> Verdict:
    """Hold the call's status, the far end's record and our own recording of it against the scene.

    `clips` is the folder of the sound that was sent, `recordings` the far end's, `blobs` what the
    server stores.
    """
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
    reply = compare_reply(blobs, attempt, scene.number)
    if scene.heard and (reply is None or reply.peak < LEAST_REPLY):
        shown = "nothing" if reply is None else f"a correlation of {reply.peak:.3f}"
        problems.append(f"of the far end's own voice we recorded {shown}, not {LEAST_REPLY} or more")
    return Verdict(scene, status, correlation, reply, problems)


def compare(recording: Path, clip: Path, codec: str) -> Correlation:
    """Find the clip that was sent in the recording of what was heard."""
    return correlate(_read_wav(recording), decode_wire(clip.read_bytes(), codec), SAMPLE_RATES[codec])


def compare_reply(blobs: Path, attempt: dict[str, Any], number: str) -> Correlation | None:
    """Find the voice of a phone of the simulated network in our recording of its call; None without one."""
    if not attempt.get("recording"):
        return None
    file = blobs / attempt["recording"]
    if not file.exists():
        return None
    codec = attempt["codec"]
    rate = SAMPLE_RATES[codec]
    ours = decode_wire(file.read_bytes(), codec)
    # Three seconds from where the call has settled; the voice repeats, so it is looked for in two rounds.
    return correlate(np.tile(murmur(number, rate), 2), ours[rate : 4 * rate], rate)


def _read_wav(file: Path) -> Pcm:
    with wave.open(str(file), "rb") as recording:
        return np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2").astype(np.int16)
