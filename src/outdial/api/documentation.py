"""Pieces of the OpenAPI description that several endpoints share."""

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
    422: "A value is missing or wrong; `errors` has a sentence for each.",
    429: "Too fast; `Retry-After` says how many seconds to wait.",
    503: "The database cannot be reached just now; whether the request was stored is not known.",
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


def success(description: str, example: Any) -> dict[int | str, dict[str, Any]]:
    """The 200 of an endpoint, with an example."""
    return {
        200: {
            "description": description,
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        }
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


COMPONENTS: dict[str, Any] = {
    "schemas": {
        "Error": {
            "type": "object",
            "properties": {
                "status": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string"},
                "errors": {
                    "type": "object",
                    "description": "Sentences by the name of the parameter that they are about.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
            "example": {
                "status": 422,
                "message": "There is no bridge 918068280000.",
                "errors": {"bridge": ["There is no bridge 918068280000."]},
            },
        }
    },
    "securitySchemes": {
        "bearer": {"type": "http", "scheme": "bearer"},
        "access_token": {"type": "apiKey", "in": "query", "name": "access_token"},
    },
}
