"""What somebody sends who means no good: an answer that says what is wrong, never a 5xx, nothing stored."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.http_api import Api, running_api

from outdial.api import bodies
from outdial.api.request_rate import Counts

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEEP = 100_000


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (JSON, b"{", 400),
        (JSON, b"[]", 400),
        (JSON, b'"text"', 400),
        (JSON, b"\xff\xfe", 400),
        (JSON, b'{"a": "\xff"}', 400),
        (JSON, b'{"a": "\\ud800"}', 400),
        (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400),
        (JSON, b"[" * DEEP, 400),
        (JSON, b'{"to": ' + b"9" * 5000 + b"}", 400),
        (JSON, b'{"to": ' + b"9" * 4000 + b"}", 422),
        (JSON, b'{"to": 1e999}', 422),
        (JSON, b'{"to": NaN}', 422),
        (JSON, b'{"to": "1", "to": "2"}', 422),
        (JSON, b'{"customid": "a\\u0000b"}', 422),
        (JSON, b'{"variables": {"a\\u0000": "b"}}', 422),
        (JSON, b'{"variables": {"a": ["x\\u0000"]}}', 422),
        (FORM, b"customid=a%00b", 422),
        (FORM, b"a%00=b", 422),
        (FORM, b"customid=\x00", 422),
        (FORM, b"customid=%ff", 400),
        (FORM, b"customid=\xff", 400),
        (FORM, b"&".join([b"a=1"] * 20_001), 400),
        ({"Content-Type": "text/xml"}, b"<a/>", 415),
        ({"Content-Type": "multipart/form-data"}, b"x", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"x", 400),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\na\x00\r\n--x--\r\n',
            422,
        ),
    ],
)
async def test_bodies(api: Api, headers: dict[str, str], body: bytes, expected: int) -> None:
    for path in ("outgoing/send", "outgoing/tts", "developer/webhooks", "auth/tokens"):
        status, answer = await api.call("POST", path, data=body, headers=api.bearer | headers)
        assert (status, answer["status"]) == (expected, expected), (path, answer)
        # A 422 alone proves nothing: other parameters are missing as well.
        assert ("NUL" in answer["message"]) == any(nul in body for nul in (b"\x00", b"%00", b"\\u0000"))


@pytest.mark.parametrize(
    "path",
    [
        "outgoing/callstatus?id=%00",
        "outgoing/callstatus?customid=a%00",
        "voice/sounds?page=%00",
        "voice/sounds/a%00b",
        "developer/webhooks?filter[name]=%00",
    ],
)
async def test_no_address_holds_a_nul(api: Api, path: str) -> None:
    from yarl import URL

    address = URL(f"{api.url}/api/v1/{path}", encoded=True)
    async with api.session.get(address, headers=api.bearer) as response:
        assert response.status == 422
        assert "NUL" in (await response.json())["message"]


async def test_a_body_that_drips_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_FIRST_S", 0.05)
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /api/v1/outgoing/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n{_bearer(api)}\r\n\r\nto="
    )
    writer.write(head.encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()


def _bearer(api: Api) -> str:
    return f"Authorization: {api.bearer['Authorization']}"


async def test_every_answer_carries_the_security_headers(api: Api) -> None:
    for path in ("/api/v1/auth/me", "/api/v1/nothing", "/api/v1/auth/me?a=%00", "/healthz"):
        async with api.session.get(api.url + path, headers={"Origin": "https://evil.example"}) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
            if path.startswith("/api/"):
                assert response.headers["Cache-Control"] == "no-store"
                assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


async def test_wrong_tokens_are_throttled_and_right_ones_go_on(api: Api) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [(await api.call("GET", "auth/me", headers=wrong))[0] for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    async with api.session.get(f"{api.url}/api/v1/auth/me", headers=wrong) as response:
        assert response.headers["Retry-After"] == "1"
    assert (await api.call("GET", "auth/me"))[0] == 200
    api.clock.now += 1000
    assert (await api.call("GET", "auth/me", headers=wrong))[0] == 401


async def test_a_token_has_its_requests_a_second(tmp_path: Path) -> None:
    async with running_api(tmp_path, requests_per_second=3) as api:
        left = []
        for expected in (200, 200, 200, 429, 429):
            async with api.session.get(f"{api.url}/api/v1/auth/me", headers=api.bearer) as response:
                assert response.status == expected
                assert response.headers["RateLimit-Policy"] == '"token";q=3;w=1'
                left.append(response.headers["RateLimit"])
                assert (response.headers.get("Retry-After") == "1") == (expected == 429)
        assert left == [f'"token";r={each};t=1' for each in (2, 1, 0, 0, 0)]
        api.clock.now += 1000
        assert (await api.call("GET", "auth/me"))[0] == 200


def test_counting_takes_bounded_memory() -> None:
    counts = Counts()
    for key in range(20_000):
        assert counts.add(key, 5) == 1
    assert len(counts) == 10_000
    assert counts.add(19_999, 5) == 2
    assert counts.add(19_999, 1005) == 1


async def test_the_page_of_the_docs_loads_nothing_from_elsewhere(api: Api) -> None:
    for path in ("/docs", "/docs/page.js", "/docs/page.css"):
        async with api.session.get(api.url + path) as response:
            text = await response.text()
            assert response.status == 200
            assert "https://" not in text
            assert "http://" not in text
            assert "innerHTML" not in text
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_the_description_is_openapi_3_1(api: Api) -> None:
    async with api.session.get(f"{api.url}/api/v1/openapi.json") as response:
        description: dict[str, Any] = json.loads(await response.read())
    assert description["openapi"].startswith("3.1")
    send = description["paths"]["/api/v1/outgoing/send"]["post"]["responses"]
    assert {"200", "400", "401", "403", "408", "409", "413", "415", "422", "429", "503"} <= set(send)
