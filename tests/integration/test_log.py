"""Promise 6, over everything that a server writes: all logs, at the finest level, and all answers.

Secrets are planted wherever one can be given; then calls, refusals, failures and hostile requests run. Phone
numbers and digits may be values of a log line's own fields, never part of its text.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.helpers.poll import until
from tests.helpers.system import BRIDGE, System
from tests.helpers.web_server import WebServer, web_server

from outdial.domain.scope import Scope
from outdial.storage import tokens

pytestmark = pytest.mark.timeout(280)

TYPES, BUSY, NOWHERE = "12025550171", "12025550102", "12025550198"
DIGITS = "7391648520"
PHONES = f"""
[phones.{TYPES}]
description = "types a long number and hangs up"
digits = "{DIGITS}#"
digits_after_s = 0.3
hang_up_after_s = 4
"""
ADMIN = "admin-token-planted-5e1f"
SECRETS = {
    "a token": ADMIN,
    "a wrong token": "wrong-token-planted-93ab",
    "a token in an address": "query-token-planted-77cd",
    "a trunk's password": "trunk-password-planted-c0de",
    "a new trunk's password": "changed-password-planted-d1ff",
    "a webhook's secret": "webhook-secret-planted-4b1d",
    "a webhook's next secret": "rotated-secret-planted-8e2a",
    "a header's value": "header-key-planted-2f6c",
    "a password in an address": "address-password-planted-1a7b",
    "a token in a webhook address": "uri-token-planted-b3d9",
    "the metrics' token": "metrics-token-planted-66f0",
    "the store's key": "store-key-planted-0d4e",
}
EVERY_NUMBER = (TYPES, BUSY, NOWHERE, BRIDGE, DIGITS)
TEXT_FIELDS = ("event", "exception", "stack", "message", "logger")


class Answers:
    """Asks, and keeps what was answered."""

    def __init__(self, system: System) -> None:
        self._url = system.url
        self.all: list[tuple[str, str]] = []

    async def ask(
        self, method: str, path: str, *, token: str | None = ADMIN, keep: bool = True, **more: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        address = self._url + (path if path.startswith("/") else f"/api/v1/{path}")
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, address, headers=headers, **more) as response,
        ):
            text = await response.text()
            if keep:
                self.all.append((f"{method} {path} {response.status}", f"{dict(response.headers)} {text}"))
            try:
                return json.loads(text)
            except ValueError:
                return text


async def _endpoint(request: web.Request) -> web.Response:
    """Takes the challenge; answers events with what it was sent: some receivers do."""
    text = await request.text()
    if request.path == "/missing":
        return web.Response(status=404)
    if "challenge" in text:
        return web.json_response({"challenge": json.loads(text)["challenge"]})
    return web.Response(status=500, text=f"{dict(request.headers)} {request.path_qs} {text}")


async def _provoke(answers: Answers, system: System, there: WebServer, sound: str) -> None:
    """Everything that a secret or a number may leak by."""
    ask, secrets = answers.ask, SECRETS
    trunk = {"name": "planted", "host": system.host, "port": 5070, "username": "someone"}
    made = await ask("POST", "admin/trunks", json={**trunk, "password": secrets["a trunk's password"]})
    await ask("POST", "admin/trunks", json={**trunk, "password": secrets["a trunk's password"], "port": "x"})
    planted = {"number": NOWHERE, "account_id": 1, "trunk_id": made["data"]["id"]}
    await ask("POST", "admin/bridges", json=planted)

    uri = there.url(f"/calls?key={secrets['a token in a webhook address']}")
    hook = {
        "name": "crm",
        "uri": uri,
        "secret": secrets["a webhook's secret"],
        "headers": {"X-Api-Key": secrets["a header's value"]},
    }
    added = await ask("POST", "developer/webhooks", json=hook, keep=False)
    crm = added["data"]["id"]
    await ask("POST", "developer/webhooks", json={**hook, "uri": "http://10.0.0.1/"}, keep=False)
    await ask("POST", f"developer/webhooks/{crm}/verify", json={})

    call = {"bridge": BRIDGE, "to": TYPES, "audio": sound, "webhook_id": crm}
    sent = [await ask("POST", "outgoing/send", json={**call, "to": number}) for number in (TYPES, BUSY)]
    sent.append(await ask("POST", "outgoing/send", json={**call, "bridge": NOWHERE}))
    private = f"http://someone:{secrets['a password in an address']}@{there.address}:{there.port}/missing"
    refused = await ask("POST", "outgoing/send", json={**call, "audio": private})
    sent += [refused] if "data" in refused else []
    for wrong in ({**call, "to": f"{TYPES}1234567890"}, {**call, "bridge": TYPES}, {"to": TYPES}):
        await ask("POST", "outgoing/send", json=wrong)
    await ask(
        "POST", "outgoing/send", data=f'{{"to": "{TYPES}", ', headers={"Content-Type": "application/json"}
    )
    await ask(
        "POST", "outgoing/tts", json={**call, "text": "Your code is {{x@digits}}", "variables": {"x": DIGITS}}
    )
    await ask(
        "GET",
        f"outgoing/callstatus?mobile={TYPES}&access_token={secrets['a token in an address']}",
        token=None,
    )
    for _ in range(12):
        await ask("GET", "auth/me", token=secrets["a wrong token"])
    await ask("GET", f"/nothing/{TYPES}/{DIGITS}")
    await ask("GET", f"voice/sounds/{TYPES}")
    await ask("GET", "/metrics", token=secrets["the metrics' token"])

    refused_by_carrier = sent[2]["data"][0]["id"]

    async def was_refused() -> bool:
        return bool((await system.callstatus(refused_by_carrier))["attempts"][:1])

    await until(was_refused, "an attempt with the planted password")
    await ask("POST", "outgoing/cancel", json={"id": refused_by_carrier})
    for row in (row for answer in sent for row in answer["data"]):
        await system.done(row["id"])
        await ask("GET", f"outgoing/callstatus?id={row['id']}")
        await ask("GET", f"outgoing/trace?id={row['id']}")

    async def was_told() -> bool:
        answer = await ask("GET", f"developer/webhooks/{crm}/deliveries", keep=False)
        return bool(answer["data"])

    await until(was_told, "a delivery")
    rotated = {"secret": secrets["a webhook's next secret"]}
    await ask("POST", f"developer/webhooks/{crm}/rotate", json=rotated, keep=False)
    password = {"password": secrets["a new trunk's password"]}
    await ask("PUT", f"admin/trunks/{made['data']['id']}", json=password)
    for path in (
        *("admin/trunks", "admin/audit?per_page=100", "admin/tokens?account_id=1", "developer/webhooks"),
        *(f"developer/webhooks/{crm}/deliveries", "auth/me", "auth/tokens", "/metrics", "/readyz"),
        *("outgoing/callstatus?date=2019-08-16", "voice/calls", "voice/calls.csv", "admin/bridges"),
    ):
        await ask("GET", path)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    else:
        yield str(value)


async def test_no_secret_and_no_number_in_what_a_server_writes(tmp_path: Path, sqlite_url: str) -> None:
    settings = {
        "log.level": "debug",
        "egress.allow": '["127.0.0.2"]',
        "metrics.token": SECRETS["the metrics' token"],
        "blobs.secret_access_key": SECRETS["the store's key"],
    }
    async with (
        web_server(_endpoint) as there,
        System(tmp_path, sqlite_url, phones=PHONES, settings=settings) as system,
    ):
        await system.write(
            tokens.insert, account_id=1, name="admin", new_secret=lambda: ADMIN, now=1,
            scopes=[Scope.ACCOUNT, Scope.ADMIN],
        )  # fmt: skip
        server = await system.start()
        sound = await system.add_sound(6_000)
        answers = Answers(system)
        await _provoke(answers, system, there, sound)
        assert await server.stop() == 0
        log = server.log_file.read_text()

        assert any(DIGITS in text for _, text in answers.all), "the digits were not even taken"
        leaked = [
            (what, where)
            for what, secret in SECRETS.items()
            for where, text in answers.all
            if secret in text and what != "a token in a webhook address"  # its owner sees where it goes
        ]
        assert leaked == []
        assert [what for what, secret in SECRETS.items() if secret in log] == []

        lines = [json.loads(line) if line.startswith("{") else {"event": line} for line in log.splitlines()]
        assert len(lines) > 50
        for line in lines:
            for name in TEXT_FIELDS:
                text = " ".join(_strings(line.get(name, "")))
                assert not any(number in text for number in EVERY_NUMBER), (name, text)
        # A field holds a number whole; one inside a longer text would be a message by another name.
        told = {
            (name, text)
            for line in lines
            for name, value in line.items()
            for text in _strings(value)
            if any(number in text for number in EVERY_NUMBER)
        }
        assert told
        assert {(name, text) for name, text in told if " " in text} == set()
