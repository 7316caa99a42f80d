"""Pieces of the OpenAPI description that several endpoints share."""

from collections.abc import Mapping
from typing import Any

_ERRORS = {
    400: "The body cannot be read.",
    401: "No token, or one that is not valid.",
    402: "The credit of the account does not cover it.",
    403: "The token lacks the scope that this needs, or may not be used from this address.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "The state of the thing does not allow that.",
    413: "Too large.",
    415: "A media type that is not accepted.",
    416: "`Range` names a part behind the end.",
    422: "A value is missing or wrong; `errors` has a sentence for each.",
    429: "Too fast; `Retry-After` says how many seconds to wait.",
    503: "The database cannot be reached just now; whether the request was stored is not known.",
    507: "The server's disk is full: nothing was stored.",
}

_EXAMPLES = {
    403: {
        "status": 403,
        "message": "This token lacks the scope calls, which this endpoint needs.",
        "errors": {},
    },
    422: {
        "status": 422,
        "message": "There is no bridge 918068280000.",
        "errors": {"bridge": ["There is no bridge 918068280000."]},
    },
    429: {"status": 429, "message": "A token may send 2000 requests a second; wait a second.", "errors": {}},
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint that may answer with these statuses."""
    return {
        status: {
            "description": _ERRORS[status],
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Error"},
                    "example": _EXAMPLES.get(
                        status, {"status": status, "message": _ERRORS[status], "errors": {}}
                    ),
                }
            },
        }
        for status in statuses
    }


_NULLS = {
    **dict.fromkeys(
        (
            *("prev", "next", "provider", "location", "iso", "sip_reason", "reason", "recording", "codec"),
            *("ringing_at", "answered_at", "ended_at", "dialed_at", "start_at", "end_at", "closed_at"),
            *("paused_at", "calling_window", "expires_at", "last_used_at", "revoked_at", "failing_since"),
            *("former_secret_until", "next_try_at", "error", "hangup_by", "sip_call_id", "peer", "text"),
            *("username", "password", "auth_username", "from_user", "from_domain", "address", "off_at"),
            *("display_name", "answer", "note", "iso_code", "submitted_at", "body"),
            *("region", "recording_url", "published_by"),
        ),
        "string",
    ),
    **dict.fromkeys(
        (
            *("q850", "sip_code", "ptime", "published", "token_id", "from", "to", "ms"),
            *("max_concurrent", "session_expires_s", "options_interval_s"),
        ),
        "integer",
    ),
    "calls_per_second": "number",
    **dict.fromkeys(("before", "after", "quality"), "object"),
}
"""What may be null in an answer, by its name, and what it is otherwise; a null in an example that is not
here is a text otherwise."""

_FREE = frozenset(
    {
        *("headers", "before", "after", "document", "checks", "variables", "exits", "results"),
        *("schema", "definitions", "example"),
    }
)
"""Objects whose names are the user's own, or those of JSON Schema."""

_NULL = "\ue000null"
"""Stands for null in an example until `with_nulls`: the framework drops what is null."""


def success(
    description: str, example: Any, *, nullable: Mapping[str, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """The 200 of an endpoint, with an example, which the schema is made from.

    `nullable` adds what may be null in this answer only, and its type otherwise.
    """
    nulls = {**_NULLS, **(nullable or {})}
    content = {"schema": _shape(example, nulls), "example": _marked(example)}
    return {200: {"description": description, "content": {"application/json": content}}}


def _shape(example: Any, nulls: dict[str, str], name: str = "") -> dict[str, Any]:
    match example:
        case dict() if name in _FREE:
            shape: dict[str, Any] = {"type": "object"}
        case dict():
            properties = {each: _shape(value, nulls, each) for each, value in example.items()}
            shape = {"type": "object", "properties": properties}
        case list():
            shape = {"type": "array", "items": _of_each(example, nulls)}
        case None:
            shape = {"type": nulls.get(name, "string")}
        case bool():
            shape = {"type": "boolean"}
        case int():
            shape = {"type": "integer"}
        case float():
            shape = {"type": "number"}
        case _:
            shape = {"type": "string"}
    return shape | {"type": [shape["type"], "null"]} if name in nulls or example is None else shape


def _of_each(rows: list[Any], nulls: dict[str, str]) -> dict[str, Any]:
    """The shape that all rows have: of objects every name that one of them has, null if it is in one."""
    if not (rows and all(isinstance(row, dict) for row in rows)):
        return _shape(rows[0], nulls) if rows else {}
    properties: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if name in row]
        known = next((value for value in values if value is not None), None)
        shape = _shape(known, nulls, name)
        if None in values and isinstance(shape["type"], str):
            shape["type"] = [shape["type"], "null"]
        properties[name] = shape
    return {"type": "object", "properties": properties}


def _marked(example: Any) -> Any:
    if isinstance(example, dict):
        return {name: _marked(value) for name, value in example.items()}
    if isinstance(example, list):
        return [_marked(each) for each in example]
    return _NULL if example is None else example


def with_nulls(description: Any) -> Any:
    """The whole description with the nulls of its examples."""
    if isinstance(description, dict):
        return {name: with_nulls(value) for name, value in description.items()}
    if isinstance(description, list):
        return [with_nulls(each) for each in description]
    return None if description == _NULL else description


TEXTS = {"type": ["string", "array"], "items": {"type": "string"}}
"""Several texts: a list, or one text with commas between."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Of your own, for this request: sent again with the same key, it does nothing again and"
    " gets the same answer, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def body(properties: dict[str, Any], required: list[str], example: Any) -> dict[str, Any]:
    """`openapi_extra` for a body that may be a form, JSON or multipart."""
    schema = {"type": "object", "properties": properties, "required": required}
    content = {
        media_type: {"schema": schema, "example": example}
        for media_type in ("application/x-www-form-urlencoded", "application/json", "multipart/form-data")
    }
    return {"requestBody": {"required": True, "content": content}}


def query(name: str, description: str, *, required: bool = True, kind: str = "string") -> dict[str, Any]:
    """One query parameter."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": {"type": kind},
    }


def family(message: str, data: Any, **more: Any) -> dict[str, Any]:
    """An example in the shape of every endpoint but `outgoing/send`."""
    return {"status": "OK", "code": 200, "message": message, "data": data, **more}


def page_of(things: str, row: dict[str, Any]) -> dict[str, Any]:
    """An example of a list with one row."""
    links = {"first": "…?page=1&per_page=15", "last": "…?page=1&per_page=15", "prev": None, "next": None}
    meta = {"current_page": 1, "from": 1, "last_page": 1, "path": "…", "per_page": 15, "to": 1, "total": 1}
    return family(f"1 {things}.", [row], links=links, meta=meta)


_SENTENCES = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
_WARNINGS = _SENTENCES | {
    "description": "Sentences by the name of a parameter that was sent and is not known here; the rest of the"
    " request counts. Not there when there are none.",
    "example": {"intervall": ["intervall is not known here; did you mean interval?"]},
}


def with_warnings(operation: dict[str, Any]) -> None:
    """Add to the answers of an endpoint with a body what they say about names that it does not know."""
    for content in operation["responses"].get("200", {}).get("content", {}).values():
        if "properties" in content["schema"]:
            content["schema"]["properties"]["warnings"] = {"$ref": "#/components/schemas/Warnings"}


COMPONENTS: dict[str, Any] = {
    "schemas": {
        "Warnings": _WARNINGS,
        "Error": {
            "type": "object",
            "properties": {
                "status": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string"},
                "errors": _SENTENCES
                | {"description": "Sentences by the name of the parameter that they are about."},
                "warnings": {"$ref": "#/components/schemas/Warnings"},
            },
            "example": {
                "status": 422,
                "message": "There is no bridge 918068280000.",
                "errors": {"bridge": ["There is no bridge 918068280000."]},
            },
        },
    },
    "securitySchemes": {
        "bearer": {"type": "http", "scheme": "bearer"},
        "access_token": {"type": "apiKey", "in": "query", "name": "access_token"},
    },
}
