import os
import uuid
from pathlib import Path

import pytest

from outdial.config import load_settings
from outdial.supervisor.parts import UuidSource, open_blobs, sweep_old_uploads


def test_uuids_are_random_version_4_and_never_come_twice() -> None:
    source = UuidSource()
    found = [source() for _ in range(1_000)]
    assert len(set(found)) == 1_000
    assert {uuid.UUID(each).version for each in found} == {4}
    assert all(str(uuid.UUID(each)) == each for each in found)


def test_only_old_uploads_are_swept(tmp_path: Path) -> None:
    for name, age_s in (("old", 4_000), ("new", 10)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "source").write_text("x")
        os.utime(tmp_path / name, (100_000 - age_s, 100_000 - age_s))
    sweep_old_uploads(tmp_path, now_s=100_000)
    assert [each.name for each in tmp_path.iterdir()] == ["new"]
    sweep_old_uploads(tmp_path / "missing", now_s=100_000)


async def test_blobs_are_in_the_data_folder_or_where_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await open_blobs(load_settings()).put("a", b"1")
    assert (tmp_path / "data" / "blobs" / "a").read_bytes() == b"1"
    await open_blobs(load_settings(blobs={"url": f"file://{tmp_path}/elsewhere"})).put("a", b"2")
    assert (tmp_path / "elsewhere" / "a").read_bytes() == b"2"
    open_blobs(load_settings(blobs={"url": "s3://bucket/prefix"}))
