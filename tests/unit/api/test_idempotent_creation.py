"""What is made with a key is made once, at every endpoint that makes something."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web
from tests.helpers.http_api import Api
from tests.helpers.web_server import web_server

from outdial.api.app import create_api
from outdial.domain.scope import Scope
from outdial.storage import tables, tokens

_BYE = {"type": "hang_up", "settings": {"result": "success"}}
FLOW = {"schema_version": 1, "entry": "bye", "nodes": {"bye": _BYE}}
FORMS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "outgoing/suppressions/unsubscribers": (
        {"receiver": "918867135000"},
        {"type": "tag", "value": "x"},
        "suppressions",
    ),
    "flows/import": ({"name": "a", "document": FLOW}, {"name": "b"}, "flows"),
    "flows": ({"name": "a", "document": FLOW}, {"name": "b"}, "flows"),
    "admin/accounts": ({"name": "Clinic"}, {"name": "Shop"}, "accounts"),
    "admin/trunks": ({"name": "carrier", "host": "sip.example.com"}, {"name": "other"}, "trunks"),
    "admin/bridges": (
        {"number": "918068280001", "account_id": 1, "trunk_id": 1},
        {"number": "918068280002"},
        "bridges",
    ),
    "admin/accounts/1/credit": ({"amount": "25"}, {"amount": "26"}, "ledger"),
}
"""Endpoint → what is sent, what another request would say, the table that grows."""

_WAV = b"RIFF\xa4>\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00"
_WAV += b"data\x80>\x00\x00" + bytes(16_000)
"""A second of silence."""


async def challenged(request: web.Request) -> web.Response:
    """An endpoint that answers the challenge."""
    return web.json_response({"challenge": (await request.json())["challenge"]})


@pytest.fixture
async def admin(api: Api) -> Api:
    await api.database.run(
        tokens.insert,
        account_id=api.account_id,
        name="admin",
        new_secret=lambda: "admin's",
        now=1,
        scopes=[Scope.ACCOUNT, Scope.ADMIN],
    )
    api.token = "admin's"
    return api


async def post(api: Api, path: str, key: str | None, **body: Any) -> tuple[int, bytes, bool]:
    headers = api.bearer | ({} if key is None else {"Idempotency-Key": key})
    async with api.session.post(f"{api.url}/api/v1/{path}", headers=headers, **body) as response:
        return response.status, await response.read(), "Idempotent-Replayed" in response.headers


async def rows(api: Api, table: str) -> int:
    query = sa.select(sa.func.count()).select_from(getattr(tables, table))
    return int(await api.database.read(lambda conn: conn.execute(query).scalar_one()))


def test_every_endpoint_that_makes_something_takes_a_key_or_says_why_not() -> None:
    """Those without are the same when they are sent twice, or answer with a secret that nobody may keep."""
    without = {
        path.removeprefix("/api/v1/")
        for path, operations in create_api().openapi()["paths"].items()
        if "post" in operations
        and not any(each["name"] == "Idempotency-Key" for each in operations["post"].get("parameters", []))
    }
    assert without == {*_ANSWER_SECRETS, *_HARMLESS}


_ANSWER_SECRETS = {"admin/tokens", "auth/tokens", "developer/webhooks/{webhook_id}/rotate"}
_HARMLESS = {
    "developer/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    "developer/webhooks/{webhook_id}/verify",
    "flows/lint",
    "flows/preview",
    "flows/simulate",
    "flows/test",
    "flows/{flow_id}/publish",
    "flows/{flow_id}/rollback",
    "flows/{flow_id}/simulate",
    "flows/{flow_id}/test",
    "admin/rates/import",
    "outgoing/cancel",
    "outgoing/pause",
    "outgoing/resume",
    "outgoing/suppressions/unsubscribers/import",
}


@pytest.mark.parametrize("path", FORMS)
async def test_it_is_made_once(admin: Api, path: str) -> None:
    form, other, table = FORMS[path]
    before = await rows(admin, table)
    audited = await rows(admin, "audit")
    status, first, replayed = await post(admin, path, "k", json=form)
    assert (status, replayed) == (200, False), first
    lines = await rows(admin, "audit") - audited
    assert await post(admin, path, "k", json=form) == (200, first, True)
    assert await rows(admin, table) == before + 1
    assert await rows(admin, "audit") == audited + lines
    status, answer, _ = await post(admin, path, "k", json=form | other)
    assert status == 409
    assert b"was used for another request" in answer
    assert (await post(admin, path, "another", json=form | other))[:1] == (200,)
    assert await rows(admin, table) == before + 2


async def test_credit_that_is_added_ten_times_at_once_is_added_once(admin: Api) -> None:
    answers = await asyncio.gather(
        *(post(admin, "admin/accounts/1/credit", "k", json={"amount": "25"}) for _ in range(10))
    )
    assert {(status, body) for status, body, _ in answers} == {answers[0][:2]}
    assert sum(replayed for *_, replayed in answers) == 9
    assert await rows(admin, "ledger") == 1


async def test_what_was_refused_may_be_sent_again_with_its_key(admin: Api) -> None:
    assert (await post(admin, "admin/bridges", "k", json={"number": "1"}))[0] == 422
    form, _, _ = FORMS["admin/bridges"]
    assert (await post(admin, "admin/bridges", "k", json=form | {"trunk_id": 99}))[0] in (404, 422)
    assert (await post(admin, "admin/bridges", "k", json=form))[0] == 200


async def test_a_sound_is_uploaded_once(api: Api, tmp_path: Path) -> None:
    def upload(name: str) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("audio", _WAV, filename="a.wav")
        form.add_field("name", name)
        return {"data": form}

    status, first, _ = await post(api, "voice/sounds", "k", **upload("a"))
    assert status == 200
    assert await post(api, "voice/sounds", "k", **upload("a")) == (200, first, True)
    assert (await post(api, "voice/sounds", "k", **upload("b")))[0] == 409
    answers = await asyncio.gather(*(post(api, "voice/sounds", "k2", **upload("c")) for _ in range(3)))
    assert len({body for _, body, _ in answers}) == 1
    assert await rows(api, "sounds") == 2
    assert len(list((tmp_path / "blobs" / "sounds").glob("*/source"))) == 2  # the slower ones left nothing


async def test_a_webhook_is_stored_and_verified_once(api: Api) -> None:
    async with web_server(challenged) as server:
        form = {"name": "crm", "uri": server.url("/calls")}
        status, first, _ = await post(api, "developer/webhooks", "k", data=form)
        assert status == 200, first
        asked = len(server.requests)
        assert await post(api, "developer/webhooks", "k", data=form) == (200, first, True)
        assert len(server.requests) == asked
        assert (await post(api, "developer/webhooks", "k", data=form | {"name": "x"}))[0] == 409
    assert await rows(api, "webhooks") == 1


async def test_a_subscription_is_made_once(api: Api) -> None:
    async with web_server(challenged) as server:
        hook = {"name": "c", "uri": server.url("/calls")}
        _, made = await api.call("POST", "developer/webhooks", data=hook)
    form = {"event": "voice:message:out", "webhook_id": str(made["data"]["id"])}
    status, first, _ = await post(api, "developer/subscriptions", "k", data=form)
    assert status == 200, first
    assert await post(api, "developer/subscriptions", "k", data=form) == (200, first, True)
    assert (await post(api, "developer/subscriptions", "k", data=form | {"identity": "918068280000"}))[
        0
    ] == 409
