"""What processes cost, from /proc: CPU seconds and memory that is really theirs."""

import contextlib
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process of a tree, named by what it does in the server."""

    pid: int
    name: str


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Let processes that start inside have as many open files as the machine allows: a call has two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of all threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def pss_kb(pid: int) -> int:
    """Proportional set size: private memory, and its share of what several processes map."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss of process {pid}")


def tree(root: int) -> list[Process]:
    """A server's process and all its descendants."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return [Process(pid, _name(pid)) for pid in found]


def _name(pid: int) -> str:
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    if "--role" in arguments:
        return arguments[arguments.index("--role") + 1]
    if "outdial.telephony.media.worker" in arguments:
        return "media worker"
    return "supervisor" if "serve" in arguments else arguments[0].rpartition("/")[2]
