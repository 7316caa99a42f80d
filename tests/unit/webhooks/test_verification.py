"""The challenge, over a scripted client."""

import json
from itertools import count

import pytest
from tests.unit.webhooks.events import END_MS, SECRET, webhook
from tests.unit.webhooks.scripted import ScriptedClient, answer

from outdial.egress.message import Answer, EgressRequest
from outdial.errors import EgressRefused, EgressTimeout
from outdial.storage.webhooks import Webhook
from outdial.webhooks.signing import sign
from outdial.webhooks.verification import verify


async def ask(client: ScriptedClient, asked: Webhook | None = None) -> str | None:
    numbers = count(1)
    return await verify(
        client,
        asked or webhook(),
        now_ms=END_MS,
        timeout_s=2.0,
        new_token=lambda: f"challenge-{next(numbers)}",
    )


async def echo(request: EgressRequest) -> Answer:
    return answer(body=json.dumps({"challenge": json.loads(request.body or b"")["challenge"]}).encode())


async def test_an_endpoint_that_answers_the_challenge() -> None:
    client = ScriptedClient(echo)
    assert await ask(client, webhook(method="GET", secret_as_bearer=True, body_format="form")) is None
    (request,) = client.requests
    assert (request.method, request.url) == ("POST", "https://example.com/calls?token=code")
    assert json.loads(request.body or b"") == {"validation_key": "code", "challenge": "challenge-1"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["webhook-signature"] == sign(
        SECRET, message_id="verify:challenge-1", timestamp_s=END_MS // 1000, body=request.body or b""
    )
    assert (request.total_s, request.follow_redirects) == (2.0, False)


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c&token=code"),
        ("https://example.com/a#part", "https://example.com/a?token=code#part"),
        ("https://example.com/{{id}}/x", "https://example.com//x?token=code"),
    ],
)
async def test_where_the_code_stands(uri: str, url: str) -> None:
    client = ScriptedClient(echo)
    await ask(client, webhook(uri=uri))
    assert client.requests[0].url == url


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"[]",
        b"{}",
        b'{"challenge": null}',
        b'{"challenge": "other"}',
        b'"challenge-1"',
        b"\xff",
        b"[" * 4_096,
    ],
)
async def test_any_other_answer_is_a_no(body: bytes) -> None:
    async def reply(_: EgressRequest) -> Answer:
        return answer(body=body)

    why_not = await ask(ScriptedClient(reply))
    assert why_not is not None
    assert "should answer the challenge" in why_not


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_the_right_challenge_with_the_wrong_status_is_a_no(status: int) -> None:
    async def reply(request: EgressRequest) -> Answer:
        return answer(status, (await echo(request)).body)

    assert f"answered {status}" in (await ask(ScriptedClient(reply)) or "")


@pytest.mark.parametrize("error", [EgressTimeout("example.com is slow."), EgressRefused("No.")])
async def test_what_the_client_says_is_the_reason(error: Exception) -> None:
    async def reply(_: EgressRequest) -> Answer:
        raise error

    assert await ask(ScriptedClient(reply)) == str(error)
