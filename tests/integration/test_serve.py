"""The server as people start it: real processes, the simulated network, SIGKILL in the middle."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from outdial.audio.samples import welcome_mp3
from outdial.cli.client import ApiClient
from outdial.cli.demo.server import DemoServer
from outdial.cli.follow import follow
from outdial.cli.problems import CommandFailed
from outdial.supervisor import exit_codes

pytestmark = pytest.mark.timeout(180)

BRIDGE = "12025550199"
ROLES = ("api", "dialer", "webhooks", "sandbox")
_DEADLINE_S = 60.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(tmp_path) as running:
        await running.ready()
        yield running


async def _client(server: DemoServer) -> ApiClient:
    token = json.loads(await server.command("token", "create", "--json"))["token"]
    return ApiClient(server.url, token)


async def _upload(client: ApiClient, folder: Path) -> str:
    file = folder / "welcome.mp3"
    file.write_bytes(welcome_mp3())
    sound_id: str = (await client.upload("voice/sounds", file, None))["data"]["id"]
    return sound_id


async def _send(client: ApiClient, to: str, sound_id: str) -> str:
    form = {"bridge": BRIDGE, "to": to, "audio": sound_id}
    call_id: str = (await client.post_form("outgoing/send", form))["data"][0]["id"]
    return call_id


async def _ended(client: ApiClient, call_id: str) -> dict[str, Any]:
    status: dict[str, Any] = {}
    async with asyncio.timeout(_DEADLINE_S):
        async for progress in follow(client, call_id, with_trace=False):
            status = progress.status
    return status


def _log(folder: Path, event: str) -> list[dict[str, Any]]:
    rows = []
    for line in (folder / "server.log").read_text().splitlines():
        with suppress(ValueError):
            rows.append(json.loads(line))
    return [row for row in rows if row.get("event") == event]


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        while not await condition():
            await asyncio.sleep(0.05)


def _pid_of(folder: Path, role: str) -> int:
    return int([row for row in _log(folder, "role_started") if row["started"] == role][-1]["pid"])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


async def test_a_request_becomes_a_call_and_roles_that_are_killed_come_back(
    server: DemoServer, tmp_path: Path
) -> None:
    async with await _client(server) as client:
        sound_id = await _upload(client, tmp_path)
        assert json.loads(await server.command("trunk", "check", "sandbox", "--json"))["status"] == 200
        status = await _ended(client, await _send(client, "12025550108", sound_id))
        assert (status["status"], status["dtmf"]) == ("ANSWER", "1")
        trace = (await client.get("outgoing/trace", id=status["id"]))["data"]["entries"]
        assert trace[0]["summary"].startswith("INVITE")
        assert any(entry["summary"].startswith("BYE") for entry in trace)

        for role in ROLES:
            killed = _pid_of(tmp_path, role)
            os.kill(killed, signal.SIGKILL)

            async def came_back(role: str = role, killed: int = killed) -> bool:
                return _pid_of(tmp_path, role) != killed

            await _until(came_back)
        await server.ready()

        async def everybody_is_there_again() -> bool:
            return len(_log(tmp_path, "dialer_ready")) == 2 and len(_log(tmp_path, "sandbox_ready")) == 2

        await _until(everybody_is_there_again)
        status = await _ended(client, await _send(client, "12025550101", sound_id))
        assert status["status"] == "ANSWER"

    log = (tmp_path / "server.log").read_text()
    assert {row["fallen"] for row in _log(tmp_path, "role_fell")} == set(ROLES)
    assert client._headers["Authorization"].removeprefix("Bearer ") not in log


async def test_a_stop_is_clean_and_a_second_start_finds_everything(tmp_path: Path) -> None:
    async with DemoServer(tmp_path) as first:
        await first.ready()
        pids = [_pid_of(tmp_path, role) for role in ROLES]
    assert first.exit_status == exit_codes.OK
    assert not any(_alive(pid) for pid in pids)
    assert [row["ended"] for row in _log(tmp_path, "role_ended")] == list(ROLES)
    async with DemoServer(tmp_path) as second:
        await second.ready()
        assert len(json.loads(await second.command("trunk", "list", "--json"))) == 1
        assert len(json.loads(await second.command("bridge", "list", "--json"))) == 1
        assert json.loads(await second.command("db", "check", "--json"))["ok"]


async def test_roles_end_when_their_supervisor_is_killed(server: DemoServer, tmp_path: Path) -> None:
    pids = [_pid_of(tmp_path, role) for role in ROLES]
    assert all(_alive(pid) for pid in pids)
    server.kill()

    async def all_gone() -> bool:
        return not any(_alive(pid) for pid in pids)

    await _until(all_gone)


async def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = DemoServer(tmp_path, OUTDIAL_API__PORT=str(port))
        async with server:
            with pytest.raises(CommandFailed, match="ended with status 78") as caught:
                await server.ready()
        assert f"api.port = {port}: cannot listen there (Address already in use)" in str(caught.value)
        assert "Traceback" not in (tmp_path / "server.log").read_text()
