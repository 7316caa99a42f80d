"""baresip (Debian's package): a phone on loopback that picks up, speaks and records what it hears."""

import asyncio
import json
import socket
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.helpers.program import Program, end
from tests.helpers.sound import Pcm

MODULES = Path("/usr/lib/baresip/modules")
BOUND_S = 10.0

_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
audio_source aufile,{speech}
audio_player none
audio_alert none
audio_level no
audio_txmode thread
rtp_ports {rtp_ports}
module_path {modules}
module g711.so
module g722.so
module aufile.so
module sndfile.so
snd_path {directory}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
"""
_ACCOUNT = "<sip:{user}@127.0.0.1:{port}>;regint=0;answermode={mode};audio_codecs={codecs}\n"
_CODECS = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1"}


class Baresip(Program):
    """One baresip process. It says `speech` when it has picked up, and hangs up when that is over."""

    def __init__(
        self,
        directory: Path,
        *,
        codecs: Sequence[str],
        speech: Pcm,
        rate: int,
        user: str = "phone",
        others: Sequence[str] = (),
        answers: bool = True,
    ) -> None:
        """`speech` has `rate` samples per second, which must be that of the codec that will be agreed.

        `others` can be called at the same time as `user`. One that does not answer by itself rings until it
        is told: `accept`, or `hangup`, which says that it is busy.
        """
        self.host = "127.0.0.1"
        self.port, control_port, rtp_port = _free_block(), _free_block(), _free_block()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._control_port = control_port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        with wave.open(str(directory / "speech.wav"), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(speech.tobytes())
        config = _CONFIG.format(
            port=self.port,
            speech=directory / "speech.wav",
            rtp_ports=f"{rtp_port}-{rtp_port + 7}",
            modules=MODULES,
            directory=directory,
            control_port=control_port,
        )
        (directory / "config").write_text(config, encoding="ascii")
        offered = ",".join(_CODECS[codec] for codec in codecs)
        mode = "auto" if answers else "manual"
        accounts = [
            _ACCOUNT.format(user=each, port=self.port, mode=mode, codecs=offered) for each in (user, *others)
        ]
        (directory / "accounts").write_text("".join(accounts), encoding="ascii")

    async def start(self) -> None:
        """Start it and wait until it can be reached."""
        with (self._directory / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("baresip", "-f", str(self._directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = asyncio.get_running_loop().time() + BOUND_S
        while "baresip is ready." not in self.said():
            assert self._process.returncode is None, f"baresip did not start: {self.said()}"
            assert asyncio.get_running_loop().time() < deadline, f"baresip is not ready: {self.said()}"
            await asyncio.sleep(0.01)
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._control_port)

    async def stop(self) -> None:
        """End it. Idempotent."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        await end(self._process)

    async def command(self, name: str, argument: str = "") -> None:
        """Give a command of baresip's menu: `sndcode 5`, `hold`, `resume`, `hangup`, …"""
        assert self._writer is not None
        text = json.dumps({"command": name, "params": argument, "token": name}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))
        async with asyncio.timeout(BOUND_S):
            while (answer := await self._read()).get("token") != name:
                pass
        assert answer.get("ok"), answer

    async def use(self, user: str) -> None:
        """Give the commands that follow to the call of this user, one of several."""
        await self.command("uafind", f"sip:{user}@{self.host}:{self.port}")

    async def event(self, kind: str, *, within_s: float = BOUND_S) -> None:
        """Wait for an event, for instance `CALL_CLOSED`."""
        async with asyncio.timeout(within_s):
            while (await self._read()).get("type") != kind:
                pass

    def heard(self) -> Pcm:
        """What it has heard in its last call, decoded by itself."""
        dumps = sorted(self._directory.glob("dump-*-dec.wav"))
        assert dumps, f"baresip recorded nothing: {self.said()}"
        with wave.open(str(dumps[-1])) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")

    def said(self) -> str:
        """What it has printed."""
        return (self._directory / "log").read_text(encoding="utf-8", errors="replace")

    async def _read(self) -> dict[str, object]:
        """Read one netstring of JSON: an answer or an event."""
        assert self._reader is not None
        length = int((await self._reader.readuntil(b":"))[:-1])
        message: dict[str, object] = json.loads((await self._reader.readexactly(length + 1))[:-1])
        return message


def _free_block() -> int:
    """The first of eight ports that are free for UDP and TCP; baresip takes the one above SIP's for TLS."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1] & ~7
        try:
            for port in range(first, first + 8):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
