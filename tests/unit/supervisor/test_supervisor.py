"""Child processes that fall, refuse to start, or refuse to end: real processes, polled with deadlines."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from outdial.supervisor import exit_codes
from outdial.supervisor.backoff import Backoff
from outdial.supervisor.role_process import RoleProcess
from outdial.supervisor.supervisor import Supervisor

_DEADLINE_S = 20.0

OBEDIENT = """
import pathlib, signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as file: file.write(f"end {sys.argv[2]}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
with open(sys.argv[1], "a") as file: file.write(f"start {sys.argv[2]}\\n")
while True: time.sleep(60)
"""
STUBBORN = OBEDIENT.replace("sys.exit(0)", "pass")


def _role(name: str, script: str, journal: Path) -> RoleProcess:
    return RoleProcess(
        name,
        (sys.executable, "-c", script, str(journal), name),
        random=lambda: 0.0,
        backoff=Backoff(first_s=0.01, most_s=0.01),
    )


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    file = tmp_path / "journal"
    file.touch()
    return file


def _lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines()


class _Run:
    """A supervisor that runs beside the test."""

    def __init__(self, roles: list[RoleProcess], drain_s: float = 5.0, echo_s: float = 1_000.0) -> None:
        self.roles = roles
        self.supervisor = Supervisor(roles, drain_s=drain_s, echo_s=echo_s)
        self.task = asyncio.get_running_loop().create_task(self.supervisor.run())

    async def ended(self) -> int:
        async with asyncio.timeout(_DEADLINE_S):
            return await self.task


@pytest.fixture
async def run() -> AsyncIterator[Callable[..., _Run]]:
    runs: list[_Run] = []

    def start(roles: list[RoleProcess], **options: float) -> _Run:
        runs.append(_Run(roles, **options))
        return runs[-1]

    yield start
    for each in runs:
        if not each.task.done():
            os.kill(os.getpid(), signal.SIGTERM)
            await each.ended()


async def test_a_fallen_role_is_started_again_and_others_go_on(
    journal: Path, run: Callable[..., _Run]
) -> None:
    one, two = _role("one", OBEDIENT, journal), _role("two", OBEDIENT, journal)
    run([one, two])
    await _until(lambda: sorted(_lines(journal)) == ["start one", "start two"])
    assert one.process is not None
    first_pid = one.process.pid
    os.kill(first_pid, signal.SIGKILL)
    await _until(lambda: _lines(journal).count("start one") == 2)
    assert one.process.pid != first_pid
    assert two.starts == 1


async def test_a_signal_ends_the_roles_one_after_the_other(journal: Path, run: Callable[..., _Run]) -> None:
    running = run([_role(name, OBEDIENT, journal) for name in ("api", "dialer", "sandbox")])
    await _until(lambda: len(_lines(journal)) == 3)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running.ended() == exit_codes.OK
    assert _lines(journal)[3:] == ["end api", "end dialer", "end sandbox"]


async def test_a_role_that_does_not_end_is_killed_when_the_drain_is_over(
    journal: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., _Run]
) -> None:
    monkeypatch.setattr("outdial.supervisor.supervisor._KILL_MARGIN_S", 0.2)
    running = run([_role("stubborn", STUBBORN, journal)], drain_s=0.0)
    await _until(lambda: len(_lines(journal)) == 1)
    os.kill(os.getpid(), signal.SIGINT)
    assert await running.ended() == exit_codes.OK
    assert _lines(journal) == ["start stubborn", "end stubborn"]


async def test_a_second_signal_ends_everything_at_once(journal: Path, run: Callable[..., _Run]) -> None:
    running = run([_role("stubborn", STUBBORN, journal)], drain_s=1_000.0, echo_s=0.0)
    await _until(lambda: len(_lines(journal)) == 1)
    os.kill(os.getpid(), signal.SIGTERM)
    await _until(lambda: len(_lines(journal)) == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running.ended() == exit_codes.OK


async def test_the_echo_of_a_signal_does_not_cut_the_drain_short(
    journal: Path, run: Callable[..., _Run]
) -> None:
    running = run([_role("one", OBEDIENT, journal), _role("two", OBEDIENT, journal)])
    await _until(lambda: len(_lines(journal)) == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    assert await running.ended() == exit_codes.OK
    assert _lines(journal)[2:] == ["end one", "end two"]


async def test_a_wrong_setting_at_the_first_start_ends_the_server(
    journal: Path, run: Callable[..., _Run]
) -> None:
    wrong = _role("wrong", f"raise SystemExit({exit_codes.CONFIGURATION})", journal)
    running = run([_role("right", OBEDIENT, journal), wrong])
    assert await running.ended() == exit_codes.CONFIGURATION
    assert wrong.starts == 1
    assert all(role.process is None or role.process.returncode is not None for role in running.roles)


async def test_a_role_that_falls_again_and_again_is_tried_again_and_again(
    journal: Path, run: Callable[..., _Run]
) -> None:
    falling = _role("falling", "raise SystemExit(1)", journal)
    run([falling])
    await _until(lambda: falling.starts >= 3)


async def test_a_process_that_cannot_be_started_is_tried_again_and_the_others_go_on(
    tmp_path: Path, journal: Path
) -> None:
    missing = tmp_path / "interpreter"
    waits: list[float] = []

    def wait() -> float:
        waits.append(0.0)
        return 0.0

    role = RoleProcess(
        "late",
        (str(missing), "-c", OBEDIENT, str(journal), "late"),
        random=wait,
        backoff=Backoff(first_s=0.01, most_s=0.01),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(role.keep_running())
        await _until(lambda: len(waits) > 1)
        missing.symlink_to(sys.executable)
        await _until(lambda: _lines(journal) == ["start late"])
        await role.end(grace_s=_DEADLINE_S)
    assert _lines(journal) == ["start late", "end late"]
