"""What the kernel says about a process, and how late its event loop is."""

import asyncio
import os
import resource
from collections.abc import Iterable
from pathlib import Path

from outdial.telemetry import metrics

_LOOK_S = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def note_process(data_dir: Path) -> None:
    """Bring the figures of this process, and of the disk it writes to, up to date."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.PROCESS_CPU.take(usage.ru_utime + usage.ru_stime)
    metrics.PROCESS_MEMORY.set(resident_bytes([os.getpid()]))
    metrics.PROCESS_FILES.set(sum(1 for _ in Path("/proc/self/fd").iterdir()))
    metrics.PROCESS_FILES_LIMIT.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    try:
        disk = os.statvfs(data_dir)
    except OSError:
        return
    metrics.DISK_FREE.set(disk.f_bavail * disk.f_frsize)
    metrics.DISK_SIZE.set(disk.f_blocks * disk.f_frsize)


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory in RAM of these processes together; those that are gone count nothing."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return pages * _PAGE


def started_at() -> float:
    """When this process was started, Unix seconds."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    boot = next(
        int(line.split()[1])
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()
        if line.startswith("btime")
    )
    return boot + int(fields[19]) / _TICKS


async def watch_loop() -> None:
    """Measure how late this event loop is, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due_at = loop.time() + _LOOK_S
        await asyncio.sleep(_LOOK_S)
        metrics.LOOP_LAG.observe(max(0.0, loop.time() - due_at))
