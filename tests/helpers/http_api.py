"""The HTTP API on a real database and a real socket, and a client for it."""

import asyncio
import secrets
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import uvicorn

from outdial.api.app import create_app
from outdial.api.auth import TokenCache
from outdial.api.context import ApiContext, ApiOptions
from outdial.egress.allow_list import AllowList
from outdial.egress.client import EgressClient
from outdial.egress.message import EgressOptions
from outdial.speech.pico import Pico
from outdial.speech.voices import Voices
from outdial.storage import accounts, bridges, schema, sounds, tokens, trunks
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.sounds import Sound
from outdial.webhooks.endpoint_checks import EndpointChecks

BRIDGE = "918068280000"
_ROOT = ("/healthz", "/readyz", "/metrics")
START_MS = 1_565_968_191_000  # 2019-08-16 15:09:51 UTC


class Clock:
    """Unix milliseconds that move only when told."""

    def __init__(self) -> None:
        self.now = START_MS

    def __call__(self) -> int:
        return self.now


@dataclass
class Api:
    """A running API with one account, trunk, bridge and token."""

    url: str
    session: aiohttp.ClientSession
    database: Database
    context: ApiContext
    clock: Clock
    token: str
    account_id: int
    trunk_id: int

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def call(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
        """Status and JSON, or CSV as text, of one request with the token, unless `headers` say otherwise."""
        arguments.setdefault("headers", self.bearer)
        address = path if path.startswith(_ROOT) or "/api/" in path else f"/api/v1/{path}"
        async with self.session.request(method, self.url + address, **arguments) as response:
            if response.content_type == "text/csv":
                return response.status, await response.text()
            return response.status, await response.json(content_type=None)

    async def add_sound(self, sound_id: str, *, duration_ms: int = 1_000) -> None:
        """A sound of the account, without its clips."""
        sound = Sound(
            id=sound_id,
            account_id=self.account_id,
            name="a",
            duration_ms=duration_ms,
            source_format="wav",
            bytes=1,
            sha256="",
            created_at=START_MS,
        )
        await self.database.run(sounds.insert, sound)


@lru_cache
def _empty_database() -> bytes:
    """A migrated database: migrating once for all tests saves a quarter of a second in each."""
    with TemporaryDirectory() as folder:
        schema.upgrade(f"sqlite:///{folder}/outdial.db")
        return (Path(folder) / "outdial.db").read_bytes()


@asynccontextmanager
async def running_api(folder: Path, **options: Any) -> AsyncIterator[Api]:
    url = f"sqlite:///{folder}/outdial.db"
    (folder / "outdial.db").write_bytes(_empty_database())
    clock = Clock()
    egress = EgressOptions(allow=AllowList.parse(["127.0.0.2"]))
    async with Database(url) as database, EgressClient(egress) as client:
        account = await database.run(accounts.insert, name="default", now=clock())
        trunk = await database.run(trunks.insert, trunks.NewTrunk(name="t", host="192.0.2.1"), now=clock())
        await database.run(
            bridges.insert, number=BRIDGE, account_id=account.id, trunk_id=trunk.id, now=clock()
        )
        _, secret = await database.run(
            tokens.insert,
            account_id=account.id,
            name="test",
            new_secret=lambda: secrets.token_hex(16),
            now=clock(),
        )
        context = ApiContext(
            database=database,
            blobs=Blobs(f"file://{folder}/blobs"),
            tokens=TokenCache(database, clock),
            options=ApiOptions(work_dir=folder / "work", **options),
            now_ms=clock,
            new_uuid=lambda: str(uuid.uuid4()),
            voices=Voices([Pico()]),
            endpoints=EndpointChecks(client, clock, timeout_s=5.0),
        )
        async with serving(context) as address, aiohttp.ClientSession() as session:
            yield Api(address, session, database, context, clock, secret, account.id, trunk.id)


@asynccontextmanager
async def serving(context: ApiContext) -> AsyncIterator[str]:
    """The application of `context` on a free port; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        # As in a server, where uvloop does it: without it each answer waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = _Server(
            uvicorn.Config(create_app(context), http="httptools", ws="none", lifespan="off", log_config=None)
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return nullcontext()
