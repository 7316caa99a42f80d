"""What calls need is away for a while: they wait, say why, come back by themselves, and lose no try."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import web_server
from tests.unit.speech.test_wav import wav

pytestmark = pytest.mark.timeout(180)

NUMBERS = [f"1202600{number:04}" for number in range(5)]
PHONES = "\n".join(f"[phones.{each}]\nanswer_after_s = 0.1" for each in NUMBERS)
SPEECH = wav([8_000 if at // 20 % 2 else -8_000 for at in range(8_000)])


async def _row(system: System, call_id: str) -> dict[str, Any]:
    _, answer = await system.request("GET", f"outgoing/callstatus?id={call_id}")
    row: dict[str, Any] = answer["data"]
    return row


async def _waits(system: System, call_id: str, sentence: str) -> None:
    async def says_so() -> bool:
        row = await _row(system, call_id)
        assert row["status"] is None, row["explanation"]
        return sentence in row["explanation"]

    await until(says_so, f"the call says {sentence!r}")


async def test_calls_wait_for_the_disk_of_the_sounds(tmp_path: Path, database_url: str) -> None:
    async with System(tmp_path, database_url, phones=PHONES) as system:
        server = await system.start()
        sound = await system.add_sound(400)
        folder, disk = system.data_dir / "blobs", tmp_path / "disk"
        folder.rename(disk)
        folder.mkdir()
        calls = list((await system.send(NUMBERS, sound)).values())
        for call_id in calls:
            await _waits(
                system, call_id, "the store where they are kept cannot be reached just now. It is tried"
            )
        assert len(server.log("sounds_unavailable")) <= 3  # not one for each call
        folder.rmdir()
        disk.rename(folder)
        for call_id in calls:
            row = await system.done(call_id)
            assert (row["status"], len(row["attempts"])) == ("ANSWER", 1)
        assert server.log("sounds_available_again")


async def test_calls_wait_for_the_speech_server(tmp_path: Path, sqlite_url: str) -> None:
    is_away = True

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503) if is_away else web.Response(body=SPEECH)

    async with web_server(answer) as speech:
        settings = {"speech.server.base_url": speech.url("/v1"), "speech.engines": '["http"]'}
        async with System(tmp_path, sqlite_url, phones=PHONES, settings=settings) as system:
            server = await system.start()
            data = {"bridge": BRIDGE, "to": NUMBERS[0], "text": "Hello."}
            status, sent = await system.request("POST", "outgoing/tts", data=data)
            assert status == 200, sent
            call_id = sent["data"][0]["id"]
            await _waits(system, call_id, "answered HTTP 503")
            assert server.log("audio_outage")
            is_away = False
            row = await system.done(call_id)
            assert (row["status"], len(row["attempts"])) == ("ANSWER", 1)
