"""Audio by URL that leads where it must not, or never ends: nobody is called, and callstatus says why."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import WebServer, raw_server, web_server

pytestmark = pytest.mark.timeout(120)

PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.3"
"""The first one is in the allow-list and stands for all addresses that may be asked."""
NUMBER = "12025550100"
LIMIT = 200_000
SPELLINGS = (
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "localhost",
    "127.0.0.3",
    "127.3",
    "2130706435",
    "017700000003",
    "[::ffff:127.0.0.3]",
    "[::1]",
)
_REBINDING = """
import itertools, socket

_system, _turns = socket.getaddrinfo, itertools.count()

def getaddrinfo(host, *arguments, **named):
    if host == "rebinding.test":
        host = "{public}" if next(_turns) % 2 == 0 else "{private}"
    if host == "inside.test":
        host = "{private}"
    return _system(host, *arguments, **named)

socket.getaddrinfo = getaddrinfo
"""
"""Name service for every process of the system, as Python's `sitecustomize`."""


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    names = tmp_path / "names"
    names.mkdir()
    (names / "sitecustomize.py").write_text(_REBINDING.format(public=PUBLIC, private=PRIVATE))
    monkeypatch.setenv("PYTHONPATH", str(names))
    settings = {"egress.allow": f'["{PUBLIC}"]', "limits.upload_bytes": LIMIT, "media.workers": 1}
    async with System(tmp_path, sqlite_url, settings=settings) as running:
        await running.start()
        yield running


@pytest.fixture
async def private() -> AsyncIterator[WebServer]:
    """What must never be asked, on every address of the loopback but one."""

    async def secret(_: web.Request) -> web.StreamResponse:
        return web.Response(text="a secret")

    async with web_server(secret, PRIVATE) as server:
        yield server


async def _ends_undialled(system: System, url: str) -> str:
    """Send a call with this audio; the explanation of its end."""
    form = {"bridge": BRIDGE, "to": NUMBER, "audio": url}
    status, answer = await system.request("POST", "outgoing/send", data=form)
    assert status == 200, answer
    row = await system.done(answer["data"][0]["id"])
    (attempt,) = row["attempts"]
    assert (row["status"], attempt["reason"], attempt["sip_code"]) == (
        "CHANUNAVAIL",
        "audio_unavailable",
        None,
    )
    assert system.heard() == []
    explanation: str = row["explanation"]
    return explanation


@pytest.mark.parametrize("port", ["", ":8080"])
async def test_no_spelling_of_a_private_address_is_accepted(system: System, port: str) -> None:
    """Where the URL itself shows it, nothing is even stored; `localhost` is a name, and looked up later."""
    for host in SPELLINGS:
        form = {"bridge": BRIDGE, "to": NUMBER, "audio": f"http://{host}{port}/a.mp3"}
        status, answer = await system.request("POST", "outgoing/send", data=form)
        if host == "localhost":
            assert status == 200
            continue
        assert (status, list(answer["errors"])) == (422, ["audio"]), (host, answer)
        assert "only public addresses are asked" in answer["message"]


async def test_redirects_and_names_that_lead_inside(system: System, private: WebServer) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        # Without a kept connection the name of a redirect is looked up again.
        headers = {"Location": f"http://{request.query['to']}/a.mp3", "Connection": "close"}
        return web.Response(status=302, headers=headers)

    async with web_server(redirect, PUBLIC, private.port) as public:
        for host in (*SPELLINGS, "inside.test"):
            told = await _ends_undialled(system, public.url(f"/?to={host}:{private.port}"))
            assert told.startswith("The audio could not be used, so the call was not dialled: ")
            assert "is refused: it" in told
            assert told.endswith("only public addresses are asked.")
        asked = len(public.requests)
        assert asked == len(SPELLINGS) + 1
        told = await _ends_undialled(system, private.url("/a.mp3", "inside.test"))
        assert "inside.test is refused: its name leads to an address that" in told
        # It led to the public server when it was first asked, and inside at the redirect to itself.
        told = await _ends_undialled(
            system, public.url(f"/?to=rebinding.test:{private.port}", "rebinding.test")
        )
        assert "rebinding.test is refused: its name leads to an address that" in told
        assert len(public.requests) == asked + 1
    assert private.requests == []


async def test_a_body_without_an_end_is_given_up(system: System) -> None:
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            sent += 10_000
            await writer.drain()

    async with raw_server(endless, PUBLIC) as server:
        told = await _ends_undialled(system, server.url("/a.mp3"))
    assert told.endswith("127.0.0.2 sent more than the 200000 bytes that are accepted.")
    assert sent < 16_000_000  # with what waits in the buffers of both sockets
    assert list((system.data_dir / "work").rglob("*")) == []
