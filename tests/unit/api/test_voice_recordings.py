"""Recordings over HTTP, on rows that a dialer would write."""

import io
import wave
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api
from tests.helpers.written_calls import ANSWERED, CALL_ID, DIALER, claim, finish, new_call

from outdial.audio.wire import decode_wire
from outdial.domain.call import Lease
from outdial.domain.retry_policy import Done
from outdial.domain.scope import Scope
from outdial.errors import BlobsUnavailable, NotFound
from outdial.storage import accounts, audit, calls, recordings, tokens
from outdial.storage.recordings import RecordingKind
from outdial.storage.retention_run import Retention, RetentionOptions

ID = "70fa87e0-9df9-4327-bc80-a561c48703d8-1-1"
KEY = f"recordings/{ID}.alaw"
WIRE = bytes(range(256)) * 100
PATH = f"/api/v1/voice/recordings/{ID}/audio"


@pytest.fixture
async def recorded(api: Api) -> Api:
    """One answered call with a recording in the store."""
    await api.database.run(calls.insert_calls, [new_call(api)])
    await finish(api, await claim(api), replace(ANSWERED, recording_key=KEY, recorded_ms=18_500), Done())
    await api.context.blobs.put(KEY, WIRE)
    return api


async def fetch(api: Api, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    async with api.session.get(api.url + PATH, headers=api.bearer | headers) as response:
        return response.status, response.headers, await response.read()


async def test_it_is_listed_and_shown(recorded: Api) -> None:
    status, answer = await recorded.call("GET", "voice/recordings")
    assert (status, answer["message"], answer["meta"]["total"]) == (200, "1 recordings.", 1)
    (row,) = answer["data"]
    assert row == {
        "id": ID,
        "call_id": CALL_ID,
        "attempt": 1,
        "type": "call",
        "call_from": BRIDGE,
        "call_to": "918867135000",
        "bridge": BRIDGE,
        "name": "campaign",
        "duration": "00:00:19",
        "recorded_at": "2019-08-16 15:10:13",
        "audio": PATH,
    }
    assert (await recorded.call("GET", f"voice/recordings/{ID}"))[1]["data"] == row
    _, status_of = await recorded.call("GET", f"outgoing/callstatus?id={CALL_ID}")
    attempt = status_of["data"]["attempts"][0]
    assert (attempt["recording"], attempt["recording_url"]) == (KEY, PATH)
    assert (await recorded.call("GET", f"voice/calls/{CALL_ID}"))[1]["data"]["audio"] == PATH


async def test_the_filters_are_those_of_the_log(recorded: Api) -> None:
    async def ids(query: str) -> list[str]:
        status, answer = await recorded.call("GET", f"voice/recordings?{query}")
        assert (status, answer["meta"]["total"]) == (200, len(answer["data"]))
        return [row["id"] for row in answer["data"]]

    for query in ("mobile=918867135000", "name=campaign", "status=ANSWER", "date=2019-08-16"):
        assert await ids(query) == [ID], query
    for query in ("mobile=918867135001", "name=x", "status=BUSY", "end_date=2019-08-15", "page=2"):
        status, answer = await recorded.call("GET", f"voice/recordings?{query}")
        assert (status, answer["data"]) == (200, []), query
    assert (await recorded.call("GET", "voice/recordings?status=fine"))[0] == 422


async def test_a_message_of_a_flow_is_listed_beside_it(recorded: Api) -> None:
    lease = Lease(CALL_ID, 1, 1, DIALER)
    key = f"recordings/{ID}-ask-1.alaw"
    later = START_MS + 60_000
    await recorded.database.run(
        recordings.add, lease, key, "PCMA", recorded_at=later, duration_ms=4_000, kind=RecordingKind.MESSAGE
    )
    _, answer = await recorded.call("GET", "voice/recordings")
    assert [(row["id"], row["type"]) for row in answer["data"]] == [(f"{ID}-ask-1", "message"), (ID, "call")]


async def test_a_talk_with_an_agent_is_a_wav_file_as_it_is(recorded: Api) -> None:
    lease, key, content = (
        Lease(CALL_ID, 1, 1, DIALER),
        f"recordings/{ID}-talk.wav",
        b"RIFF" + bytes(range(200)),
    )
    kind = RecordingKind.TALK
    await recorded.database.run(
        recordings.add, lease, key, recordings.WAV, recorded_at=START_MS, duration_ms=1, kind=kind
    )
    await recorded.context.blobs.put(key, content)
    _, answer = await recorded.call("GET", f"voice/recordings/{ID}-talk")
    assert (answer["data"]["type"], answer["data"]["id"]) == ("talk", f"{ID}-talk")
    url = f"{recorded.url}/api/v1/voice/recordings/{ID}-talk/audio"
    async with recorded.session.get(url, headers=recorded.bearer) as response:
        assert (response.status, await response.read()) == (200, content)
    async with recorded.session.get(url, headers=recorded.bearer | {"Range": "bytes=2-5"}) as response:
        assert (response.status, await response.read()) == (206, content[2:6])


async def test_the_audio_is_a_wav_file(recorded: Api) -> None:
    status, headers, body = await fetch(recorded)
    assert (status, headers["Content-Type"]) == (200, "audio/wav")
    assert (headers["Accept-Ranges"], headers["Content-Length"]) == ("bytes", str(len(body)))
    assert headers["Content-Disposition"] == f'inline; filename="{ID}.wav"'
    with wave.open(io.BytesIO(body)) as found:
        pcm = np.frombuffer(found.readframes(found.getnframes()), "<i2")
    assert np.array_equal(pcm, decode_wire(WIRE, "PCMA"))


async def test_parts_of_the_audio(recorded: Api) -> None:
    _, headers, whole = await fetch(recorded)
    status, part_headers, part = await fetch(recorded, Range="bytes=1000-1999")
    assert (status, part) == (206, whole[1000:2000])
    assert part_headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    assert part_headers["Content-Length"] == "1000"
    assert (await fetch(recorded, Range="bytes=-5"))[2] == whole[-5:]
    assert (await fetch(recorded, Range="bytes=0-3", **{"If-Range": headers["ETag"]}))[2] == b"RIFF"
    status, _, body = await fetch(recorded, Range="bytes=0-3", **{"If-Range": '"another"'})
    assert (status, body) == (200, whole)
    status, headers, _ = await fetch(recorded, Range=f"bytes={len(whole)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(whole)}")


async def test_audio_that_is_still_at_its_dialer(recorded: Api) -> None:
    await recorded.context.blobs.delete([KEY])
    status, headers, _ = await fetch(recorded)
    assert (status, headers["Retry-After"]) == (409, "10")


async def test_deleting_is_for_good_and_does_no_harm_twice(recorded: Api) -> None:
    before = await _call(recorded)
    assert await recorded.call("DELETE", f"voice/recordings/{ID}") == (
        200,
        {"status": "OK", "code": 200, "message": "The recording is deleted.", "data": {"id": ID}},
    )
    with pytest.raises(NotFound):
        await recorded.context.blobs.get(KEY)
    assert (await recorded.call("DELETE", f"voice/recordings/{ID}"))[0] == 200
    assert (await recorded.call("GET", "voice/recordings"))[1]["data"] == []
    assert (await recorded.call("GET", f"voice/recordings/{ID}"))[0] == 404
    assert (await fetch(recorded))[0] == 404
    after = await _call(recorded)
    assert after.pop("audio") is None
    assert (after["attempts"][0].pop("recording"), after["attempts"][0].pop("recording_url")) == (None, None)
    assert before.pop("audio") == PATH
    assert (before["attempts"][0].pop("recording"), before["attempts"][0].pop("recording_url")) == (KEY, PATH)
    assert after == before  # nothing else of the record changed
    entries, total = await recorded.database.read(audit.find, thing="recording")
    assert total == 1
    assert (entries[0].action, entries[0].thing_id, entries[0].actor) == ("remove", ID, "token 1")


async def test_a_store_that_is_away_loses_it_later(
    recorded: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blobs = recorded.context.blobs

    async def away(_keys: object) -> None:
        raise BlobsUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "delete", away)
        assert (await recorded.call("DELETE", f"voice/recordings/{ID}"))[0] == 503
    assert (await recorded.call("GET", f"voice/recordings/{ID}"))[0] == 404
    assert await blobs.get(KEY) == WIRE
    keep_all = RetentionOptions(traces_ms=None, recordings_ms=None)
    await Retention(recorded.database, blobs, keep_all, recorded.clock).run()
    with pytest.raises(NotFound):
        await blobs.get(KEY)
    assert await recorded.database.read(recordings.to_erase) == []


async def test_recordings_of_others_are_not_there(recorded: Api) -> None:
    other = await recorded.database.run(accounts.insert, name="other", now=1)
    stranger = await _token(recorded, "other's", account_id=other.id)
    assert (await recorded.call("GET", "voice/recordings", headers=stranger))[1]["data"] == []
    for method, path in (("GET", ID), ("GET", f"{ID}/audio"), ("DELETE", ID), ("GET", "no-such")):
        status, answer = await recorded.call(method, f"voice/recordings/{path}", headers=stranger)
        sentence = f"There is no recording {path.partition('/')[0]}."
        assert (status, answer["message"]) == (404, sentence)
    assert await recorded.context.blobs.get(KEY) == WIRE


async def test_who_only_reads_reports_deletes_nothing(recorded: Api) -> None:
    reader = await _token(recorded, "reader", account_id=recorded.account_id, scopes=[Scope.REPORTS])
    assert (await recorded.call("GET", f"voice/recordings/{ID}", headers=reader))[0] == 200
    assert (await recorded.call("DELETE", f"voice/recordings/{ID}", headers=reader))[0] == 403


async def _call(api: Api) -> dict[str, Any]:
    data: dict[str, Any] = (await api.call("GET", f"voice/calls/{CALL_ID}"))[1]["data"]
    return data


async def _token(api: Api, secret: str, **more: Any) -> dict[str, str]:
    await api.database.run(tokens.insert, name="x", new_secret=lambda: secret, now=1, **more)
    return {"Authorization": f"Bearer {secret}"}
