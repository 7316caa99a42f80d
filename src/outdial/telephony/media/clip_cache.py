"""Clips in memory, cut into frames once and shared by every stream that plays them."""

import os
from collections import OrderedDict
from pathlib import Path

BYTES_PER_MS = 8
"""Of PCMU, PCMA and G.722 alike (64 kbit/s)."""
_OBJECT_OVERHEAD = 41
"""Bytes that a frame costs beside its payload: the object's header and its place in the list."""

_Key = tuple[str, int, int, int]


class ClipCache:
    """Least recently used clips go when their frames outgrow ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._clips: OrderedDict[_Key, list[bytes]] = OrderedDict()
        self.size = 0
        """Bytes in memory."""

    def frames(self, path: str, ptime_ms: int, silence: int) -> list[bytes]:
        """The frames of a clip file, the last one filled up with the byte ``silence``.

        Raises :class:`OSError` if the file cannot be read. A file that was replaced is read anew. The list is
        shared: do not change it.
        """
        status = os.stat(path)  # noqa: PTH116 - a Path costs more than the call itself
        key = (path, ptime_ms, status.st_mtime_ns, status.st_size)
        frames = self._clips.get(key)
        if frames is not None:
            self._clips.move_to_end(key)
            return frames
        frames = cut(Path(path).read_bytes(), ptime_ms, silence)
        self._clips[key] = frames
        self.size += _cost(frames)
        while self.size > self._limit and len(self._clips) > 1:
            _, oldest = self._clips.popitem(last=False)
            self.size -= _cost(oldest)
        return frames


def cut(clip: bytes, ptime_ms: int, silence: int) -> list[bytes]:
    """Frames of ``ptime_ms``; a short last one is filled up."""
    size = ptime_ms * BYTES_PER_MS
    frames = [clip[start : start + size] for start in range(0, len(clip), size)]
    if frames:
        frames[-1] = frames[-1].ljust(size, bytes((silence,)))
    return frames


def _cost(frames: list[bytes]) -> int:
    return len(frames) * (len(frames[0]) + _OBJECT_OVERHEAD) if frames else _OBJECT_OVERHEAD
