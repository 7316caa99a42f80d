"""The clock of the machine is set forward and back by an hour under calls in progress."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.chaos.ledger import attempt_states
from tests.helpers.endpoint import Endpoint, endpoint
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System

from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import cdrs

pytestmark = pytest.mark.timeout(180)

HOUR_S = 3600
SOUND_MS = 4_000
LEASE_S = 6
"""A dialer looks at its lease three times in it, so within each call; and a busy machine starts within it."""
NUMBERS = [f"1202600{number:04}" for number in range(20)]
PHONES = "\n".join(f"[phones.{each}]\nanswer_after_s = 0.1\nhang_up_after_s = 60" for each in NUMBERS)
_CLOCK = """
import pathlib, time

_real, _offset_s = time.time_ns, pathlib.Path({path!r})
time.time_ns = lambda: _real() + int(_offset_s.read_text()) * 1_000_000_000
"""
"""The wall clock of every process of the system, as Python's `sitecustomize`: the monotonic one goes on."""


class Clock:
    """How far the clock of the system is from ours."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.folder = folder / "clock"
        self.folder.mkdir()
        (self.folder / "sitecustomize.py").write_text(_CLOCK.format(path=str(self._file)))
        self.set(0)

    def set(self, offset_s: int) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(str(offset_s))
        part.rename(self._file)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(made.folder))
    return made


@pytest.fixture
async def system(tmp_path: Path, clock: Clock, database_url: str) -> AsyncIterator[System]:
    settings = {
        "egress.allow": '["127.0.0.2"]',
        "dispatch.lease_seconds": LEASE_S,
        "media.workers": 1,
    }
    async with System(tmp_path, database_url, phones=PHONES, settings=settings) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


async def test_calls_go_on_and_new_ones_are_made(system: System, clock: Clock, receiver: Endpoint) -> None:
    server = await system.start()
    form = {"name": "clock", "uri": receiver.url}
    webhook = (await system.request("POST", "developer/webhooks", data=form))[1]["data"]["id"]
    sound = await system.add_sound(SOUND_MS)
    numbers = iter(NUMBERS)
    sent: list[str] = []
    for offset_s in (HOUR_S, -HOUR_S, 0):
        some = [next(numbers) for _ in range(4)]
        sent += await _talking(system, some, sound, webhook)
        clock.set(offset_s)
        for call_id in sent:
            assert (await system.done(call_id))["status"] == "ANSWER"
        # What waits for a time of the day, waits for it by the clock as it is then: so nothing waits here.
        await receiver.has(len(sent))

    assert sorted(heard.number for heard in system.heard()) == sorted(NUMBERS[: len(sent)])
    for heard in system.heard():
        assert (heard.ended_by, heard.packets + heard.lost >= SOUND_MS // 20) == ("caller", True)
    for call_id in sent:
        (cdr,) = system.read(cdrs.of_call, call_id)
        outcome = cdr.outcome
        assert (outcome.disposition, outcome.reason) == (Disposition.ANSWER, EndReason.COMPLETED)
        assert 0 <= outcome.talk_ms < 60_000
        assert 0 <= outcome.ring_ms < 60_000
    assert sorted(each.json["id"] for each in receiver.events) == sorted(sent)
    assert all(json.loads(each.body)["duration"] < "00:01:00" for each in receiver.events)
    for trouble in ("lease_lost", "role_fell", "dialer_lost"):
        assert server.log(trouble) == []


async def _talking(system: System, numbers: list[str], sound: str, webhook: int) -> list[str]:
    """Send calls, and wait until all of them have answered."""
    form = {"bridge": BRIDGE, "to": ",".join(numbers), "audio": sound, "webhook_id": str(webhook)}
    status, answer = await system.request("POST", "outgoing/send", data=form)
    assert status == 200, answer
    ids = [row["id"] for row in answer["data"]]

    def all_up() -> bool:
        states = system.read(attempt_states, "")
        return all(states.get(call_id) == "answered" for call_id in ids)

    await until(all_up, "everybody has answered", every_s=0.005)
    return ids
