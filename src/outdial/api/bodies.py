"""Request bodies: form, JSON and multipart become one nested mapping with the same names."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic_core import from_json

from outdial.api.context import context_of
from outdial.api.errors import ApiError, invalid
from outdial.api.known_names import check_body
from outdial.api.multipart import MultipartForm, boundary_of, read_multipart, too_large

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"

_MAY_HOLD_NUL = re.compile(rb"\x00|%00|\\u0000")
_FIRST_S = 30.0
_SLOWEST_BYTES_PER_S = 4096
_BRACKETS = re.compile(r"^([^\[\]]+)\[([^\[\]]*)\]$")


async def read_body(request: Request) -> dict[str, Any]:
    """The parameters of a request.

    A name that comes twice, or as `name[]`, becomes a list; `variables[otp]=1234` becomes `{"variables":
    {"otp": "1234"}}`. Raises ApiError 400 for a body that cannot be read, 413 over the bytes of the
    server's options, 415 for another type. Names that the endpoint does not know are noted for its answer.
    """
    limit = context_of(request).options.body_bytes
    content_type = request.headers.get("content-type", FORM)
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        form = await read_multipart(bounded(request, limit), boundary_of(content_type))
        return parameters_of(request, form)
    if media_type not in (FORM, JSON):
        raise ApiError(415, f"Send {FORM}, {JSON} or {MULTIPART}, not {media_type[:60]!r}.")
    body = b"".join([chunk async for chunk in bounded(request, limit)])
    parameters = _from_json(body) if media_type == JSON else _from_form(body)
    check_body(request, parameters)
    return _without_nul(parameters) if _MAY_HOLD_NUL.search(body) else parameters


def parameters_of(request: Request, form: MultipartForm) -> dict[str, Any]:
    """The fields of a multipart body as `read_body` returns them. Raises ApiError 422."""
    parameters = nest(form.fields)
    check_body(request, parameters)
    return _without_nul(parameters)


def _without_nul(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, unless one holds a NUL, which no database takes in a text. Raises ApiError 422."""
    wrong = [name for name, value in parameters.items() if _holds_nul(name) or _holds_nul(value)]
    if wrong:
        shown = [name.replace("\x00", "\ufffd") for name in wrong]
        raise invalid({name: [f"{name[:40]} holds a NUL character."] for name in shown})
    return parameters


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(name) or _holds_nul(inner) for name, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


async def bounded(request: Request, limit: int, *, around: int = 0) -> AsyncIterator[bytes]:
    """The chunks of a body that holds `limit` bytes at most, beside `around` bytes of packing.

    Raises ApiError 413, which names the limit, as soon as it is known to be larger, 408 when it comes so
    slowly that it only keeps a connection: half a minute, and a second more for each 4 kB.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit + around:
        raise too_large(limit)
    received = 0
    chunks = aiter(request.stream())
    started = monotonic()
    while True:
        try:
            async with asyncio.timeout(started + _FIRST_S + received / _SLOWEST_BYTES_PER_S - monotonic()):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise ApiError(408, "The body came too slowly.", headers={"Connection": "close"}) from None
        if chunk is None:
            return
        received += len(chunk)
        if received > limit + around:
            raise too_large(limit)
        yield chunk


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        value = from_json(body)
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ApiError(400, "The body should be a JSON object with the parameters by name.")
    return value


def _from_form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20_000)
    except UnicodeDecodeError:
        raise ApiError(400, "The form is not URL-encoded UTF-8.") from None
    except ValueError:
        raise ApiError(400, "The form has too many fields; send a list of numbers as to=1,2,3.") from None
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Form pairs as a mapping; see `read_body` for brackets and repeated names."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        found = _BRACKETS.match(name)
        if found is None:
            _put(result, name, value)
        elif found[2] == "":
            _put(result, found[1], value, always_list=True)
        else:
            inner = result.setdefault(found[1], {})
            if isinstance(inner, dict):
                inner[found[2]] = value
    return result


def _put(result: dict[str, Any], name: str, value: str, *, always_list: bool = False) -> None:
    before = result.get(name)
    if isinstance(before, list):
        before.append(value)
    elif before is None:
        result[name] = [value] if always_list else value
    elif isinstance(before, str):
        result[name] = [before, value]
