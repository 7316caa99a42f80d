"""The processes of one Outdial system, found in /proc by the data folder in their environment.

Also orphans are found that way, which is what a test of crashes is after; nothing else is ever touched.
"""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.poll import until


@dataclass(frozen=True)
class Process:
    """A running process; zombies do not count."""

    pid: int
    parent: int
    role: str
    """`supervisor`, a role of `outdial serve`, `media` for a media worker, or `other`."""


def processes_of(data_dir: Path) -> list[Process]:
    """Every process that was started with this OUTDIAL_DATA_DIR, in the order of their pids."""
    wanted = b"OUTDIAL_DATA_DIR=" + os.fsencode(data_dir)
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):  # it ended while we looked
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().decode().split("\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found.append(Process(int(folder.name), parent, _role(command)))
    return sorted(found, key=lambda process: process.pid)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


async def kill(pid: int) -> None:
    """End a process at once (SIGKILL), and return when it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await gone(pid)


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    await until(lambda: not is_running(pid), f"process {pid} ends", every_s=0.002)


def _role(command: list[str]) -> str:
    if "outdial.telephony.media.worker" in command:
        return "media"
    if "--role" in command:
        return command[command.index("--role") + 1]
    return "supervisor" if "serve" in command else "other"
