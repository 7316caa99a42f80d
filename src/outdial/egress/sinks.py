"""Where the body of an answer goes: the first bytes into memory, or all of it into a file."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from outdial.egress.message import Answer

_BUFFER_BYTES = 1024 * 1024


class Sink(Protocol):
    """Takes one body."""

    most_bytes: int
    refuses_more: bool
    """Whether a longer body is an error; otherwise its rest is left."""
    began: bool
    wants_more: bool

    def begin(self, answer: Answer) -> None:
        """Take the head of the answer."""
        ...

    async def write(self, piece: bytes) -> bool:
        """Take a piece; False if that was more than it takes."""
        ...


class HeadSink:
    """The first `most_bytes`, in memory."""

    refuses_more = False

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.began = False
        self.wants_more = True
        self._truncated = False
        self._body = bytearray()

    def begin(self, answer: Answer) -> None:
        """Take the head of the answer."""
        self.began = True
        self.wants_more = answer.headers.get("Content-Length") != "0"

    async def write(self, piece: bytes) -> bool:
        """Keep what there is room for."""
        room = self.most_bytes - len(self._body)
        self._body += piece[:room]
        self._truncated = len(piece) > room
        return not self._truncated

    def complete(self, answer: Answer) -> Answer:
        """Return the answer with its body."""
        return replace(answer, body=bytes(self._body), truncated=self._truncated, size=len(self._body))


class FileSink:
    """All of a 2xx answer, in a file; the disk is written in a thread."""

    refuses_more = True

    def __init__(self, file: Path, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.began = False
        self.wants_more = False
        self._path = file
        self._file: BinaryIO | None = None
        self._buffer = bytearray()
        self._size = 0

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self._path.open, "wb")
        return self

    async def __aexit__(self, failed: object, *_: object) -> None:
        file, self._file = self._file, None
        if file is not None:
            await asyncio.to_thread(file.close)

    def begin(self, answer: Answer) -> None:
        """Take the head of the answer."""
        self.began = True
        self.wants_more = answer.ok

    async def write(self, piece: bytes) -> bool:
        """Write a piece, unless it is too much."""
        self._size += len(piece)
        if self._size > self.most_bytes:
            return False
        self._buffer += piece
        if len(self._buffer) >= _BUFFER_BYTES:
            await self.flush()
        return True

    async def flush(self) -> None:
        """Write what is buffered."""
        if self._file is not None and self._buffer:
            buffer, self._buffer = self._buffer, bytearray()
            await asyncio.to_thread(self._file.write, buffer)

    def complete(self, answer: Answer) -> Answer:
        """Return the answer with the size of the file."""
        return replace(answer, size=self._size)
