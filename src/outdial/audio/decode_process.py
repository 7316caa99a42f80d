"""The child that decodes one upload. Its arguments: OUT_DIR MAX_MS MEMORY_BYTES CPU_SECONDS.

The upload is standard input, a regular file. One JSON object goes to standard output: its ``outcome`` is
``decoded``, with the fields of :class:`outdial.audio.decode.SoundInfo`, or ``undecodable``, ``too_long`` or
``not_written``, with a ``message``.

What keeps a hostile file harmless, from the outside in:

- the child has no secret in its environment and is killed after the wall time;
- RLIMIT_CPU and RLIMIT_AS bound what it takes, RLIMIT_FSIZE what it writes;
- RLIMIT_NOFILE is 0 once the clips are open, so that no demuxer can open another file or a socket;
- the container is chosen by :mod:`outdial.audio.sniff`, never guessed by FFmpeg, so that playlists are out of
reach; - FFmpeg may use no protocol, no other container and none but the codecs listed here;
- decoding stops at the duration limit, so that an hour of silence in a few kilobytes costs what the limit
costs.
"""

import contextlib
import io
import json
import resource
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from outdial.audio.clip import BYTES_PER_MS, CODECS, SAMPLE_RATES, clip_file_name
from outdial.audio.pcm_reader import PcmReader
from outdial.audio.sniff import describe, sniff_container
from outdial.audio.wire import Pcm, encode_clip
from outdial.errors import AudioError, AudioTooLong, UndecodableAudio

_HEAD_BYTES = 64 * 1024
_ACCEPTED = "upload mp3, wav, ogg, m4a or flac"


def main(arguments: list[str]) -> None:
    """Decode standard input into the directory of the first argument; the outcome is printed, never the exit
    status."""
    out_dir, max_ms, memory_bytes, cpu_seconds = Path(arguments[0]), *map(int, arguments[1:4])
    clips = {codec: (out_dir / clip_file_name(codec)).open("wb") for codec in CODECS}
    with open(0, "rb", buffering=0) as upload:
        _rehearse()
        _confine(memory_bytes, cpu_seconds, max_ms * BYTES_PER_MS + 4_096)
        answer = _decode(upload, clips, max_ms)
    sys.stdout.write(json.dumps(answer))


def _rehearse() -> None:
    """Decode a moment of silence and a broken file, so that lazy imports happen while they can."""
    moment = io.BytesIO()
    with wave.open(moment, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(320))
    for content in (moment.getvalue(), b"RIFF"):
        with contextlib.suppress(UndecodableAudio), PcmReader(io.BytesIO(content), "wav") as reader:
            for rate, pcm in reader.read_all(1_000, (8_000, 16_000)).items():
                encode_clip(pcm, "G722" if rate == 16_000 else "PCMU")


def _confine(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _decode(upload: BinaryIO, clips: Mapping[str, BinaryIO], max_ms: int) -> dict[str, object]:
    try:
        head = upload.read(_HEAD_BYTES)
        container = sniff_container(head)
        if container is None:
            raise UndecodableAudio(_not_audio(head))
        upload.seek(0)
        with PcmReader(upload, container) as reader:
            pcm = reader.read_all(max_ms, (8_000, 16_000))
            duration_ms = max(-(-len(samples) * 1_000 // rate) for rate, samples in pcm.items())
            for codec, clip in clips.items():
                data = encode_clip(_padded(pcm[SAMPLE_RATES[codec]], SAMPLE_RATES[codec], duration_ms), codec)
                try:
                    clip.write(data)
                    clip.close()
                except OSError as error:  # the disk's fault, not that of the sound
                    return {"outcome": "not_written", "errno": error.errno, "message": str(error)}
            return {"outcome": "decoded", "duration_ms": duration_ms, **reader.describe()}
    except AudioTooLong as error:
        return {"outcome": "too_long", "message": str(error)}
    except AudioError as error:
        return {"outcome": "undecodable", "message": str(error)}
    except MemoryError:
        return {
            "outcome": "undecodable",
            "message": f"decoding this sound takes too much memory; {_ACCEPTED}",
        }


def _padded(pcm: Pcm, rate: int, duration_ms: int) -> Pcm:
    """Silence up to the whole millisecond, so that the clips of a sound are of one size."""
    return np.pad(pcm, (0, duration_ms * rate // 1_000 - len(pcm)))


def _not_audio(head: bytes) -> str:
    if not head:
        return f"this file is empty; {_ACCEPTED}"
    return f"this is not audio that can be decoded (the file starts like {describe(head)}); {_ACCEPTED}"


if __name__ == "__main__":
    main(sys.argv[1:])
