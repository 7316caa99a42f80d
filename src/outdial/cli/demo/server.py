"""The demo's server: a real `outdial serve --sandbox` in a folder and on ports of its own."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from outdial.cli.client import ApiClient
from outdial.cli.problems import CommandFailed

_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 20.0
_RTP_PORTS = (40_000, 44_999)
_LISTENING_PORTS = (20_000, 30_000)
_LOG_LINES_SHOWN = 15


class DemoServer:
    """An async context manager: the server runs inside, and its folder may be removed afterwards.

    `settings` are further environment variables of the server.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._log = folder / "server.log"
        self._process: asyncio.subprocess.Process | None = None
        api_port = _free_port(socket.SOCK_STREAM)
        sandbox_port = _free_port(socket.SOCK_DGRAM)
        self.url = f"http://127.0.0.1:{api_port}"
        self.sandbox_address = f"127.0.0.1:{sandbox_port}"
        self.data_dir = folder / "data"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")},
            "OUTDIAL_DATA_DIR": str(self.data_dir),
            "OUTDIAL_API__PORT": str(api_port),
            "OUTDIAL_SIP__BIND_ADDRESS": "127.0.0.1",
            "OUTDIAL_SIP__PORT": "0",
            "OUTDIAL_MEDIA__BIND_ADDRESS": "127.0.0.1",
            "OUTDIAL_MEDIA__PORT_MIN": str(_RTP_PORTS[0]),
            "OUTDIAL_MEDIA__PORT_MAX": str(_RTP_PORTS[1]),
            "OUTDIAL_SANDBOX__PORT": str(sandbox_port),
            "OUTDIAL_DISPATCH__DRAIN_SECONDS": "5",
            "OUTDIAL_DISPATCH__RECORD": "true",
            "OUTDIAL_LOG__FORMAT": "json",
            **settings,
        }

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_outdial("serve", "--sandbox", "--parent", str(os.getpid())),
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_WITHIN_S):
                    await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @property
    def exit_status(self) -> int | None:
        """Of the server, None while it runs."""
        return None if self._process is None else self._process.returncode

    def kill(self) -> None:
        """End the server's first process at once (SIGKILL), as a fault of the machine might."""
        if self._process is not None:
            self._process.kill()

    async def command(self, *arguments: str) -> str:
        """Run another `outdial` command on the same data; its standard output. Raises CommandFailed."""
        process = await asyncio.create_subprocess_exec(
            *_outdial(*arguments),
            env=self._environment,
            cwd=self._folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if process.returncode != 0:
            raise CommandFailed(f"`outdial {' '.join(arguments)}` failed: {error.decode().strip()}")
        return out.decode().strip()

    async def ready(self) -> dict[str, Any]:
        """Wait until the API answers and a dialer is there; the answer of `/readyz`.

        Raises CommandFailed.
        """
        async with ApiClient(self.url, None) as client:
            try:
                async with asyncio.timeout(_READY_WITHIN_S):
                    while True:
                        health = await self._health(client)
                        if health.get("status") == "ok" and health.get("dialers"):
                            return health
                        await asyncio.sleep(0.05)
            except TimeoutError:
                raise self._failure(
                    f"The server was not ready within {_READY_WITHIN_S:.0f} seconds."
                ) from None

    async def _health(self, client: ApiClient) -> dict[str, Any]:
        if self.exit_status is not None:
            raise self._failure(f"The server ended with status {self.exit_status}.")
        try:
            return await client.health()
        except CommandFailed:  # not listening yet
            return {}

    def _failure(self, sentence: str) -> CommandFailed:
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return CommandFailed("\n".join([sentence, "The last lines of its log:", *lines]))


def _outdial(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "outdial", *arguments)


def _free_port(kind: socket.SocketKind) -> int:
    """A port that nobody uses now, below those that the system hands out by itself (from 32768 on)."""
    random = secrets.SystemRandom()
    while True:
        port = random.randrange(*_LISTENING_PORTS)
        with socket.socket(socket.AF_INET, kind) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
