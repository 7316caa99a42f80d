"""linphonec (Debian's linphone-cli): a phone on loopback, by files in the place of a sound card."""

import asyncio
import os
import socket
import wave
from pathlib import Path

import numpy as np

from tests.helpers.poll import until
from tests.helpers.program import Program, end
from tests.helpers.sound import Pcm

BOUND_S = 20.0

_CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
guess_hostname=0
contact=sip:phone@127.0.0.1
[rtp]
audio_rtp_port={rtp_port}
[sound]
echocancellation=0
"""


class Linphone(Program):
    """One linphonec process, which picks up by itself and says `speech` (8 kHz) when told."""

    def __init__(self, directory: Path, *, speech: Pcm) -> None:
        self.host = "127.0.0.1"
        self.port, rtp_port = _free_port(), _free_port()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._speech, self._recording = directory / "speech.wav", directory / "recording.wav"
        for each in (".local/share/linphone", ".config/linphone"):
            (directory / each).mkdir(parents=True)
        (directory / "linphonerc").write_text(_CONFIG.format(port=self.port, rtp_port=rtp_port))
        with wave.open(str(self._speech), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(speech.tobytes())

    async def start(self) -> None:
        """Start it and wait until it can be called."""
        with (self._directory / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("linphonec", "-a", "-c", str(self._directory / "linphonerc")),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self._directory)},
            )
        self.command("soundcard use files")
        await self.says("Using wav files")

    async def stop(self) -> None:
        """End it. Idempotent."""
        await end(self._process)

    def command(self, text: str) -> None:
        """Type a line: `terminate`, `pause`, a key such as `5`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())

    def speak(self) -> None:
        """Say `speech` into the call, and record what comes."""
        self.command(f"play {self._speech}")
        self.command(f"record {self._recording}")

    async def says(self, text: str) -> None:
        """Wait until it has printed something."""
        await until(lambda: text in self.said(), f"linphonec says {text!r}", within_s=BOUND_S)

    def heard(self) -> Pcm:
        """What it has heard since it was told to speak."""
        with wave.open(str(self._recording)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")

    def said(self) -> str:
        """What it has printed."""
        return (self._directory / "log").read_text(encoding="utf-8", errors="replace")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1] & ~1
    return port
