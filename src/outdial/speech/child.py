"""A process that speaks: bounded in time, memory and output, without our secrets, killed with its task."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from outdial.errors import SpeechFailed, SpeechUnavailable

_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR")
_COMPLAINT_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one text may cost."""

    wall_s: float = 20.0
    cpu_s: int = 20
    memory_bytes: int = 1 << 30
    """Address space."""
    file_bytes: int = 64 * 1024 * 1024
    """Of any file that it writes: 20 minutes of 24 kHz."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended."""

    status: int
    complaint: str
    """The end of what it wrote to standard error."""

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return self.status == 0


async def run_child(command: Sequence[str], stdin: bytes, *, engine: str, limits: ChildLimits) -> Finished:
    """Run `command`, whose first word is a path or is found on PATH, with `stdin` as its standard input.

    Raises SpeechUnavailable if there is no such program, SpeechFailed if it took too long.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
    except FileNotFoundError:
        raise SpeechUnavailable(f"The speech engine {engine} is not installed on this machine.") from None
    _confine(child.pid, limits)
    try:
        async with asyncio.timeout(limits.wall_s):
            _, complaint = await child.communicate(stdin)
    except TimeoutError:
        raise SpeechFailed(
            f"The speech engine {engine} did not say the text within {limits.wall_s:g} seconds."
        ) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    status = child.returncode or 0
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise SpeechFailed(f"The speech engine {engine} took more than it may to say the text.")
    return Finished(status, complaint[-_COMPLAINT_BYTES:].decode(errors="replace").strip())


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours with this interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _confine(pid: int, limits: ChildLimits) -> None:
    """From outside, so that programs that are not ours are bounded too; none can do harm before its input."""
    for kind, limit in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.prlimit(pid, kind, (limit, limit))
        except ProcessLookupError:
            return


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
