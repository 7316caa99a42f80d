"""A request that is sent again, with its key, makes no second call."""

import asyncio
from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, Api

from outdial.storage import accounts, bridges, calls, tokens

FORM = {"bridge": BRIDGE, "to": "918867135000", "audio": "https://example.com/a.mp3"}


async def send(api: Api, key: str | None, **changes: Any) -> tuple[int, bytes, str | None]:
    headers = changes.pop("headers", api.bearer) | ({} if key is None else {"Idempotency-Key": key})
    address = f"{api.url}/api/v1/outgoing/send"
    async with api.session.post(address, data=FORM | changes, headers=headers) as response:
        return response.status, await response.read(), response.headers.get("Idempotent-Replayed")


async def made(api: Api) -> int:
    return await api.database.read(calls.count, api.account_id)


async def test_the_same_bytes_come_again(api: Api) -> None:
    status, first, replayed = await send(api, "k1")
    assert (status, replayed) == (200, None)
    api.clock.now += 1000
    assert await send(api, "k1") == (200, first, "true")
    assert await made(api) == 1
    assert (await send(api, "k2"))[1] != first
    assert (await send(api, None))[2] is None
    assert await made(api) == 3


async def test_another_body_is_409(api: Api) -> None:
    await send(api, "k")
    status, answer, _ = await send(api, "k", name="other")
    assert status == 409
    assert b"Idempotency-Key was used for another request" in answer
    assert await made(api) == 1


async def test_what_was_refused_may_be_mended(api: Api) -> None:
    assert (await send(api, "k", to="x"))[0] == 422
    assert (await send(api, "k", bridge="12025550000"))[0] == 422
    assert (await send(api, "k"))[0] == 200
    assert await made(api) == 1


async def test_requests_at_once_make_one_call(api: Api) -> None:
    answers = await asyncio.gather(*(send(api, "k") for _ in range(10)))
    assert {status for status, _, _ in answers} == {200}
    assert len({body for _, body, _ in answers}) == 1
    assert sorted(str(replayed) for _, _, replayed in answers) == ["None"] + ["true"] * 9
    assert await made(api) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "clé", "a\tb"])
async def test_what_cannot_be_a_key_is_422(api: Api, key: str) -> None:
    status, answer, _ = await send(api, key)
    assert status == 422
    assert b'"Idempotency-Key":["Idempotency-Key should be 1 to 255' in answer
    assert await made(api) == 0


async def test_a_kept_answer_has_the_times_of_its_account(api: Api) -> None:
    away = await api.database.run(accounts.insert, name="b", now=1, time_zone="Asia/Kolkata")
    await api.database.run(tokens.insert, account_id=away.id, name="", new_secret=lambda: "t" * 32, now=1)
    await api.database.run(
        bridges.insert, number="12025550111", account_id=away.id, trunk_id=api.trunk_id, now=1
    )
    headers = {"Authorization": f"Bearer {'t' * 32}"}
    _, first, _ = await send(api, "k", bridge="12025550111", headers=headers)
    assert b'"submitted_at":"2019-08-16 20:39:51"' in first
    assert (await send(api, "k", bridge="12025550111", headers=headers))[1] == first


async def test_a_key_is_kept_for_a_day(api: Api) -> None:
    _, first, _ = await send(api, "k")
    api.clock.now += 24 * 60 * 60 * 1000 - 1
    assert await send(api, "k") == (200, first, "true")
    api.clock.now += 1
    status, _, replayed = await send(api, "k", name="another")
    assert (status, replayed) == (200, None)
    assert await made(api) == 2


async def test_a_key_is_its_account_s_own(api: Api) -> None:
    other = await api.database.run(accounts.insert, name="b", now=1)
    await api.database.run(tokens.insert, account_id=other.id, name="", new_secret=lambda: "t" * 32, now=1)
    headers = {"Authorization": f"Bearer {'t' * 32}", "Idempotency-Key": "k"}
    form = {"receiver": "918867135000"}
    ours = {**api.bearer, "Idempotency-Key": "k"}
    path = "outgoing/suppressions/unsubscribers"
    assert (await api.call("POST", path, data=form, headers=ours))[0] == 200
    async with api.session.post(f"{api.url}/api/v1/{path}", data=form, headers=headers) as response:
        assert (response.status, response.headers.get("Idempotent-Replayed")) == (200, None)


async def test_a_key_is_for_one_endpoint(api: Api) -> None:
    both = {"text": "Hello.", "voice.language": "en"}
    assert (await send(api, "k", **both))[0] == 200
    headers = api.bearer | {"Idempotency-Key": "k"}
    status, answer = await api.call("POST", "outgoing/tts", data=FORM | both, headers=headers)
    assert (status, answer["errors"]) == (409, {})
    assert await made(api) == 1
