"""What somebody sends to the server's HTTP port who means no good: the exact answer, and what it cost."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.helpers.poll import until
from tests.helpers.system import System
from tests.unit.audio.files import silent_flac

pytestmark = pytest.mark.timeout(120)

MB = 1024 * 1024
_HUGE = 200 * MB
_HEAD = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n'
_TOO_LARGE = {"status": 413, "message": "This is larger than the 50 MB that are accepted.", "errors": {}}
_ELSEWHERE = "127.0.0.9"


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url) as running:
        running.serve("--role", "api")
        await until(lambda: _lives(running), "the API answers")
        yield running


async def _lives(system: System) -> bool:
    try:
        return (await system.request("GET", "/healthz"))[0] == 200
    except aiohttp.ClientError:
        return False


async def test_200_mb_are_refused_by_their_head(system: System) -> None:
    before = _most_memory(system)
    status, answer, sent = await _upload(system, length=_HUGE, most=0)
    assert (status, answer, sent) == (413, _TOO_LARGE, 0)
    assert _most_memory(system) - before < 8 * MB
    assert _left_behind(system) == []


async def test_200_mb_without_a_length_are_cut_off_at_the_limit(system: System) -> None:
    await _upload(system, length=None, most=MB)  # what the first upload loads
    before = _most_memory(system)
    status, answer, sent = await _upload(system, length=None, most=_HUGE)
    assert (status, answer) == (413, _TOO_LARGE)
    assert 50 * MB < sent < 80 * MB  # with what waits in the buffers of both sockets
    assert _most_memory(system) - before < 8 * MB
    assert _left_behind(system) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"This is not music.\n" * 50,
            "This is not audio that can be decoded (the file starts like text); upload mp3, wav, ogg, m4a or"
            " flac.",
        ),
        (silent_flac(hours=1), "This sound is longer than 600 seconds, the longest allowed."),
    ],
    ids=["a text called mp3", "an hour of silence in a few kB"],
)
async def test_what_cannot_be_played_is_named(system: System, content: bytes, sentence: str) -> None:
    assert len(content) < 8_000
    before = _most_memory(system)
    form = aiohttp.FormData()
    form.add_field("audio", content, filename="hello.mp3", content_type="audio/mpeg")
    assert await system.request("POST", "voice/sounds", data=form) == (
        422,
        {"status": 422, "message": sentence, "errors": {"audio": [sentence]}},
    )
    assert _most_memory(system) - before < 24 * MB
    assert _left_behind(system) == []
    assert (await system.request("GET", "voice/sounds"))[1]["data"] == []


async def test_who_tries_tokens_is_slowed_down_and_nobody_else(system: System) -> None:
    wrong = {"headers": {"Authorization": "Bearer guessed"}}
    guesses = [await _ask(system, "127.0.0.1", **wrong) for _ in range(60)]
    refused = [answer for answer in guesses if answer[0] == 429]
    assert {status for status, _, _ in guesses} == {401, 429}
    message = "Too many wrong tokens from this address; wait a second."
    assert refused[0] == (429, {"status": 429, "message": message, "errors": {}}, "1")
    assert guesses[:10] == [guesses[0]] * 10  # ten a second are told that they are wrong
    assert (await _ask(system, _ELSEWHERE, **wrong))[0] == 401
    for address in (_ELSEWHERE, "127.0.0.1"):
        assert (await _ask(system, address))[0] == 200


async def _upload(system: System, *, length: int | None, most: int) -> tuple[int, Any, int]:
    """Send up to `most` bytes of a file until an answer comes; status, JSON, and how much of it was sent."""
    reader, writer = await asyncio.open_connection(system.host, int(system.url.rpartition(":")[2]))
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    writer.write(
        f"POST /api/v1/voice/sounds HTTP/1.1\r\nHost: {system.host}\r\nAuthorization:"
        f" Bearer {system._token}\r\nContent-Type: multipart/form-data; boundary=b\r\n{size}\r\n\r\n".encode()
    )
    answer = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
    sent = 0
    block = b"x" * 65_536
    if length is None:
        writer.write(_chunk(_HEAD))
        while sent < most and not answer.done():
            writer.write(_chunk(block))
            sent += len(block)
            try:
                await writer.drain()
            except ConnectionError:
                break
        writer.write(_chunk(b"\r\n--b--\r\n") + b"0\r\n\r\n")
    head = (await answer).decode()
    body = await reader.readexactly(
        int(next(line for line in head.splitlines() if "content-length" in line.lower())[15:])
    )
    writer.close()
    return int(head.split()[1]), json.loads(body), sent


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def _ask(system: System, source: str, **arguments: Any) -> tuple[int, Any, str | None]:
    """`auth/me` from an address of the loopback: status, JSON, Retry-After."""
    headers = {"Authorization": f"Bearer {system._token}"}
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"{system.url}/api/v1/auth/me", **{"headers": headers, **arguments}) as response,
    ):
        return response.status, await response.json(), response.headers.get("Retry-After")


def _most_memory(system: System) -> int:
    """The most that the API's process has ever had in memory, in bytes."""
    status = Path(f"/proc/{system.pid_of('api')}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _left_behind(system: System) -> list[Path]:
    return list((system.data_dir / "work").rglob("*"))
