"""A backup of a running server, restored elsewhere: it knows everything, and calls nobody a second time."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.chaos.ledger import attempt_states
from tests.helpers.poll import until
from tests.helpers.system import System
from tests.postgres import Cluster

from outdial.domain.call import AttemptState

pytestmark = pytest.mark.timeout(180)

ANSWERS, BUSY, TALKS = "12025550100", "12025550102", "12026000000"
LEASE = {"dispatch.lease_seconds": 3}
PHONES = f"[phones.{TALKS}]\nanswer_after_s = 0.1\nhang_up_after_s = 60"


def command(system: System, *arguments: str) -> tuple[int, str, str]:
    """Run `outdial` on the settings of a system: status, output, errors."""
    done = subprocess.run(
        [sys.executable, "-m", "outdial", *arguments],
        env=system.environment(),
        cwd=system.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
async def system(tmp_path: Path, database_url: str) -> AsyncIterator[System]:
    async with System(tmp_path, database_url, phones=PHONES, settings=LEASE) as running:
        yield running


@pytest.fixture
async def other(tmp_path: Path, system: System, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    """Another machine, with nothing on it."""
    folder = tmp_path / "other"
    folder.mkdir()
    url = f"sqlite:///{folder / 'data' / 'outdial.db'}"
    if not system.database_url.startswith("sqlite"):
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        cluster.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        cluster.execute("CREATE DATABASE restored")
        url = cluster.url("restored")
    running = System(folder, url, phones=PHONES, settings=LEASE)
    running._token = system._token
    yield running
    await running.close()


async def test_a_restored_server_knows_its_past_and_calls_nobody_again(
    system: System, other: System, tmp_path: Path
) -> None:
    server = await system.start()
    short, long = await system.add_sound(200), await system.add_sound(20_000)
    (answered,) = (await system.send([ANSWERS], short)).values()
    before = await system.done(answered)
    (waiting,) = (await system.send([BUSY], short, interval=60)).values()
    (talking,) = (await system.send([TALKS], long)).values()

    async def is_so() -> bool:
        busy, talk = await system.callstatus(waiting), await system.callstatus(talking)
        return (busy["status"], talk["state"]) == ("BUSY", "leased") and _answered(system) == 1

    await until(is_so, "one call waits for its retry, one is up")
    file = tmp_path / "backup.tar.gz"
    status, out, err = command(system, "backup", str(file), "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["blobs"] == 6
    assert file.stat().st_mode & 0o777 == 0o600
    status, _, err = command(system, "backup", str(file))
    assert (status, "never replaces another one" in err) == (2, True)
    await server.kill()

    status, out, err = command(other, "restore", str(file), "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["open"] == 2
    status, _, err = command(other, "restore", str(file))
    assert (status, "into an empty one only" in err) == (2, True)

    await other.start()
    assert await other.callstatus(answered) == before
    sounds = (await other.request("GET", "voice/sounds"))[1]["data"]
    assert {each["id"] for each in sounds} == {short, long}
    row = await other.callstatus(waiting)
    assert (row["state"], row["status"], len(row["attempts"])) == ("queued", "BUSY", 1)
    assert (await other.done(talking))["attempts"][0]["reason"] == "interrupted"
    # Everything that is dialled from now on is new: the sound is played, and only to whom we call now.
    (again,) = (await other.send([ANSWERS], short)).values()
    assert (await other.done(again))["status"] == "ANSWER"
    assert [heard.number for heard in other.heard()] == [ANSWERS]


async def test_what_waits_can_be_cancelled_with_the_restore(
    system: System, other: System, tmp_path: Path
) -> None:
    (waiting,) = (await _send_without_dialer(system)).values()
    file = tmp_path / "backup.tar"
    assert command(system, "backup", str(file))[0] == 0
    status, out, _ = command(other, "restore", str(file), "--cancel-open")
    assert (status, "1 calls that were not over are cancelled" in out) == (0, True)
    await other.start()
    assert (await other.callstatus(waiting))["status"] == "CANCEL"
    assert other.heard() == []


async def test_what_is_no_backup_changes_nothing(other: System) -> None:
    file = other.folder / "backup.tar"
    file.write_bytes(b"no tar")
    status, _, err = command(other, "restore", str(file))
    assert (status, "is not a complete backup of Outdial" in err) == (2, True), err
    assert not (other.data_dir / "blobs").exists()


async def _send_without_dialer(system: System) -> dict[str, str]:
    server = system.serve("--role", "api")

    async def lives() -> bool:
        return bool(server.log("api_listening"))

    await until(lives, "the API listens")
    sent = await system.send([ANSWERS], await system.add_sound(200))
    await server.stop()
    return sent


def _answered(system: System) -> int:
    return list(system.read(attempt_states, "").values()).count(AttemptState.ANSWERED)
