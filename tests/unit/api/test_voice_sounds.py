"""Upload, list, show, fetch and delete, and what an upload may not be."""

import io
import math
import struct
import uuid
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from tests.helpers.http_api import Api

from outdial.audio.clip import CODECS
from outdial.storage import accounts, sounds


def _wav(seconds: float = 0.5, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        samples = (int(9000 * math.sin(i * 0.3)) for i in range(int(seconds * rate)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def _upload_form(content: bytes, *, name: str | None = None, filename: str = "hello.wav") -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # as curl and browsers do
    form.add_field("audio", io.BytesIO(content), filename=filename)
    if name is not None:
        form.add_field("name", name)
    return form


async def _upload(api: Api, content: bytes, **more: Any) -> tuple[int, Any]:
    return await api.call("POST", "voice/sounds", data=_upload_form(content, **more))


async def test_a_sound_s_life(api: Api) -> None:
    content = _wav()
    status, answer = await _upload(api, content, name="Welcome")
    assert (status, answer["status"], answer["code"]) == (200, "OK", 200)
    row = answer["data"]
    assert {
        name: row[name] for name in ("name", "duration", "duration_ms", "format", "bytes", "created_at")
    } == {
        "name": "Welcome",
        "duration": "00:00:01",
        "duration_ms": 500,
        "format": "wav",
        "bytes": len(content),
        "created_at": "2019-08-16 15:09:51",
    }
    for codec in CODECS:
        assert (await api.context.blobs.local_path(sounds.clip_key(row["id"], codec))).stat().st_size == 4000

    assert (await api.call("GET", f"voice/sounds/{row['id']}"))[1]["data"] == row
    assert (await api.call("GET", "voice/sounds"))[1]["data"] == [row]
    async with api.session.get(api.url + row["audio_url"], headers=api.bearer) as response:
        assert response.status == 200
        assert response.content_type == "audio/wav"
        assert await response.read() == content

    assert (await api.call("DELETE", f"voice/sounds/{row['id']}"))[0] == 200
    for method, path in (("GET", ""), ("GET", "/audio"), ("DELETE", "")):
        status, answer = await api.call(method, f"voice/sounds/{row['id']}{path}")
        assert (status, answer["status"]) == (404, 404)
    assert (await api.call("GET", "voice/sounds"))[1]["data"] == []


async def test_nobody_sees_the_sounds_of_others(api: Api) -> None:
    ours = (await _upload(api, _wav()))[1]["data"]
    other = await api.database.run(accounts.insert, name="other", now=1)
    theirs = await _another_sound(api, ours["id"], account_id=other.id)
    _, answer = await api.call("GET", "voice/sounds")
    assert ([row["id"] for row in answer["data"]], answer["meta"]["total"]) == ([ours["id"]], 1)
    for method, path in (("GET", ""), ("GET", "/audio"), ("DELETE", "")):
        assert (await api.call(method, f"voice/sounds/{theirs}{path}"))[0] == 404
    assert await api.database.read(sounds.get, other.id, theirs) is not None


async def test_pages_have_the_newest_first(api: Api) -> None:
    first = (await _upload(api, _wav()))[1]["data"]["id"]
    made = [first, *[await _another_sound(api, first, later_ms=1000 * (n + 1)) for n in range(4)]]
    pages = []
    for page in (1, 2, 3):
        _, answer = await api.call("GET", f"voice/sounds?page={page}&per_page=2")
        pages.append([row["id"] for row in answer["data"]])
        assert (answer["meta"]["total"], answer["meta"]["from"]) == (5, 2 * page - 1)
    newest = made[::-1]
    assert pages == [newest[:2], newest[2:4], newest[4:]]


async def _another_sound(api: Api, like: str, *, later_ms: int = 0, account_id: int | None = None) -> str:
    """The row of a sound, made like that of another one; its id."""
    sound = await api.database.read(sounds.get, api.account_id, like)
    assert sound is not None
    copy = replace(
        sound,
        id=str(uuid.uuid4()),
        account_id=account_id or sound.account_id,
        created_at=sound.created_at + later_ms,
    )
    await api.database.run(sounds.insert, copy)
    return copy.id


async def test_without_a_name_the_file_s_name_is_taken(api: Api) -> None:
    _, answer = await _upload(api, _wav(), filename="..\\../etc/gruß.wav")
    assert answer["data"]["name"] == "gruß.wav"


async def test_lists_have_pages_links_and_meta(api: Api) -> None:
    for number in range(3):
        api.clock.now += 1000
        await _upload(api, _wav(0.1), name=f"s{number}")
    _, first = await api.call("GET", "voice/sounds?per_page=2")
    assert [row["name"] for row in first["data"]] == ["s2", "s1"]
    path = f"{api.url}/api/v1/voice/sounds"
    assert first["links"] == {
        "first": f"{path}?page=1&per_page=2",
        "last": f"{path}?page=2&per_page=2",
        "prev": None,
        "next": f"{path}?page=2&per_page=2",
    }
    assert first["meta"] == {
        "current_page": 1,
        "from": 1,
        "last_page": 2,
        "path": path,
        "per_page": 2,
        "to": 2,
        "total": 3,
    }
    _, second = await api.call("GET", first["links"]["next"].removeprefix(api.url))
    assert [row["name"] for row in second["data"]] == ["s0"]
    assert second["links"]["next"] is None
    status, answer = await api.call("GET", "voice/sounds?page=0&per_page=1000")
    assert (status, set(answer["errors"])) == (422, {"page", "per_page"})


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "audio is an empty file"), (b"this is no sound", "not audio"), (_wav(6.0), "5")],
    ids=["empty", "text", "too long"],
)
async def test_what_cannot_be_played_is_422(api: Api, content: bytes, words: str) -> None:
    status, answer = await _upload(api, content)
    assert (status, list(answer["errors"])) == (422, ["audio"])
    assert words in answer["message"]
    assert answer["message"][0].isupper() or answer["message"].startswith("audio ")
    assert not list(api.context.options.work_dir.iterdir())


async def test_a_file_over_the_limit_is_413_and_leaves_nothing(api: Api) -> None:
    status, answer = await _upload(api, b"x" * 200_001)
    assert (status, answer["status"]) == (413, 413)
    assert "200000 bytes" in answer["message"]
    assert not list(api.context.options.work_dir.iterdir())


async def test_an_announced_length_over_the_limit_is_413_at_once(api: Api) -> None:
    status, _ = await _upload(api, b"x" * 3_000_000)
    assert status == 413


async def test_an_endless_chunked_upload_is_cut_off(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="x"\r\n\r\n'
        for _ in range(1000):
            yield b"x" * 65536

    headers = api.bearer | {"Content-Type": "multipart/form-data; boundary=b"}
    status, _ = await api.call("POST", "voice/sounds", data=endless(), headers=headers)
    assert status == 413


async def test_other_bodies_and_second_files(api: Api) -> None:
    assert (await api.call("POST", "voice/sounds", data={"audio": "x"}))[0] == 415
    assert (await api.call("POST", "voice/sounds", json={"audio": "x"}))[0] == 415
    form = _upload_form(_wav())
    form.add_field("audio", io.BytesIO(_wav()), filename="2.wav")
    status, answer = await api.call("POST", "voice/sounds", data=form)
    assert (status, list(answer["errors"])) == (422, ["audio"])
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("name", "no file")
    assert (await api.call("POST", "voice/sounds", data=form))[0] == 422


async def test_an_id_that_is_none_is_404(api: Api) -> None:
    for wrong in ("x", "00000000-0000-0000-0000-000000000000", "..%2f..%2fetc"):
        assert (await api.call("GET", f"voice/sounds/{wrong}"))[0] == 404


async def test_a_file_under_another_name_is_told_the_right_one(api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("file", _wav(), filename="hello.wav")
    status, answer = await api.call("POST", "voice/sounds", data=form)
    assert status == 422
    assert answer["errors"] == {"file": ["Send the file in a field with the name audio, not file."]}
