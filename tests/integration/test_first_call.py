"""The page for new users, typed line by line as it is printed: a paid, retried, reported call over a trunk.

The carrier is kamailio, which wants a login, and the phone behind it baresip: nothing of them is ours. Its
owner turns the first call away, and takes the next one; only the five minutes in between are shortened.
"""

import asyncio
import os
import re
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.chaos.ledger import make_retries_due
from tests.helpers.baresip import Baresip
from tests.helpers.endpoint import endpoint
from tests.helpers.kamailio import PASSWORD, USERNAME, Kamailio
from tests.helpers.poll import until
from tests.helpers.sound import melody
from tests.helpers.system import Server

from outdial.audio.samples import welcome_mp3
from outdial.storage.database import Database
from outdial.supervisor.parts import wall_clock_ms
from outdial_client.webhooks import verify

pytestmark = [pytest.mark.kamailio, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[2] / "docs" / "getting-started" / "first-call.md"
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_TYPED_HERE = (
    *("sudo ", "cd ", "make ", "alias ", "outdial serve", "OUTDIAL_SIP__PUBLIC_ADDRESS="),
    "python3 examples/webhook_endpoint.py",
)
"""The machine is set up and the server started by the test; NAT is not there; the endpoint is one of the
test's, and that of the examples has a test of its own."""
_LONG_S = 240.0


class Terminal:
    """The second terminal: lines are typed into one shell after the other, which have the same variables."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        (folder / "variables").write_text("")

    async def type(self, line: str) -> tuple[int, str]:
        """Run one line; its exit status and what was printed."""
        script = (
            f'outdial() {{ {sys.executable} -m outdial "$@"; }}\n. ./variables\n{line}\n'
            "status=$?\nexport -p >variables\nexit $status\n"
        )
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", script),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), _LONG_S)
        except BaseException:
            process.kill()
            raise
        assert process.returncode is not None
        return process.returncode, out.decode()


def lines_of_the_page() -> list[str]:
    """The commands, one line each."""
    blocks = "".join(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    lines = re.sub(r" *\\\n *", " ", blocks).splitlines()
    return [line for line in lines if line and not line.startswith(_NOT_TYPED_HERE)]


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[str, Terminal]]:
    """`outdial serve` in an empty folder, its address, and a terminal beside it."""
    api, sip = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    url = f"http://127.0.0.1:{api}"
    settings = {
        "DATA_DIR": str(folder / "data"),
        "API__PORT": str(api),
        "SIP__BIND_ADDRESS": "127.0.0.1",
        "SIP__PORT": str(sip),
        "MEDIA__BIND_ADDRESS": "127.0.0.1",
        "EGRESS__ALLOW": "127.0.0.0/8",
        "LOG__FORMAT": "json",
        "URL": url,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
    environment |= {f"OUTDIAL_{name}": value for name, value in settings.items()} | {"COLUMNS": "200"}
    process = Server([], environment, folder / "serve.log")

    async def is_ready() -> bool:
        assert process.exit_status is None, process.log_file.read_text()
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    try:
        await until(is_ready, "the server is ready")
        yield url, Terminal(folder, environment)
    finally:
        if process.exit_status is None:
            await process.stop()


def free_port(kind: socket.SocketKind) -> int:
    """A port of loopback that nobody has."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def the_interval_is_over(folder: Path) -> None:
    """Let the call that waits to be tried again be due now."""
    async with Database(f"sqlite:///{folder / 'data' / 'outdial.db'}", readers=1) as database:
        assert await database.run(make_retries_due, "", now=wall_clock_ms()) == 1


def found(pattern: str, text: str) -> str:
    """What a pattern finds in what was printed."""
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None, f"no {pattern} in: {text}"
    return match[1]


async def test_the_page_is_true(tmp_path: Path) -> None:
    (tmp_path / "phone").mkdir()
    (tmp_path / "carrier").mkdir()
    (tmp_path / "welcome.mp3").write_bytes(welcome_mp3())
    speech = melody(30, 8000, seed=4)
    async with (
        Baresip(tmp_path / "phone", codecs=["PCMA"], speech=speech, rate=8000, answers=False) as phone,
        Kamailio(tmp_path / "carrier", (phone.host, phone.port)) as carrier,
        endpoint() as receiver,
        server(tmp_path) as (url, terminal),
    ):
        places = {
            "sip.carrier.example": f"{carrier.host}:{carrier.port}",
            "'…'": shlex.quote(PASSWORD),
            "--username 1234567": f"--username {USERNAME}",
            "https://example.com/calls": receiver.url,
            "http://127.0.0.1:8080": url,
        }
        printed: dict[str, str] = {}
        for page_line in lines_of_the_page():
            line = page_line
            for word, here in places.items():
                line = line.replace(word, here)
            typed = asyncio.create_task(terminal.type(line))
            if line.startswith("outdial call --bridge"):
                await phone.event("CALL_INCOMING", within_s=60)
                await phone.command("hangup")
                await until(lambda: len(receiver.events) == 1, "the first event")
                await the_interval_is_over(tmp_path)
            if line.startswith(("outdial call --bridge", "curl ")):
                await phone.event("CALL_INCOMING", within_s=60)
                await phone.command("accept")
            status, out = await typed
            printed[page_line] = out
            assert status == 0, f"{line}\n{out}"
            if "sounds upload" in line:
                places["<id of the sound>"] = found(r"^id +(\S+)", out)
            if line.startswith("outdial call --bridge"):
                call_id = found(r"^call (\S+) to", out)
                places |= {"show ID": f"show {call_id}", "--trace ID": f"--trace {call_id}"}
        events = [each.json for each in await receiver.has(3)]
    watched = next(out for line, out in printed.items() if line.startswith("outdial call --bridge"))
    assert re.search(r"486 .*\(INVITE\)", watched)
    assert "It was tried 2 times." in watched
    told = [(each["status"], each["sequence"], each["charges"]) for each in events[:2]]
    assert told == [("BUSY", 1, "0.0000"), ("ANSWER", 2, "0.5000")]
    secret = found(
        r"^secret +(\S+)", printed["outdial webhook add crm https://example.com/calls --subscribe"]
    )
    for event in receiver.events:
        verify(secret, event.headers, event.body)
    assert "407 Proxy Authentication Required" in printed["outdial call --trace ID"]
    assert "what happened  The callee picked up" in printed["outdial call show ID"]
    assert printed["outdial webhook deliveries 1"].count("delivered") >= 2
    assert printed["outdial account ledger"].count("charge") >= 1
    assert found(r"^balance +(\S+)", printed["outdial account balance"]) in ("24.5000", "24.0000")
