"""A real `outdial serve` in a folder and on ports of its own, with a trunk to the benchmark's far end."""

import asyncio
import math
import os
import random
import secrets
import signal
import socket
import struct
import sys
import time
import wave
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from bench.far_end import HOST, free_port
from bench.processes import Process, tree

from outdial.cli.client import ApiClient
from outdial.cli.problems import CommandFailed
from outdial.storage import bridges, tokens, trunks
from outdial.storage.database import Database
from outdial.supervisor.first_start import default_account

BRIDGE = "12025550199"
_READY_WITHIN_S = 120.0
_STOP_WITHIN_S = 30.0
_RTP_PORTS = (10_000, 32_700)
"""Below the range that Linux takes ports of its own choice from."""
_RATE = 8000
_LAST_WORDS = 4_000


class Server:
    """An async context manager: the server runs inside, with token, trunk and bridge."""

    def __init__(self, folder: Path, far_end_port: int, *, calls: int, calls_per_second: float) -> None:
        """Room for twice as many calls at a time as `calls`, at a pace of its own choice."""
        self._folder = folder
        self._far_end_port = far_end_port
        self._calls = calls
        self._calls_per_second = calls_per_second
        self.data_dir = folder / "data"
        api_port = free_port(socket.SOCK_STREAM)
        self.url = f"http://{HOST}:{api_port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")},
            "OUTDIAL_DATA_DIR": str(self.data_dir),
            "OUTDIAL_API__PORT": str(api_port),
            "OUTDIAL_SIP__BIND_ADDRESS": HOST,
            "OUTDIAL_SIP__PORT": "0",
            "OUTDIAL_MEDIA__BIND_ADDRESS": HOST,
            "OUTDIAL_MEDIA__PORT_MIN": str(_RTP_PORTS[0]),
            "OUTDIAL_MEDIA__PORT_MAX": str(_RTP_PORTS[1]),
            # The far end listens and says nothing.
            "OUTDIAL_MEDIA__RTP_TIMEOUT_SECONDS": "3600",
            "OUTDIAL_EGRESS__ALLOW": f'["{HOST}"]',
            "OUTDIAL_DISPATCH__MAX_CONCURRENT": str(2 * calls),
            "OUTDIAL_DISPATCH__DRAIN_SECONDS": "5",
            "OUTDIAL_LOG__FORMAT": "json",
            "OUTDIAL_LOG__LEVEL": "warning",
        }
        self.token = ""
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with (self._folder / "server.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "outdial", "serve"),
                env=self._environment,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        try:
            await self._until_ready()
            async with Database(f"sqlite:///{self.data_dir / 'outdial.db'}") as database:
                self.token = await database.run(self._add_token_and_trunk)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def client(self) -> ApiClient:
        """An HTTP client with the token, to be opened."""
        return ApiClient(self.url, self.token)

    def processes(self) -> list[Process]:
        """The supervisor, its roles and the media workers."""
        assert self._process is not None
        return tree(self._process.pid)

    def log(self) -> str:
        """What the server wrote: warnings and errors."""
        return (self._folder / "server.log").read_text(errors="replace")

    def tell_why(self) -> None:
        """Show the end of the log on standard error, where calls have failed."""
        print(self.log()[-_LAST_WORDS:], file=sys.stderr)

    async def upload_sound(self, client: ApiClient, seconds: float) -> str:
        """Upload so much of noisy tone; the sound's id."""
        path = self._folder / "sound.wav"
        write_tone(path, seconds)
        answer = await client.upload("voice/sounds", path, "bench")
        sound: str = answer["data"]["id"]
        return sound

    async def subscribe(self, client: ApiClient, url: str) -> None:
        """Let all calls be told to this webhook."""
        answer = await client.post_form("developer/webhooks", {"name": "bench", "uri": url})
        hook = str(answer["data"]["id"])
        wanted = {"event": "voice:message:out", "identity": "all", "webhook_id": hook}
        await client.post_form("developer/subscriptions", wanted)

    def _add_token_and_trunk(self, conn: sa.Connection) -> str:
        """What `outdial token create`, `trunk add` and `bridge add` do; the token."""
        now = time.time_ns() // 1_000_000
        account = default_account(conn)
        wanted = trunks.NewTrunk(
            name="far end",
            host=HOST,
            port=self._far_end_port,
            codecs=("PCMA", "PCMU"),
            calls_per_second=self._calls_per_second,
            max_concurrent=2 * self._calls,
        )
        trunk = trunks.insert(conn, wanted, now=now)
        bridges.insert(conn, number=BRIDGE, account_id=account.id, trunk_id=trunk.id, now=now)
        _, secret = tokens.insert(
            conn, account_id=account.id, name="bench", new_secret=lambda: secrets.token_hex(20), now=now
        )
        return secret

    async def _until_ready(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(_READY_WITHIN_S), ApiClient(self.url, None) as client:
            while True:
                if self._process.returncode is not None:
                    raise RuntimeError(
                        f"the server ended with status {self._process.returncode}: {self.log()}"
                    )
                try:
                    if (await client.health()).get("dialers"):
                        return
                except CommandFailed:  # not listening yet
                    pass
                await asyncio.sleep(0.05)

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def write_tone(path: Path, seconds: float) -> None:
    """A tone in noise, at 8 kHz: no frame of it is silence, none is like another."""
    noise = random.Random(1)
    samples = [
        int(9000 * math.sin(2 * math.pi * 440 * index / _RATE) + noise.uniform(-3000, 3000))
        for index in range(int(seconds * _RATE))
    ]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
