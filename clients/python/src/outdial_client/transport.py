"""Requests and answers: HTTP by the standard library, errors, trying again, pages."""

import http.client
import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from outdial_client.errors import (
    ErrorAnswer,
    NoAnswer,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
    class_of,
)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_PER_PAGE = 100
_MOST_IDLE = 8


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"


UNSET = Unset.UNSET
"""A parameter that a change does not name: the value stays. None empties a value that may be empty."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart body."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            kind = self.headers.get("content-type", "no content type")
            raise UnexpectedAnswer(f"The answer {self.status} is not JSON ({kind}).") from None


class Transport:
    """Sends requests to one server with one token; threads may share it.

    A connection is used again for requests that may be sent twice; the others get a connection of their own,
    because one that the server is just closing looks like one that broke off.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float,
        tries: int,
        tls: ssl.SSLContext | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url.rstrip("/").removesuffix("/api/v1"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"The server's address should be as http://127.0.0.1:8080, not {url!r}.")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": "outdial-client",
        }
        self._timeout_s = timeout_s
        self._tries = max(1, tries)
        self._tls = tls
        self._sleep = sleep
        self._idle: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close the idle connections; the transport can still be used."""
        while self._idle:
            self._idle.pop().close()

    def data(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        is_keyed: bool = False,
    ) -> Any:
        """The `data` of the answer, or all of an answer that has none.

        With `is_keyed` the request has an idempotency key, `key` or a new one, so that it can be tried again.
        """
        headers = {"Idempotency-Key": key or str(uuid.uuid4())} if is_keyed else {}
        content: bytes | None = None
        if body is not None:
            content, headers["Content-Type"] = _encode(body)
        may_repeat = method == "GET" or is_keyed
        answer = self._send(method, path, query, content, headers, may_repeat=may_repeat).json()
        return answer["data"] if isinstance(answer, dict) and "data" in answer else answer

    def raw(
        self, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> bytes:
        """An answer that is not JSON: to a GET, or with a `body` to a POST that changes nothing."""
        headers = {"Accept": "*/*"}
        content: bytes | None = None
        if body is not None:
            content, headers["Content-Type"] = _encode(body)
        method = "GET" if body is None else "POST"
        return self._send(method, path, query, content, headers, may_repeat=True).body

    def rows(self, path: str, *, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Every row of a list, fetched page by page as they are asked for."""
        wanted: Mapping[str, Any] = {**(query or {}), "per_page": _PER_PAGE}
        while True:
            answer = self._send("GET", path, wanted, None, {}, may_repeat=True).json()
            if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
                raise UnexpectedAnswer("The answer is no list.")
            yield from answer["data"]
            following = (answer.get("links") or {}).get("next")
            if not following:
                return
            wanted = dict(parse_qsl(urlsplit(following).query))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        may_repeat: bool,
    ) -> _Answer:
        target = self._path + path + (f"?{urlencode(query)}" if query else "")
        failure: NoAnswer | ErrorAnswer
        for number in range(1, self._tries + 1):
            try:
                answer = self._once(method, target, content, {**self._headers, **headers}, keep=may_repeat)
            except (OSError, http.client.HTTPException) as error:
                failure = NoAnswer(f"{self._host} gave no answer: {str(error) or type(error).__name__}.")
                is_temporary = may_repeat
            else:
                if answer.status == 200:
                    return answer
                failure = _failure(answer)
                # What was refused for its pace was not done, so it may be sent again whatever it is.
                is_temporary = isinstance(failure, TooManyRequests) or (
                    may_repeat and isinstance(failure, Unavailable)
                )
            if number == self._tries or not is_temporary:
                raise failure from None
            self._sleep(_pause_s(failure, number))
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, target: str, content: bytes | None, headers: dict[str, str], *, keep: bool
    ) -> _Answer:
        connection = self._idle.pop() if keep and self._idle else self._connect()
        try:
            connection.request(method, target, body=content, headers=headers)
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            connection.close()
            raise
        if keep and not response.will_close and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return _Answer(response.status, answered, body)

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)


def _pause_s(failure: NoAnswer | ErrorAnswer, number: int) -> float:
    """How long to wait after the try of this number: as the server said, or twice as long each time."""
    if isinstance(failure, ErrorAnswer) and failure.retry_after is not None:
        return min(failure.retry_after, _LONGEST_PAUSE_S)
    longest = min(_FIRST_PAUSE_S * 2.0 ** (number - 1), _LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads clients, guards nothing


def _failure(answer: _Answer) -> ErrorAnswer:
    given = answer.json()
    if not isinstance(given, dict):
        raise UnexpectedAnswer(f"The answer {answer.status} has no message.")
    wait = answer.headers.get("retry-after", "")
    return class_of(answer.status)(
        answer.status,
        str(given.get("message", f"The server answered {answer.status}.")),
        given.get("errors") or {},
        retry_after=float(wait) if wait.isascii() and wait.isdigit() else None,
    )


def _encode(body: Mapping[str, Any]) -> tuple[bytes, str]:
    """A body and its type: JSON, or multipart if it holds a file."""
    if not any(isinstance(value, Upload) for value in body.values()):
        return json.dumps(body).encode(), "application/json"
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in body.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if isinstance(value, Upload):
            head += f'; filename="{_quoted(value.name)}"\r\nContent-Type: application/octet-stream'
        content = value.content if isinstance(value, Upload) else str(value).encode()
        parts += [head.encode(), b"\r\n\r\n", content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def upload(file: Path | bytes) -> Upload:
    """A file to send: by its path, or its bytes."""
    if isinstance(file, bytes):
        return Upload("file", file)
    return Upload(file.name, file.read_bytes())


def segment(value: int | str) -> str:
    """A value as one segment of a path."""
    return quote(str(value), safe="")


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was given."""
    return {name: value for name, value in values.items() if value is not None}


def without_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a change names."""
    return {name: value for name, value in values.items() if value is not UNSET}
