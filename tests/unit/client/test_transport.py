"""How the client speaks to a server: errors, trying again, pages, connections. The server is scripted."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

import outdial_client
from outdial_client import Outdial

ACCEPTED = {"status": 200, "message": "1 numbers accepted for delivery.", "data": [{"id": "a:1"}]}
BROKEN = b""
"""The connection is closed without an answer."""
SECRET = "38e896f55670311982434e929559b4e1"


def answer(status: int, body: Any, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def error(status: int, message: str = "No.", **headers: str) -> bytes:
    return answer(status, {"status": status, "message": message, "errors": {"to": [message]}}, **headers)


class Scripted:
    """Gives the answers in order and keeps the requests; closes a connection after `Connection: close`."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as reader:
                while self._answers and (request := self._read(reader)):
                    self.requests.append(request)
                    given = self._answers.pop(0)
                    connection.sendall(given)
                    if given == BROKEN or b"Connection: close" in given:
                        break

    @staticmethod
    def _read(reader: Any) -> bytes:
        head = b""
        while (line := reader.readline()) not in (b"\r\n", b""):
            head += line
        length = [
            int(each.split(b":")[1])
            for each in head.split(b"\r\n")
            if each.lower().startswith(b"content-length")
        ]
        return head + b"\r\n" + reader.read(length[0] if length else 0) if head else b""

    def header(self, number: int, name: str) -> str | None:
        for line in self.requests[number].split(b"\r\n\r\n")[0].decode().split("\r\n"):
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


@contextmanager
def scripted(*answers: bytes, tries: int = 3) -> Iterator[tuple[Scripted, Outdial, list[float]]]:
    server, pauses = Scripted(answers), list[float]()
    with Outdial(server.url, SECRET, tries=tries, sleep=pauses.append, timeout_s=20) as client:
        yield server, client, pauses
    server.close()


@pytest.mark.parametrize(
    "first", [BROKEN, error(503), answer(503, {"status": 503, "message": "x"}, Retry_After="7")]
)
def test_a_call_is_sent_again_with_the_same_key(first: bytes) -> None:
    with scripted(first, answer(200, ACCEPTED)) as (server, client, pauses):
        [row] = client.calls.send(bridge="918068280000", to="918867135000")
        assert row["id"] == "a:1"
        keys = [server.header(number, "Idempotency-Key") for number in (0, 1)]
        assert keys[0] == keys[1] is not None
        assert server.requests[0] == server.requests[1]
        assert len(pauses) == 1
        assert (pauses == [7.0]) == (b"Retry-After" in first)


def test_each_call_has_a_key_of_its_own_or_the_one_that_was_given() -> None:
    with scripted(*[answer(200, ACCEPTED)] * 3) as (server, client, _):
        client.calls.send(bridge="1", to="2")
        client.calls.tts(bridge="1", to="2", text="Hello", voice_language="en")
        client.calls.send(bridge="1", to="2", idempotency_key="order-4711")
        keys = [server.header(number, "Idempotency-Key") for number in range(3)]
        assert len(set(keys)) == 3
        assert keys[2] == "order-4711"
        assert json.loads(server.requests[1].split(b"\r\n\r\n")[1])["voice.language"] == "en"


@pytest.mark.parametrize("first", [BROKEN, error(503)])
def test_a_request_that_might_be_done_twice_is_sent_once(first: bytes) -> None:
    expected = outdial_client.NoAnswer if first == BROKEN else outdial_client.Unavailable
    with scripted(first, answer(200, {"data": {"id": 1}})) as (server, client, pauses):
        with pytest.raises(expected):
            client.webhooks.rotate(7)
        assert (len(server.requests), pauses) == (1, [])


def test_what_came_too_fast_is_sent_again_whatever_it_is() -> None:
    slow_down = error(429, Retry_After="2")
    with scripted(slow_down, answer(200, {"data": {"id": 1}})) as (server, client, pauses):
        assert client.webhooks.add(name="crm", uri="https://example.com/calls") == {"id": 1}
        assert (len(server.requests), pauses) == (2, [2.0])


def test_the_last_error_is_raised_and_pauses_grow() -> None:
    with scripted(*[BROKEN] * 4, tries=4) as (server, client, pauses):
        with pytest.raises(outdial_client.NoAnswer) as raised:
            client.account.balance()
        assert len(server.requests) == 4
        assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1 <= pauses[2] <= 2
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, outdial_client.BadRequest), (401, outdial_client.Unauthorized),
        (402, outdial_client.PaymentRequired), (403, outdial_client.Forbidden),
        (404, outdial_client.NotFound), (409, outdial_client.Conflict), (413, outdial_client.TooLarge),
        (415, outdial_client.ErrorAnswer), (422, outdial_client.InvalidParameters),
        (500, outdial_client.ServerFault),
    ],
)  # fmt: skip
def test_an_error_has_its_class_and_the_servers_words(status: int, kind: type) -> None:
    with scripted(error(status, "to is missing.")) as (server, client, _):
        with pytest.raises(outdial_client.ErrorAnswer) as raised:
            client.calls.send(bridge="1", to="2")
        assert type(raised.value) is kind
        assert (raised.value.status, raised.value.errors) == (status, {"to": ["to is missing."]})
        assert str(raised.value) == f"{status}: to is missing."
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "given", [answer(502, b"<html>Bad gateway"), answer(200, b"<html>"), answer(302, b"", Location="/x")]
)
def test_another_program_at_the_address_is_told_apart(given: bytes) -> None:
    with scripted(given, tries=1) as (_, client, _), pytest.raises(outdial_client.UnexpectedAnswer):
        client.account.balance()


def test_audio_that_is_asked_for_with_a_body_comes_as_bytes() -> None:
    with scripted(BROKEN, answer(200, b"RIFF")) as (server, client, _):
        assert client.flows.listen(prompt="Hello.", language="en-US") == b"RIFF"
    head, _, content = server.requests[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/flows/preview ")
    assert json.loads(content) == {"prompt": "Hello.", "language": "en-US"}


def test_a_list_is_fetched_page_by_page_as_it_is_read() -> None:
    asked = b"/api/v1/developer/webhooks?filter%5Bname%5D=a+b&"
    following = "http://proxied.example" + asked.decode() + "page=2&per_page=2"
    pages = [
        answer(200, {"data": [{"id": 1}, {"id": 2}], "links": {"next": following}}),
        answer(200, {"data": [{"id": 3}], "links": {"next": None}}),
    ]
    with scripted(*pages) as (server, client, _):
        rows = client.webhooks.list(name="a b")
        assert [next(rows)["id"], next(rows)["id"]] == [1, 2]
        assert len(server.requests) == 1
        assert [row["id"] for row in rows] == [3]
        assert server.requests[0].startswith(b"GET " + asked + b"per_page=")
        assert server.requests[1].startswith(b"GET " + asked + b"page=2&per_page=2 ")


def test_one_connection_serves_what_may_be_repeated() -> None:
    balance = answer(200, {"data": {"balance": "1.0000"}})
    with scripted(balance, balance, answer(200, ACCEPTED)) as (server, client, _):
        for _ in range(2):
            assert client.account.balance()["balance"] == "1.0000"
        client.calls.send(bridge="1", to="2")
        assert server.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure() -> None:
    balance = answer(200, {"data": {"balance": "1.0000"}})
    with scripted(balance, BROKEN, balance) as (server, client, _):
        client.account.balance()
        client.account.balance()
        assert server.connections == 2


def test_the_token_is_sent_and_never_shown() -> None:
    with scripted(answer(200, {"data": {}})) as (server, client, _):
        client.auth.me()
        assert server.header(0, "Authorization") == f"Bearer {SECRET}"
        assert SECRET not in repr(client)


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "http://"])
def test_an_address_that_is_none_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address should be"):
        Outdial(url, "t")


def test_a_missing_token_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTDIAL_TOKEN", raising=False)
    with pytest.raises(ValueError, match="OUTDIAL_TOKEN"):
        Outdial("http://127.0.0.1")
