"""A message: what a caller says between a beep and a key, a pause or a limit, in a file of its own."""

from pathlib import Path

from outdial.telephony.media.clip_cache import BYTES_PER_MS
from outdial.telephony.media.g711_mix import LAWS, SILENT_LEVEL, level
from outdial.telephony.media.recording import Recording


class Message:
    """A recording that knows how long it is and since when nobody speaks.

    Raises :class:`OSError` from the constructor if the file cannot be made. The file is written as a
    recording is, so a crash loses its last second at most.
    """

    def __init__(self, message_id: str, path: Path, codec: str, began_at: float) -> None:
        self.message_id = message_id
        self.codec = codec
        self._recording = Recording(path)
        self.spoken_at = began_at
        """When somebody was last heard to speak; of a codec that cannot tell, when a packet last came."""

    @property
    def problem(self) -> str | None:
        """What the disk said, once it has refused."""
        return self._recording.problem

    @property
    def duration_ms(self) -> int:
        """Of what has been written."""
        return self._recording.written // BYTES_PER_MS

    def receive(self, ssrc: int, timestamp: int, payload: bytes, silence: int, now: float) -> None:
        """See :class:`Listener`."""
        if payload and (self.codec not in LAWS or level(payload, self.codec) > SILENT_LEVEL):
            self.spoken_at = now
        self._recording.receive(ssrc, timestamp, payload, silence, now)

    def flush(self, now: float) -> None:
        """Hand what has come to the kernel."""
        self._recording.flush(now)

    def close(self) -> None:
        """Write what is held and close the file."""
        self._recording.close()
