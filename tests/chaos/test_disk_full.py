"""No room for another byte of the database under calls in progress, and then there is room again.

What fills the disk is a bound on the size of files (RLIMIT_FSIZE), set from outside on the running processes:
it needs no file system of its own. The database's log has exactly the size of the bound, everything else of
the system is smaller.
"""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from outdial.domain.call import AttemptState
from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import cdrs
from tests.chaos.ledger import attempt_states
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

ROLES = ("api", "dialer", "webhooks", "media")
TALKING = [f"1202600{number:04}" for number in range(6)]
LATER = "12026010000"
PHONES = "\n".join(
    f"[phones.{each}]\nanswer_after_s = 0.1\nhang_up_after_s = 60" for each in [*TALKING, LATER]
)
SOUND_MS = 4_000
_BALLAST_BYTES = 8 * 1024 * 1024


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, sqlite_url, phones=PHONES, settings={"media.workers": 1}) as running:
        yield running


async def test_calls_go_on_without_room_and_are_written_when_there_is(system: System) -> None:
    server = await system.start()
    sound = await system.add_sound(SOUND_MS)
    with _long_log(system) as size:
        talking = await system.send(TALKING, sound)
        await until(lambda: _answered(system) == len(TALKING), "all calls are up", every_s=0.005)
        _bound_files(system, size())
        form = {"bridge": BRIDGE, "to": LATER, "audio": sound}
        status, answer = await system.request("POST", "outgoing/send", data=form)
        assert (status, answer["message"]) == (
            503,
            "The database cannot be reached just now; try again in a moment.",
        )
        (line,) = server.log("database_unavailable")
        assert "disk I/O error" in line["error"]
        await until(lambda: len(system.heard()) == len(TALKING), "the calls are over for their callees")
        lines = server.log("database_away")
        assert _answered(system) == len(TALKING)  # and nobody could write that
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(system.send([LATER], sound))
            await until(lambda: len(server.log("database_away")) > len(lines), "the request waits for room")
            _bound_files(system, resource.RLIM_INFINITY)
        for number, call_id in talking.items():
            assert (await system.done(call_id))["status"] == "ANSWER", number
    for call_id in talking.values():
        (cdr,) = system.read(cdrs.of_call, call_id)
        assert (cdr.outcome.disposition, cdr.outcome.reason) == (Disposition.ANSWER, EndReason.COMPLETED)
    assert min(heard.packets + heard.lost for heard in system.heard()) >= SOUND_MS // 20
    (later,) = waiting.result().values()
    assert (await system.done(later))["status"] == "ANSWER"
    assert server.log("role_fell") == []
    assert "Traceback" not in server.log_file.read_text()


@contextmanager
def _long_log(system: System) -> Iterator[Callable[[], int]]:
    """Make SQLite's write-ahead log long, and keep it so; yields what tells its size."""
    path = Path(system.database_url.removeprefix("sqlite:///"))
    reader = sqlite3.connect(path, isolation_level=None)
    writer = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM calls").fetchone()  # what it sees must stay in the log
        writer.execute("CREATE TABLE ballast AS SELECT zeroblob(?) AS bytes", (_BALLAST_BYTES,))
        yield lambda: path.with_name(path.name + "-wal").stat().st_size
    finally:
        reader.close()
        writer.execute("DROP TABLE ballast")
        writer.close()


def _bound_files(system: System, size: int) -> None:
    for process in system.processes(*ROLES):
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


def _answered(system: System) -> int:
    return list(system.read(attempt_states, "").values()).count(AttemptState.ANSWERED)
