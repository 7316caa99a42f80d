"""What calls play when the blob store is away: they wait for it, and not for what is missing."""

import asyncio
import dataclasses

import pytest
from tests.unit.dispatch.scripted import BlobStore
from tests.unit.dispatch.test_connecting import A_CALL

from outdial.dispatch import outages
from outdial.dispatch.call_content import Away, CallContents, NoContent
from outdial.domain.call import Call
from outdial.domain.disposition import EndReason


async def test_an_outage_of_the_store_is_waited_out_ever_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 100.0
    monkeypatch.setattr(outages, "_now", lambda: seconds)
    store = BlobStore()
    contents = CallContents(store, None, None)
    call = dataclasses.replace(A_CALL, sound_id="hello", ivr_id=None)
    other = dataclasses.replace(call, sound_id="bye")

    async def wait_ms(call: Call = call) -> int:
        found = await contents.find(call, ["PCMA"], lambda: 5_000)
        return found.until - 5_000 if isinstance(found, Away) else 0

    for delay_ms in (2_000, 10_000, 30_000, 60_000, 60_000):
        tries = len(store.asked)
        assert await wait_ms() == delay_ms
        seconds += delay_ms / 1000 - 1
        assert await wait_ms() == 1_000  # others of the same sound learn it without asking
        assert len(store.asked) == tries + 1
        seconds += 1
    assert await wait_ms(other) == 2_000  # perhaps it is only that object which cannot be had
    store.away = False
    assert await wait_ms() == 0
    store.away = True
    assert await wait_ms() == 2_000


async def test_calls_that_ask_at_the_same_time_are_one_try() -> None:
    store = BlobStore()
    contents = CallContents(store, None, None)
    call = dataclasses.replace(A_CALL, sound_id="hello", ivr_id=None)
    found = await asyncio.gather(*(contents.find(call, ["PCMA"], lambda: 5_000) for _ in range(50)))
    assert all(isinstance(each, Away) and each.until <= 7_000 for each in found)


async def test_a_sound_that_is_missing_is_no_outage() -> None:
    store = BlobStore()
    store.away = False
    call = dataclasses.replace(A_CALL, sound_id="missing", ivr_id=None)
    found = await CallContents(store, None, None).find(call, ["PCMA"], lambda: 5_000)
    assert found == NoContent(EndReason.SOUND_MISSING)
