"""What a phone knows after a call: one line of JSON, and a wav file of what it heard."""

import json
import re
import wave
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.wire import decode_wire

HEARD_FILE = "heard.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One line of ``heard.jsonl``: one call, as the phone saw it. Milliseconds count from the phone's 200."""

    number: str
    """The number that was dialled."""
    caller: str
    """The user of the From header."""
    call_id: str
    """The SIP Call-ID."""
    outcome: str
    """answered, refused, cancelled, incompatible, or unacknowledged (no ACK came to the 200)."""
    code: int | None = None
    """The status of a refusal."""
    invited_at: int
    """Unix milliseconds."""
    answered_after_ms: int | None = None
    """From the INVITE to the 200."""
    ended_by: str | None = None
    """caller, phone, or network (the session expired, or the dialog was lost)."""
    duration_ms: int | None = None
    """From the 200 to the end."""
    codec: str | None = None
    """What was agreed on first: the codec of the wav file's source."""
    ptime_ms: int | None = None
    """Audio in each packet that arrived, as of the last one."""
    digits: str = ""
    """Keys that the caller pressed."""
    packets: int = 0
    """RTP packets that arrived."""
    lost: int = 0
    """RTP packets that did not (RFC 3550)."""
    jitter_ms: float = 0.0
    """Interarrival jitter at the end (RFC 3550)."""
    first_packet_ms: int | None = None
    """When the first RTP packet arrived."""
    first_sound_ms: int | None = None
    """When the first packet arrived that held more than silence."""
    packets_sent: int = 0
    """RTP packets that the phone sent."""
    round_trip_ms: float | None = None
    """By RTCP; unset when no report came back."""
    recording: str | None = None
    """Name of the wav file beside heard.jsonl; it starts with the first packet."""


def read_heard(recordings_dir: Path) -> Iterator[Heard]:
    """Every call in ``recordings_dir``, in the order in which they ended; nothing if there was none."""
    path = recordings_dir / HEARD_FILE
    if path.exists():
        with path.open() as lines:
            for line in lines:
                yield Heard(**json.loads(line))


class Recorder:
    """Writes the lines and wav files, one after the other, in a thread: the phones' packets do not wait."""

    def __init__(self, recordings_dir: Path, keep_recordings: int) -> None:
        """Make the folder if it is missing; of the wav files in it ``keep_recordings`` stay, the newest."""
        self._dir = recordings_dir
        self._keep = keep_recordings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-recorder")
        recordings_dir.mkdir(parents=True, exist_ok=True)
        self._kept = deque(sorted(recordings_dir.glob("*.wav"), key=lambda path: path.stat().st_mtime))

    def write(self, heard: Heard, audio: bytes) -> None:
        """Queue one call; ``audio`` is what it heard, as wire bytes of ``heard.codec``, empty for none."""
        self._thread.submit(self._write, heard, audio)

    def close(self) -> None:
        """Return when everything has been written."""
        self._thread.shutdown()

    def _write(self, heard: Heard, audio: bytes) -> None:
        if audio and heard.codec is not None:
            name = f"{heard.number}-{re.sub(r'[^A-Za-z0-9._-]', '_', heard.call_id)[:100]}.wav"
            with wave.open(str(self._dir / name), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATES[heard.codec])
                file.writeframes(decode_wire(audio, heard.codec).astype("<i2").tobytes())
            heard = replace(heard, recording=name)
            self._kept.append(self._dir / name)
            while len(self._kept) > self._keep:
                self._kept.popleft().unlink(missing_ok=True)
        # The line comes last: who reads it finds the file complete.
        with (self._dir / HEARD_FILE).open("a") as lines:
            lines.write(json.dumps(asdict(heard)) + "\n")
