"""Sounds and recordings in a store that speaks S3."""

from pathlib import Path
from typing import Any

import pytest
from tests.helpers.http_api import running_api
from tests.helpers.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Server, s3_server
from tests.helpers.written_calls import new_call

from outdial.config import load_settings
from outdial.domain.call import Lease
from outdial.errors import BlobsUnavailable, NotFound
from outdial.storage import calls, recordings
from outdial.storage.blobs import Blobs
from outdial.supervisor.parts import open_blobs

KEY = "sounds/a/PCMA.clip"


def blobs_of(server: S3Server, tmp_path: Path, **changes: Any) -> Blobs:
    settings = load_settings(
        data_dir=tmp_path,
        blobs={
            "url": f"s3://{BUCKET}/here",
            "endpoint": server.endpoint,
            "region": REGION,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            **changes,
        },
    )
    assert SECRET_KEY not in repr(settings)
    return open_blobs(settings)


async def test_objects_go_there_and_come_back(tmp_path: Path) -> None:
    async with s3_server() as server:
        blobs = blobs_of(server, tmp_path)
        await blobs.put(KEY, b"one")
        assert server.objects == {f"/{BUCKET}/here/{KEY}": b"one"}
        assert (await blobs.local_path(KEY)).read_bytes() == b"one"
        file = tmp_path / "spoken"
        file.write_bytes(b"hello")
        await blobs.take("recordings/a.alaw", file)
        assert not file.exists()
        assert await blobs.get("recordings/a.alaw") == b"hello"
        await blobs.delete([KEY, "sounds/none"])
        with pytest.raises(NotFound):
            await blobs.local_path(KEY)
        assert server.refused == 0


async def test_a_recording_is_played_from_there_and_deleted_there(tmp_path: Path) -> None:
    async with s3_server() as server, running_api(tmp_path) as api:
        object.__setattr__(api.context, "blobs", blobs_of(server, tmp_path))
        await api.database.run(calls.insert_calls, [new_call(api, "a:1")])
        lease, key = Lease("a:1", 1, 1, "d"), "recordings/a-1-1.ulaw"
        await api.database.run(recordings.add, lease, key, "PCMU", recorded_at=1, duration_ms=2)
        await api.context.blobs.put(key, bytes(1_000))
        url, part = f"{api.url}/api/v1/voice/recordings/a-1-1/audio", {"Range": "bytes=44-1043"}
        for _ in range(2):  # from the store, from the copy
            async with api.session.get(url, headers=api.bearer | part) as response:
                assert (response.status, len(await response.read())) == (206, 1_000)
                assert response.headers["Content-Range"] == "bytes 44-1043/2044"
        assert (await api.call("DELETE", "voice/recordings/a-1-1"))[0] == 200
        assert server.objects == {}
        with pytest.raises(NotFound):
            await api.context.blobs.local_path(key)


async def test_a_wrong_secret_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    async with s3_server() as server:
        blobs = blobs_of(server, tmp_path, secret_access_key="not-the-secret")
        file = tmp_path / "spoken"
        file.write_bytes(b"hello")
        with pytest.raises(BlobsUnavailable) as raised:
            await blobs.take("a", file)
        assert "not-the-secret" not in str(raised.value)
        assert file.read_bytes() == b"hello"
        assert server.refused > 0
