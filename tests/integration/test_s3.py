"""Sounds and recordings in a store that speaks S3."""

from pathlib import Path
from typing import Any

import pytest
from tests.helpers.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Server, s3_server

from outdial.config import load_settings
from outdial.errors import BlobsUnavailable, NotFound
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
