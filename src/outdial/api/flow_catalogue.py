"""`flows/steps` and `flows/schema`: what flows are built of, for editors."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from outdial.api.answers import ok
from outdial.api.auth import authenticate
from outdial.api.documentation import errors, family, success
from outdial.flow.catalogue import catalogue, definitions
from outdial.flow.schema import flow_schema

router = APIRouter(prefix="/flows", tags=["flows"])

_STEP = {
    "type": "wait",
    "summary": "Be silent for a while.",
    "description": "Be silent for a while. Keys change nothing.",
    "settings": [
        {
            "name": "seconds",
            "kind": "seconds, 0.1 to 600",
            "description": "How long.",
            "required": True,
            "schema": {"type": "number", "minimum": 0.1, "maximum": 600, "description": "How long."},
        }
    ],
    "exits": [{"name": "next", "description": "It is done.", "pattern": None, "optional": False}],
    "example": {"type": "wait", "settings": {"seconds": 2}, "exits": {"next": "welcome"}},
}
_SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON Schema (2020-12).",
        "content": {
            "application/schema+json": {
                "schema": {"type": "object"},
                "example": {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "title": "Outdial flow",
                },
            }
        },
    }
}


@router.get(
    "/steps",
    summary="List the step types",
    responses=success(
        "All of them, by name.",
        family("20 step types.", {"steps": [_STEP], "definitions": {"prompt": {"anyOf": []}}}),
        nullable={"pattern": "string"},
    )
    | errors(401, 403),
)
async def steps(request: Request) -> Response:
    """Show every step type with its settings, its exits and an example: what an editor draws its forms from.

    `schema` is the JSON Schema of a setting; `#/$defs/…` in it stands for one of `definitions`. An exit with
    a `pattern` stands for all exits whose names match it. An `optional` exit may be left out without anything
    being missed.
    """
    await authenticate(request)
    found = catalogue()
    return ok(f"{len(found)} step types.", {"steps": found, "definitions": dict(definitions())})


@router.get(
    "/schema",
    summary="Fetch the JSON Schema of flows",
    response_class=Response,
    responses=_SCHEMA | errors(401, 403),
)
async def schema(request: Request) -> Response:
    """Give what `outdial flow schema` prints: the format of documents, for editors and programs."""
    await authenticate(request)
    return JSONResponse(flow_schema(), media_type="application/schema+json")
