"""Speech servers of OpenAI's protocol: what they are asked, and that no answer of theirs does harm."""

import asyncio
import json
import struct
from typing import Any

import pytest
from aiohttp import web
from tests.helpers.web_server import RawHandler, raw_server, web_server
from tests.unit.speech.test_wav import wav

from outdial.egress.allow_list import AllowList
from outdial.egress.client import EgressClient
from outdial.egress.message import EgressOptions
from outdial.errors import SpeechAway, SpeechError, SpeechUnavailable, Unspeakable
from outdial.speech.engine import Voice, parse_server_voice
from outdial.speech.openai_server import OpenAiServer, SpeechServer
from outdial.speech.wav import parse_wav

NOVA = Voice("http", "nova", "en-US", "female")
KEY = "sk-very-secret"
TEXT = "Your code is 4711."


@pytest.fixture
async def client():
    async with EgressClient(EgressOptions(allow=AllowList.parse(["127.0.0.2"]))) as started:
        yield started


def engine(client: EgressClient, base_url: str, **changes) -> OpenAiServer:
    options: dict[str, Any] = {"retry_delays_s": (0.0,), "timeout_s": 10.0, "voices": (NOVA,)} | changes
    return OpenAiServer(client, SpeechServer(base_url=base_url, key=KEY, model="kokoro", **options))


async def test_the_text_is_asked_for_as_the_protocol_has_it(client, tmp_path):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=wav([1, 2, 3]), content_type="audio/wav")

    async with web_server(answer) as server:
        await engine(client, server.url("/v1/")).speak(TEXT, NOVA, tmp_path / "out.wav")
        [asked] = server.requests
    assert (asked.method, asked.path) == ("POST", "/v1/audio/speech")
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert json.loads(server.bodies[0]) == {
        "model": "kokoro",
        "voice": "nova",
        "input": TEXT,
        "response_format": "wav",
    }
    assert parse_wav((tmp_path / "out.wav").read_bytes(), "http").pcm.tolist() == [1, 2, 3]


async def test_a_failure_that_may_pass_is_tried_again(client, tmp_path):
    statuses = iter([503, 200])

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=next(statuses), body=wav([1]))

    async with web_server(answer) as server:
        await engine(client, server.url("/v1")).speak(TEXT, NOVA, tmp_path / "out.wav")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (500, SpeechAway, 2),
        (429, SpeechAway, 2),
        (401, SpeechAway, 2),
        (404, SpeechAway, 2),
        (302, Unspeakable, 1),
        (400, Unspeakable, 1),
    ],
)
async def test_every_status_is_a_sentence_without_text_and_key(client, tmp_path, status, kind, tries):
    async def answer(_: web.Request) -> web.Response:
        location = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, text=f"{KEY} {TEXT}", headers=location)

    async with web_server(answer) as server:
        with pytest.raises(kind) as raised:
            await engine(client, server.url("/v1")).speak(TEXT, NOVA, tmp_path / "out.wav")
        assert len(server.requests) == tries
    assert f"127.0.0.2 answered HTTP {status}" in str(raised.value)
    assert KEY not in str(raised.value)
    assert TEXT not in str(raised.value)


async def _speak(client: EgressClient, handler: RawHandler, tmp_path, **changes) -> SpeechError:
    async with raw_server(handler) as server:
        with pytest.raises(SpeechError) as raised:
            await engine(client, server.url("/v1"), **changes).speak(TEXT, NOVA, tmp_path / "out.wav")
    return raised.value


async def test_a_server_that_never_answers_is_given_up(client, tmp_path):
    async def answer(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    error = await _speak(client, answer, tmp_path, timeout_s=0.05)
    assert isinstance(error, SpeechAway)
    assert "did not answer within 0.05 seconds" in str(error)


async def test_a_server_that_never_ends_its_answer_is_given_up(client, tmp_path):
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nRIFF")
        await asyncio.Event().wait()

    error = await _speak(client, answer, tmp_path, timeout_s=0.3)
    assert isinstance(error, SpeechAway)
    assert "within 0.3 seconds" in str(error)


async def test_a_huge_answer_is_cut_off_and_not_asked_for_again(client, tmp_path):
    asked = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    error = await _speak(client, answer, tmp_path, most_bytes=1_000_000)
    assert isinstance(error, SpeechUnavailable)
    assert "sent more than" in str(error)
    assert asked == 1
    assert (tmp_path / "out.wav").stat().st_size <= 1_100_000


async def test_a_connection_that_breaks_off_may_pass(client, tmp_path):
    asked = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nRIFF")

    async with raw_server(answer) as server:
        with pytest.raises(SpeechAway, match="broke the connection off"):
            await engine(client, server.url("/v1")).speak(TEXT, NOVA, tmp_path / "out.wav")
    assert asked == 2


async def test_garbage_for_http_is_not_the_texts_fault(client, tmp_path):
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01\x02 not http\r\n\r\n")

    async with raw_server(answer) as server:
        with pytest.raises(SpeechAway, match=r"127\.0\.0\.2"):
            await engine(client, server.url("/v1")).speak(TEXT, NOVA, tmp_path / "out.wav")


async def test_the_guard_stands_unless_the_operator_named_the_server(tmp_path):
    async with EgressClient() as client:
        with pytest.raises(SpeechUnavailable, match="public"):
            await engine(client, "http://127.0.0.2:9/v1").speak(TEXT, NOVA, tmp_path / "out.wav")


def test_what_a_streaming_server_sends_is_read():
    content = bytearray(wav([5, 6]))
    struct.pack_into("<I", content, 4, 0xFFFFFFFF)
    struct.pack_into("<I", content, 40, 0xFFFFFFFF)
    assert parse_wav(bytes(content), "http").pcm.tolist() == [5, 6]


def test_the_key_is_not_in_what_is_printed_of_the_options():
    assert KEY not in repr(SpeechServer(base_url="http://x/v1", key=KEY))


def test_voices_of_the_settings():
    assert parse_server_voice("af_heart:en-US:female") == Voice("http", "af_heart", "en-US", "female")
    for wrong in ("nova", "nova:en", "nova:en:robot", ":en:male", "a:b:c:d"):
        with pytest.raises(ValueError, match="name:language:gender"):
            parse_server_voice(wrong)


def test_another_model_or_server_is_another_revision(client):
    first = engine(client, "http://a.example/v1").revision
    assert engine(client, "http://b.example/v1").revision != first
