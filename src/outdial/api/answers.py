"""The shapes of successful answers."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic_core import to_json

from outdial.api.errors import invalid
from outdial.api.fields import whole_number
from outdial.api.links import link
from outdial.api.local_time import current_zone
from outdial.api.notes import warnings

T = TypeVar("T")


def json_response(body: Any) -> Response:
    """200 with `body` as JSON."""
    return Response(to_json(body), media_type="application/json")


def family_body(message: str, data: Any, **more: Any) -> dict[str, Any]:
    """The shape of every endpoint but `outgoing/send`: `{"status": "OK", "code": 200, "message", "data"}`."""
    return {"status": "OK", "code": 200, "message": message, "data": data, **more, **warnings()}


def ok(message: str, data: Any, **more: Any) -> Response:
    """200 in the family's shape."""
    return json_response(family_body(message, data, **more))


def family_time(at_ms: int | None) -> str | None:
    """A Unix time in milliseconds as `YYYY-MM-DD HH:MM:SS`, in the time zone of the request's account."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, current_zone()).strftime("%Y-%m-%d %H:%M:%S")


def family_duration(duration_ms: int) -> str:
    """`00:00:19`; a started second counts, as on a bill."""
    minutes, seconds = divmod(ceil(duration_ms / 1000), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


_NOT_A_FILTER = frozenset({"page", "per_page", "after", "access_token"})


class Page:
    """Which part of a list a request asks for: `?page=` (from 1) and `?per_page=` (1 to 100, default 15)."""

    def __init__(self, request: Request) -> None:
        self._request = request
        errors: dict[str, list[str]] = {}
        self.number = self._read("page", default=1, most=1_000_000, errors=errors)
        self.size = self._read("per_page", default=15, most=100, errors=errors)
        if errors:
            raise invalid(errors)

    def _read(self, name: str, *, default: int, most: int, errors: dict[str, list[str]]) -> int:
        text = self._request.query_params.get(name, "")
        if not text:
            return default
        number = whole_number(text, 1, most)
        if number is not None:
            return number
        errors[name] = [f"{name} should be a number from 1 to {most}, not {text[:40]!r}."]
        return default

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """This page of a list that is read whole."""
        return rows[self.offset : self.offset + self.size]

    def answer(self, message: str, rows: Sequence[Any], total: int) -> Response:
        """The list answer with `links` (which keep the request's filters, not its token) and `meta`."""
        last = max(1, ceil(total / self.size))
        links = {
            "first": self._link("page", 1),
            "last": self._link("page", last),
            "prev": self._link("page", self.number - 1) if self.number > 1 else None,
            "next": self._link("page", self.number + 1) if self.number < last else None,
        }
        meta = {
            "current_page": self.number,
            "from": self.offset + 1 if rows else None,
            "last_page": last,
            "path": self._path,
            "per_page": self.size,
            "to": self.offset + len(rows) if rows else None,
            "total": total,
        }
        return ok(message, rows, links=links, meta=meta)

    def answer_after(self, message: str, rows: Sequence[Any], last_id: str | None) -> Response:
        """The answer to `?after=`: it counts nothing, and its next page begins behind `last_id`."""
        goes_on = last_id is not None and len(rows) == self.size
        links = {
            "first": self._link("page", 1),
            "last": None,
            "prev": None,
            "next": self._link("after", last_id) if goes_on else None,
        }
        return ok(message, rows, links=links, meta={"path": self._path, "per_page": self.size})

    @property
    def _path(self) -> str:
        url = self._request.url.replace(query="")
        return link(url.path) if link("") else str(url)

    def _link(self, name: str, value: object) -> str:
        filters = [each for each in self._request.query_params.multi_items() if each[0] not in _NOT_A_FILTER]
        return f"{self._path}?{urlencode([*filters, (name, value), ('per_page', self.size)])}"
