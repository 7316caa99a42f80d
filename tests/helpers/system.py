"""A whole Outdial system as real processes: `outdial serve`, a simulated phone network, SQLite or PostgreSQL.

::

    async with System(tmp_path, database_url) as system:
        await system.start()                        # outdial serve --sandbox
        sound = await system.add_sound(400)
        [call_id] = (await system.send(["12025550101"], sound)).values()
        await system.done(call_id)
        system.heard()                              # what the far end says about it

The folder, the address and the database are its own. Nothing here belongs to an event loop, so a system may
live longer than one test.
"""

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import aiohttp
import sqlalchemy as sa

from outdial.audio.clip import BYTES_PER_MS, CODECS
from outdial.sandbox.heard import Heard, read_heard
from outdial.sandbox.options import PASSWORD, USERNAME
from outdial.storage import bridges, sounds, tokens, trunks
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.engine import reader_engine
from outdial.supervisor.first_start import SANDBOX_TRUNK, default_account
from outdial.supervisor.parts import wall_clock_ms
from tests.helpers.poll import until
from tests.helpers.processes import Process, is_running, kill, processes_of

P = ParamSpec("P")
T = TypeVar("T")

BRIDGE = "12025550199"
_API_PORT, _SIP_PORT, _SANDBOX_PORT = 8080, 5060, 5070


class Server:
    """One `outdial serve …`; its log is a file of JSON lines."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log_file = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "outdial", "serve", *arguments],
                env=dict(environment),
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                process_group=0,
            )
        self.pid = self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number if one ended it."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    async def stop(self) -> int:
        """Ask it to end (SIGTERM), as a service manager does; returns its exit status."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> int:
        """Wait until it has ended; returns its exit status."""
        await until(lambda: self.exit_status is not None, f"the server {self.pid} ends")
        assert self.exit_status is not None
        return self.exit_status

    def log(self, event: str) -> list[dict[str, Any]]:
        """The log lines so far with this event name, of all starts that wrote to the same file."""
        lines = (line for line in self.log_file.read_text().splitlines() if line.startswith("{"))
        return [row for row in map(json.loads, lines) if row.get("event") == event]


class System:
    """A folder, a loopback address, a prepared database and the processes that were started on them.

    `database_url` has to be empty and migrated; `phones` is the sandbox's TOML file; `settings` are dotted
    names as in `{"dispatch.lease_seconds": 2}`; `trunk` changes what the trunk to the sandbox is made with.
    Leaving the context kills whatever still runs, orphans included.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        phones: str = "",
        settings: Mapping[str, object] | None = None,
        trunk: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.data_dir.mkdir(exist_ok=True)
        self.database_url = database_url
        (folder / "phones.toml").write_text(phones)
        # An address of its own on the loopback: no other system on this machine sends to its RTP ports.
        self.host = "127." + ".".join(str(random.SystemRandom().randrange(1, 255)) for _ in range(3))
        self.url = f"http://{self.host}:{_API_PORT}"
        self._token = ""
        self._trunk = dict(trunk or {})
        self._settings = {
            "data_dir": self.data_dir,
            "database_url": database_url,
            "api.host": self.host,
            "api.port": _API_PORT,
            "sip.bind_address": self.host,
            # A fixed port, as in production: a phone's BYE to a dialer that died meets the next one.
            "sip.port": _SIP_PORT,
            "media.bind_address": self.host,
            "media.port_min": 20_000,
            "media.port_max": 29_999,
            "sandbox.bind_address": self.host,
            "sandbox.port": _SANDBOX_PORT,
            "sandbox.phones": folder / "phones.toml",
            "log.format": "json",
            **(settings or {}),
        }
        self._engine = reader_engine(database_url, 1)
        self._servers: list[Server] = []

    async def __aenter__(self) -> Self:
        await self.prepare()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def prepare(self) -> None:
        """Add the account, a token, the trunk to the sandbox and its bridge; once, before the first start."""
        new_trunk = trunks.NewTrunk(
            **{
                "name": SANDBOX_TRUNK,
                "host": self.host,
                "port": _SANDBOX_PORT,
                "username": USERNAME,
                "password": PASSWORD,
                "max_concurrent": 10_000,
                "calls_per_second": 1_000.0,
                **self._trunk,
            }
        )

        def add(conn: sa.Connection) -> str:
            account, now = default_account(conn), wall_clock_ms()
            trunk = trunks.insert(conn, new_trunk, now=now)
            bridges.insert(conn, number=BRIDGE, account_id=account.id, trunk_id=trunk.id, now=now)
            _, secret = tokens.insert(
                conn, account_id=account.id, name="test", new_secret=lambda: secrets.token_hex(16), now=now
            )
            return secret

        self._token = await self.write(add)

    async def close(self) -> None:
        """Kill what still runs."""
        self._engine.dispose()
        while running := self.processes():
            for process in running:
                await kill(process.pid)
        for server in self._servers:
            await server.ended()

    def serve(self, *arguments: str, settings: Mapping[str, object] | None = None) -> Server:
        """Start `outdial serve <arguments>`, with `settings` over those of the system."""
        name = "-".join(["serve", *(each.strip("-") for each in arguments)])
        server = Server(arguments, self.environment(settings), self.folder / f"{name}.log")
        self._servers.append(server)
        return server

    def environment(self, settings: Mapping[str, object] | None = None) -> dict[str, str]:
        """The environment of a process of this system, with `settings` over those of the system."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
        return environment | {
            f"OUTDIAL_{key.upper().replace('.', '__')}": str(value)
            for key, value in {**self._settings, **(settings or {})}.items()
        }

    async def start(self, *arguments: str) -> Server:
        """Start `outdial serve --sandbox` (or with other arguments) and wait until it takes calls."""
        server = self.serve(*(arguments or ("--sandbox",)))
        await self.ready(server)
        return server

    async def ready(self, server: Server, *, dialers: int = 1) -> None:
        """Wait until the API answers and the dialer processes that run now have registered."""

        async def is_ready() -> bool:
            if server.exit_status is not None:
                raise AssertionError(f"ended with {server.exit_status}: {server.log_file.read_text()}")
            return len(self.registered_dialers()) >= dialers and await self.healthy()

        await until(is_ready, "the server is ready")

    async def healthy(self) -> bool:
        """Whether the API answers that all is well."""
        try:
            return (await self.request("GET", "/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    def processes(self, *roles: str) -> list[Process]:
        """The running processes, only those of `roles` if any are given."""
        return [each for each in processes_of(self.data_dir) if not roles or each.role in roles]

    def pid_of(self, role: str) -> int:
        """The pid of the only process with this role; AssertionError if there are none or several."""
        (process,) = self.processes(role)
        return process.pid

    def registered_dialers(self) -> dict[int, str]:
        """The running dialers that hold a lease: dialer id by pid."""
        running = {process.pid for process in self.processes("dialer")}
        rows = self.read(
            lambda conn: conn.execute(
                sa.text("SELECT pid, id FROM dialers WHERE lost_at IS NULL AND lease_until > :now"),
                {"now": wall_clock_ms()},
            ).all()
        )
        return {pid: dialer_id for pid, dialer_id in rows if pid in running and is_running(pid)}

    async def request(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
        """One request with the token on a connection of its own: status and JSON, or audio.

        Raises ClientError.
        """
        address = path if path.startswith("/") else f"/api/v1/{path}"
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.url + address, **arguments) as response,
        ):
            if response.content_type == "audio/wav":
                return response.status, await response.read()
            return response.status, await response.json(content_type=None)

    async def send(
        self, to: Sequence[str], sound: str, *, interval: int = 0, name: str = ""
    ) -> dict[str, str]:
        """POST outgoing/send; the id of each call by its number."""
        form = {"bridge": BRIDGE, "to": ",".join(to), "audio": sound, "interval": str(interval), "name": name}
        status, answer = await self.request("POST", "outgoing/send", data=form)
        assert status == 200, answer
        return {row["mobile"]: row["id"] for row in answer["data"]}

    async def callstatus(self, call_id: str) -> dict[str, Any]:
        """GET outgoing/callstatus."""
        status, answer = await self.request("GET", "outgoing/callstatus", params={"id": call_id})
        assert status == 200, answer
        row: dict[str, Any] = answer["data"]
        return row

    async def done(self, call_id: str) -> dict[str, Any]:
        """Wait until a call is over; its status."""

        async def is_done() -> dict[str, Any]:
            row = await self.callstatus(call_id)
            return row if row["state"] == "done" else {}

        row: dict[str, Any] = await until(is_done, f"call {call_id} is done")
        return row

    async def add_sound(self, duration_ms: int) -> str:
        """Store a noise as if it had been uploaded; its id."""
        sound_id, size = str(uuid.uuid4()), duration_ms * BYTES_PER_MS
        noise = random.Random(sound_id).randbytes(size)
        blobs = Blobs(f"file://{self.data_dir / 'blobs'}")
        for codec in CODECS:
            await blobs.put(sounds.clip_key(sound_id, codec), noise)

        def add(conn: sa.Connection) -> None:
            sound = sounds.Sound(
                id=sound_id,
                account_id=default_account(conn).id,
                name="noise",
                duration_ms=duration_ms,
                source_format="wav",
                bytes=size,
                sha256="",
                created_at=wall_clock_ms(),
            )
            sounds.insert(conn, sound)

        await self.write(add)
        return sound_id

    def heard(self) -> list[Heard]:
        """The calls that are over for the far end, in the order in which they ended."""
        return list(read_heard(self.data_dir / "sandbox"))

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query of the storage, or any other, beside the running system."""
        with self._engine.connect() as conn:
            return query(conn, *args, **kwargs)

    async def write(
        self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a write and send its wake-ups."""
        async with Database(self.database_url, readers=1) as database:
            return await database.run(query, *args, **kwargs)
