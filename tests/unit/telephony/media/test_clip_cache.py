import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.telephony.media.clip_cache import ClipCache, cut


@given(st.binary(max_size=3000), st.sampled_from([10, 20, 30, 40, 50, 60]))
def test_frames_are_the_clip_filled_up_with_silence(clip: bytes, ptime_ms: int) -> None:
    frames = cut(clip, ptime_ms, 0xFF)
    assert {len(frame) for frame in frames} <= {ptime_ms * 8}
    joined = b"".join(frames)
    assert joined[: len(clip)] == clip
    assert joined[len(clip) :] == b"\xff" * (len(joined) - len(clip))


def test_a_clip_is_read_once_for_each_ptime(tmp_path: Path) -> None:
    cache, clip = ClipCache(1 << 20), tmp_path / "a.clip"
    clip.write_bytes(bytes(800))
    frames = cache.frames(str(clip), 20, 0xFF)
    assert cache.frames(str(clip), 20, 0xFF) is frames
    assert len(cache.frames(str(clip), 10, 0xFF)) == 10


def test_a_replaced_file_is_read_anew(tmp_path: Path) -> None:
    cache, clip = ClipCache(1 << 20), tmp_path / "a.clip"
    clip.write_bytes(b"a" * 160)
    cache.frames(str(clip), 20, 0xFF)
    clip.write_bytes(b"b" * 160)
    os.utime(clip, ns=(1, 1))
    assert cache.frames(str(clip), 20, 0xFF) == [b"b" * 160]


def test_the_least_recently_used_clips_go_first(tmp_path: Path) -> None:
    cache = ClipCache(3 * 201)
    paths = [tmp_path / f"{index}.clip" for index in range(4)]
    for path in paths:
        path.write_bytes(bytes(160))
    kept = [cache.frames(str(path), 20, 0xFF) for path in paths[:3]]
    assert cache.frames(str(paths[0]), 20, 0xFF) is kept[0]
    cache.frames(str(paths[3]), 20, 0xFF)
    assert cache.size == 3 * 201
    assert cache.frames(str(paths[0]), 20, 0xFF) is kept[0]
    assert cache.frames(str(paths[1]), 20, 0xFF) is not kept[1]


def test_a_clip_beyond_the_bound_is_kept_alone(tmp_path: Path) -> None:
    cache, clip = ClipCache(10), tmp_path / "a.clip"
    clip.write_bytes(bytes(8000))
    assert cache.frames(str(clip), 20, 0xFF) is cache.frames(str(clip), 20, 0xFF)


def test_an_empty_clip_has_no_frames_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    cache = ClipCache(1 << 20)
    (tmp_path / "empty.clip").touch()
    assert cache.frames(str(tmp_path / "empty.clip"), 20, 0xFF) == []
    with pytest.raises(FileNotFoundError):
        cache.frames(str(tmp_path / "none.clip"), 20, 0xFF)
