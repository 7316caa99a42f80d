"""Whatever goes wrong, the answer has one shape and the right status."""

import json
from functools import partial
from pathlib import Path

import pytest
import structlog
from tests.helpers.http_api import Api, running_api

from outdial.api.app import create_api
from outdial.errors import DatabaseUnavailable

ENDPOINTS = [
    (method.upper(), path)
    for path, operations in create_api().openapi()["paths"].items()
    for method in operations
    if path.startswith("/api/")
]


def _is_error(answer: object, status: int) -> bool:
    return (
        isinstance(answer, dict)
        and set(answer) == {"status", "message", "errors"}
        and answer["status"] == status
        and bool(answer["message"])
        and isinstance(answer["errors"], dict)
    )


async def test_every_endpoint_wants_a_token(api: Api) -> None:
    for method, path in ENDPOINTS:
        api.clock.now += 1000  # ten wrong tokens a second are answered, more are throttled
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic eDp5"},
            {"Authorization": ""},
        ):
            status, answer = await api.call(method, path, headers=headers)
            assert status == 401, path
            assert _is_error(answer, 401)


async def test_the_token_may_be_in_the_query(api: Api) -> None:
    status, _ = await api.call("GET", f"voice/sounds?access_token={api.token}", headers={})
    assert status == 200
    status, _ = await api.call("GET", "voice/sounds?access_token=wrong", headers={})
    assert status == 401


async def test_a_revoked_token_works_no_longer_than_the_cache(api: Api) -> None:
    from outdial.storage import tokens

    assert (await api.call("GET", "voice/sounds"))[0] == 200
    await api.database.run(tokens.revoke, api.account_id, 1, now=api.clock())
    api.clock.now += 3_001
    assert (await api.call("GET", "voice/sounds"))[0] == 401


async def test_a_token_bound_to_another_network_is_403(api: Api) -> None:
    from outdial.storage import tokens

    for network, expected in (("10.0.0.0/8", 403), ("127.0.0.0/8", 200)):
        _, secret = await api.database.run(
            tokens.insert,
            account_id=api.account_id,
            name="x",
            new_secret=partial(str, network),
            now=1,
            addresses=[network],
        )
        status, answer = await api.call("GET", "voice/sounds", headers={"Authorization": f"Bearer {secret}"})
        assert status == expected
        assert expected == 200 or _is_error(answer, 403)


@pytest.mark.parametrize(
    ("method", "path", "expected", "known"),
    [
        ("GET", "/api/v1/nothing", 404, None),
        ("GET", "/api/v2/outgoing/send", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/api/v1/outgoing/send", 405, "POST"),
        ("PATCH", "/api/v1/voice/sounds", 405, "GET, HEAD, POST"),
        ("PUT", "/api/v1/developer/subscriptions/7", 405, "GET, HEAD, DELETE"),
    ],
)
async def test_wrong_paths_and_methods(
    api: Api, method: str, path: str, expected: int, known: str | None
) -> None:
    async with api.session.request(method, api.url + path, headers=api.bearer) as response:
        assert response.status == expected
        assert _is_error(await response.json(), expected)
        assert response.headers.get("Allow") == known
        sentence = f"This endpoint does not know {method}; it knows {known}."
        assert known is None or (await response.json())["message"] == sentence


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/voice/sounds", 200),
        ("/api/v1/voice/calls.csv", 200),
        ("/api/v1/voice/sounds/no", 404),
        ("/api/v1/voice/calls?stauts=BUSY", 422),
        ("/healthz", 200),
        ("/docs", 200),
    ],
)
async def test_head_is_a_get_without_a_body(api: Api, path: str, status: int) -> None:
    answers = []
    for method in ("GET", "HEAD"):
        async with api.session.request(method, api.url + path, headers=api.bearer) as response:
            answers.append((response.status, dict(response.headers), await response.read()))
    (_, full, body), (found, headers, nothing) = answers
    assert (found, nothing, bool(body)) == (status, b"", True)
    assert headers["Content-Type"] == full["Content-Type"]
    assert headers.get("Content-Length") == full.get("Content-Length")


async def test_a_database_that_is_away_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(api.database, "read", away)
    status, answer = await api.call("GET", "voice/sounds")
    assert status == 503
    assert _is_error(answer, 503)
    status, answer = await api.call("GET", "/readyz")
    assert (status, answer["status"], answer["dialers"]) == (503, "unavailable", None)


async def test_a_fault_of_ours_is_500_and_says_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.database, "read", broken)
    status, answer = await api.call("GET", "voice/sounds")
    assert status == 500
    assert _is_error(answer, 500)
    assert "secret detail" not in json.dumps(answer)


async def test_the_access_line_has_no_query_and_no_token(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with running_api(tmp_path) as api:
            await api.call("GET", f"outgoing/callstatus?id=1&access_token={api.token}", headers={})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/outgoing/callstatus", 404)
    assert line["account"] == api.account_id
    assert api.token not in repr(lines)
