"""The endpoint to try things with answers the challenge and takes what is signed."""

import http.client
import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.unit.webhooks.events import webhook

from outdial.webhooks import signing

FILE = Path(__file__).parents[3] / "examples" / "webhook_endpoint.py"
SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "my own password"]
EVENT = json.dumps({"to": "918867135000", "campaign": "Grüße"}).encode()


@pytest.fixture
def endpoint() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("webhook_endpoint", FILE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with ThreadingHTTPServer(("127.0.0.1", 0), example.Endpoint) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def post(server: Any, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("POST", "/calls?token=1", body, headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def signed(secret: str, body: bytes) -> dict[str, str]:
    now_ms = time.time_ns() // 1_000_000
    return signing.headers(webhook(secret=secret), message_id="call:1:1", now_ms=now_ms, body=body)


def test_the_challenge_is_answered_without_a_secret(endpoint: Any) -> None:
    status, body = post(endpoint, b'{"validation_key": "1", "challenge": "0f6a"}')
    assert (status, json.loads(body)) == (200, {"challenge": "0f6a"})
    assert post(endpoint, EVENT) == (204, b"")


@pytest.mark.parametrize("secret", SECRETS)
def test_an_event_has_to_be_signed_once_the_secret_is_known(endpoint: Any, secret: str) -> None:
    endpoint.RequestHandlerClass.secret = secret
    assert post(endpoint, EVENT, signed(secret, EVENT)) == (204, b"")
    assert post(endpoint, EVENT, signed(secret, EVENT + b" ")) == (401, b"")
    assert post(endpoint, EVENT)[0] == 401
