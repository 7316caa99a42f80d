"""The inbound side of a leg as a file: the codec's wire bytes, readable at any moment.

The file grows by whole packets in timestamp order, and is handed to the kernel at least each second, so that
a SIGKILL of the worker loses at most the last second. Its name ends in the codec (``EXTENSIONS``), because
wire bytes do not tell it; the attempt's record names it too.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from outdial.rtp.timeline import Timeline

FLUSH_INTERVAL_S = 0.5
EXTENSIONS = {"PCMU": ".ulaw", "PCMA": ".alaw", "G722": ".g722"}


class Recording:
    """One leg's file; raises :class:`OSError` from the constructor if it cannot be made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("wb", buffering=64 * 1024)
        self._timeline: Timeline | None = None
        self._heard_at = 0.0
        self.written = 0
        """Bytes so far; of a file that could not be completed, what is on the disk."""
        self.problem: str | None = None
        """What the disk said, once it has refused; the recording ends there and the call goes on."""

    def receive(self, ssrc: int, timestamp: int, payload: bytes, silence: int, now: float) -> None:
        """Take a packet of audio."""
        if self._timeline is None:
            self._timeline = Timeline(bytes((silence,)))
        self._heard_at = now
        self._write(self._timeline.receive(ssrc, timestamp, payload, now))

    def flush(self, now: float) -> None:
        """Hand everything to the kernel that need not wait for a late packet any more."""
        if self._timeline is not None and now - self._heard_at >= FLUSH_INTERVAL_S:
            self._write(self._timeline.flush())
        self._write(b"", flush=True)

    def close(self) -> None:
        """Write what is held and close the file."""
        if self._timeline is not None:
            self._write(self._timeline.flush())
        self._write(b"", flush=True)
        with suppress(OSError):  # of what it refused already
            self._file.close()

    def _write(self, data: bytes, *, flush: bool = False) -> None:
        if self.problem is not None:
            return
        try:
            if data:
                self._file.write(data)
                self.written += len(data)
            if flush:
                self._file.flush()
        except OSError as error:
            self.problem = error.strerror or str(error)
            self.written = os.fstat(self._file.fileno()).st_size
