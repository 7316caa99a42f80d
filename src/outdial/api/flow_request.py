"""The body of a request about a flow, checked; and what a document has wrong with it."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from outdial.api.answers import family_time
from outdial.api.errors import ApiError, invalid
from outdial.errors import InvalidFlow
from outdial.flow.definition import parse_flow
from outdial.flow.problem import Problem
from outdial.storage.flows import StoredFlow

LONGEST_NAME = 200
LONGEST_NOTE = 1_000
LARGEST_DOCUMENT = 1024 * 1024
"""Bytes of JSON; what people draw stays far below."""
DEEPEST = 60
"""Objects in objects; what is nested deeper was not drawn by people."""


def read_name(form: Mapping[str, Any], *, default: str | None = None) -> str:
    """The name of a flow. Raises ApiError 422."""
    return _text(form, "name", LONGEST_NAME, default)


def read_note(form: Mapping[str, Any]) -> str:
    """What an author says of a version; may be empty. Raises ApiError 422."""
    return _text(form, "note", LONGEST_NOTE, "")


def read_document(form: Mapping[str, Any]) -> str:
    """The document of a flow as canonical JSON text. It may be unfinished, but it is a JSON object.

    Raises ApiError 422, and 413 when it is too large.
    """
    value = form.get("document")
    if isinstance(value, str):
        try:
            value = from_json(value)
        except ValueError:
            raise invalid({"document": ["document is not JSON."]}) from None
    if not isinstance(value, Mapping):
        raise invalid({"document": ["document is missing: a flow as a JSON object with `nodes`."]})
    if depth(value) > DEEPEST:
        raise invalid({"document": [f"document is nested more than {DEEPEST} deep."]})
    text = canonical(value)
    if "\\u0000" in text:
        raise invalid({"document": ["document holds a NUL character."]})
    if len(text.encode(errors="surrogatepass")) > LARGEST_DOCUMENT:
        raise ApiError(413, f"A flow may have {LARGEST_DOCUMENT} bytes; this one is larger.")
    return text


def read_number(form: Mapping[str, Any], name: str) -> int | None:
    """A whole number that may be left out. Raises ApiError 422."""
    value = form.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise invalid({name: [f"{name} should be a whole number, not {text[:40]!r}."]})
    return int(text)


def problems_of(document: str) -> list[dict[str, str | None]]:
    """What is wrong with a document, each with its node and field; empty if it can be published."""
    try:
        parse_flow(json.loads(document))
    except InvalidFlow as error:
        return [{"node": node, "field": field, "message": message} for node, field, message in error.problems]
    return []


def problem_sentence(node: str | None, field: str | None, message: str | None) -> str:
    """A problem with its place, for a person."""
    return str(Problem(node, field, message or ""))


def canonical(document: Any) -> str:
    """The one spelling of a document, so that equal documents are equal texts."""
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _text(form: Mapping[str, Any], name: str, longest: int, default: str | None) -> str:
    value = form.get(name, default)
    if not isinstance(value, str) or (not value.strip() and default is None):
        raise invalid({name: [f"{name} is missing: a text of 1 to {longest} characters."]})
    if len(value) > longest:
        raise invalid({name: [f"{name} has {len(value)} characters; {longest} are accepted."]})
    if "\x00" in value:
        raise invalid({name: [f"{name} holds a NUL character."]})
    return value.strip()


def depth(value: object) -> int:
    """How deep a value of JSON is nested, without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if deepest > DEEPEST:
            break
        level = [
            inner
            for outer in level
            if isinstance(outer, Mapping | list)
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
        ]
    return deepest


def flow_row(flow: StoredFlow) -> dict[str, Any]:
    """A flow as lists show it."""
    return {
        "id": flow.id,
        "name": flow.name,
        "revision": flow.revision,
        "published": flow.published,
        "created_at": family_time(flow.created_at),
        "updated_at": family_time(flow.updated_at),
    }


def shown_flow(flow: StoredFlow) -> dict[str, Any]:
    """A flow with its draft, and what is wrong with that."""
    return flow_row(flow) | {"document": json.loads(flow.draft), "problems": problems_of(flow.draft)}
