"""Local copies of remote objects, the least recently used of which make room for new ones."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SPARED_S = 120.0
"""What was asked for in this time stays, even above the bound: a call may be about to open it."""
_FILL_AGAIN_TO = 0.9


class BlobCache:
    """A folder of copies, about `most_bytes` large. Several processes of a machine may share it.

    When a copy was last asked for is its file's modification time, so that every process knows it.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def find(self, key: str) -> Path | None:
        """Return the copy of an object, None if there is none."""
        path = self._folder / key
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def add(self, key: str, content: bytes) -> Path:
        """Keep a copy and return its file. Raises OSError. Blocks: run it in a thread."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        beside.write_bytes(content)
        beside.replace(path)  # a reader never sees half a file
        with self._lock:
            self._bytes = None if self._bytes is None else self._bytes + len(content)
            if self._bytes is None or self._bytes > self._most_bytes:
                self._make_room()
        return path

    def drop(self, key: str) -> None:
        """Forget an object."""
        (self._folder / key).unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Count what is there, other processes' copies included, and remove the oldest if it is too much."""
        files = sorted(self._files())
        self._bytes = sum(size for _, size, _ in files)
        if self._bytes <= self._most_bytes:
            return
        spared = time.time() - SPARED_S  # noqa: TID251 - compared with times of files, which the system sets
        for used_at, size, path in files:
            if self._bytes <= self._most_bytes * _FILL_AGAIN_TO or used_at > spared:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
                self._bytes -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.rglob("*"):
            with suppress(OSError):  # another process made room meanwhile
                if path.is_file():
                    status = path.stat()
                    yield status.st_mtime, status.st_size, path
