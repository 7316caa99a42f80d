"""Make a sound playable: decode an upload in a child process and keep its clips.

Decoders for a dozen formats are the largest piece of hostile-input code that this project touches, so they
run in a process that can do nothing but read the one file it is given: see
:mod:`outdial.audio.decode_process`.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from outdial.audio.clip import CODECS, clip_file_name
from outdial.errors import AudioTooLong, UndecodableAudio


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What decoding one upload may cost."""

    max_duration_ms: int = 600_000
    """Longest sound; decoding stops as soon as there is more."""
    memory_bytes: int = 1 << 30
    """Address space of the child (RLIMIT_AS); its libraries alone map about a quarter of the default."""
    cpu_seconds: int = 20
    """Processor time of the child (RLIMIT_CPU)."""
    wall_seconds: float = 60.0
    """Time until the child is killed."""


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """A sound that can be played: its clips lie in the directory that was asked for."""

    duration_ms: int
    container: str
    """The container it came in, in FFmpeg's words: mp3, wav, ogg, mov (which is m4a), flac …"""
    codec: str
    """The codec inside it, in FFmpeg's words: mp3float, opus, aac …"""
    sample_rate: int
    channels: int


async def prepare_sound(source: Path, out_dir: Path, limits: DecodeLimits = DecodeLimits()) -> SoundInfo:
    """Decode ``source`` and write one clip for each codec into ``out_dir``, which is made if it is missing.

    Raises :class:`UndecodableAudio` or :class:`AudioTooLong` with a sentence for the person who uploaded the
    file; then there is no clip in ``out_dir``. :class:`OSError` if ``source`` or ``out_dir`` cannot be
    opened, or a clip cannot be written. When the task is cancelled, the child is killed.
    """
    try:
        status, answer = await _run_child(source, out_dir, limits)
        return _read_answer(status, answer, limits)
    except BaseException:
        for codec in CODECS:
            (out_dir / clip_file_name(codec)).unlink(missing_ok=True)
        raise


async def _run_child(source: Path, out_dir: Path, limits: DecodeLimits) -> tuple[int, bytes]:
    await asyncio.to_thread(out_dir.mkdir, parents=True, exist_ok=True)
    with await asyncio.to_thread(source.open, "rb") as upload:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "outdial.audio.decode_process",
            str(out_dir),
            str(limits.max_duration_ms),
            str(limits.memory_bytes),
            str(limits.cpu_seconds),
            stdin=upload,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_child_environment(),
        )
    try:
        async with asyncio.timeout(limits.wall_seconds):
            answer, _ = await child.communicate()
    except TimeoutError:
        raise UndecodableAudio(
            f"this sound could not be decoded within {limits.wall_seconds:g} seconds; {_ADVICE}"
        ) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return child.returncode or 0, answer


def _read_answer(status: int, answer: bytes, limits: DecodeLimits) -> SoundInfo:
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise UndecodableAudio(
            f"decoding this sound took more than {limits.cpu_seconds} seconds of processor time; {_ADVICE}"
        )
    try:
        fields = json.loads(answer)
    except ValueError:
        raise UndecodableAudio(
            f"the decoder broke down over this file (status {status}); {_ADVICE}"
        ) from None
    match fields.pop("outcome"):
        case "decoded":
            return SoundInfo(**fields)
        case "too_long":
            raise AudioTooLong(fields["message"])
        case "not_written":
            raise OSError(fields["errno"], fields["message"])
        case _:
            raise UndecodableAudio(fields["message"])


def _child_environment() -> dict[str, str]:
    """No secret of ours is in reach of the decoders; numpy's libraries need no threads for this work."""
    kept = {
        name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ
    }
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


_ADVICE = "try to save it again as mp3 or wav"
