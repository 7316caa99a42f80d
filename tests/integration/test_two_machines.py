"""Two machines with a data folder each, one PostgreSQL and one object store: an API here, dialers on both."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.chaos.ledger import read_ledger
from tests.helpers.poll import until
from tests.helpers.processes import kill
from tests.helpers.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Server, s3_server
from tests.helpers.system import System
from tests.unit.api.test_voice_sounds import _wav

from outdial.audio.clip import CODECS
from outdial.domain.disposition import Disposition, EndReason

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

AT_ONCE = 4
NUMBERS = [f"1202600{number:04}" for number in range(24)]
LONG = [f"1202601{number:04}" for number in range(2 * AT_ONCE)]
PHONES = "\n".join(
    f"[phones.{number}]\nanswer_after_s = 0.1\nhang_up_after_s = {60 if number in LONG else 5}"
    for number in [*NUMBERS, *LONG]
)


@pytest.fixture
async def store() -> AsyncIterator[S3Server]:
    async with s3_server() as running:
        yield running


@pytest.fixture
async def machines(
    tmp_path: Path, postgres_url: str, store: S3Server
) -> AsyncIterator[tuple[System, System]]:
    """Both with all roles that they shall have: the first one with the API and the phone network."""
    settings = {
        "blobs.url": f"s3://{BUCKET}/shared",
        "blobs.endpoint": store.endpoint,
        "blobs.region": REGION,
        "blobs.access_key_id": ACCESS_KEY,
        "blobs.secret_access_key": SECRET_KEY,
        "dispatch.max_concurrent": AT_ONCE,
        "dispatch.lease_seconds": 3,
        "dispatch.record": True,
        "media.workers": 1,
    }
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        folder.mkdir()
    first, second = (System(folder, postgres_url, phones=PHONES, settings=settings) for folder in folders)
    try:
        await first.prepare()
        second._token = first._token
        for role in ("sandbox", "api", "dialer"):
            first.serve("--role", role)
        second.serve("--role", "dialer")
        for machine in (first, second):
            await until(machine.registered_dialers, "its dialer has a lease")
        await until(first.healthy, "the API answers")
        yield first, second
    finally:
        await second.close()
        await first.close()


async def _upload(machine: System, seconds: float) -> str:
    form = aiohttp.FormData()
    form.add_field("audio", _wav(seconds), filename="hello.wav")
    status, answer = await machine.request("POST", "voice/sounds", data=form)
    assert status == 200, answer
    sound_id: str = answer["data"]["id"]
    return sound_id


async def test_both_take_calls_and_one_clears_up_after_the_other(
    machines: tuple[System, System], store: S3Server
) -> None:
    first, second = machines
    sound = await _upload(first, 0.5)
    assert {path for path in store.objects if sound in path} == {
        *(f"/{BUCKET}/shared/sounds/{sound}/{codec}.clip" for codec in CODECS),
        f"/{BUCKET}/shared/sounds/{sound}/source",
    }
    sent = await first.send(NUMBERS, sound, name="both")
    rows = [await first.done(call_id) for call_id in sent.values()]
    assert {row["status"] for row in rows} == {"ANSWER"}
    assert sorted(heard.number for heard in first.heard()) == NUMBERS
    assert set(_dialers(first, "both")) == _ids(first) | _ids(second)
    assert len(_ids(first) | _ids(second)) == 2
    for machine in machines:  # each has fetched the sound for itself
        assert any(sound in str(path) for path in (machine.data_dir / "cache").rglob("*"))
    # Where a call was made decides nothing about its recording: all of them are in the store.
    await until(
        lambda: sum("/recordings/" in path for path in store.objects) == len(NUMBERS), "all are stored"
    )

    await first.send(LONG, await _upload(first, 20), name="lost")
    (lost,) = _ids(second)
    await until(lambda: _dialers(first, "lost")[lost] == AT_ONCE, "the second machine is busy")
    await until(lambda: len(_answered(first, "lost")) == len(LONG), "everybody has answered")
    for process in second.processes():
        await kill(process.pid)

    def interrupted() -> list[Disposition]:
        cdrs = [cdr for entry in first.read(read_ledger, "lost").values() for cdr in entry.cdrs]
        assert all(cdr.dialer_id == lost for cdr in cdrs if cdr.outcome.reason is EndReason.INTERRUPTED)
        return [cdr.outcome.disposition for cdr in cdrs if cdr.outcome.reason is EndReason.INTERRUPTED]

    await until(lambda: len(interrupted()) == AT_ONCE, "the first machine has cleared up")
    assert interrupted() == [Disposition.ANSWER] * AT_ONCE
    again = (await first.send([NUMBERS[0]], sound)).values()
    assert [(await first.done(each))["status"] for each in again] == ["ANSWER"]


def _ids(machine: System) -> set[str]:
    return set(machine.registered_dialers().values())


def _dialers(machine: System, campaign: str) -> Counter[str]:
    """How many attempts each dialer has made."""
    entries = machine.read(read_ledger, campaign).values()
    return Counter(attempt.dialer_id for entry in entries for attempt in entry.attempts)


def _answered(machine: System, campaign: str) -> list[str]:
    entries = machine.read(read_ledger, campaign).values()
    return [entry.call.to for entry in entries if any(each.answered_at for each in entry.attempts)]
