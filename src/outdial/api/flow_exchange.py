"""`flows/import`, `flows/{id}/export` and `diff`: flows that come from elsewhere and go there."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import family_body, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, query, success
from outdial.api.errors import invalid
from outdial.api.flow_request import canonical, read_document, read_name, shown_flow
from outdial.api.flows import DOCUMENT, EXAMPLE, the_flow, the_version
from outdial.api.idempotency import create
from outdial.errors import InvalidInput
from outdial.flow.difference import Change, changes
from outdial.flow.importing import SOURCES, import_flow
from outdial.flow.text_form import text_form
from outdial.storage import flows
from outdial.storage.flows import StoredFlow

router = APIRouter(prefix="/flows", tags=["flows"])

DRAFT = "draft"
_OURS = "outdial"

_NOTE = {"severity": "lost", "node": "gather", "message": "what the callee says is not understood"}
_IMPORTED = EXAMPLE | {"notes": [_NOTE]}
_FIELDS = {
    "source": {
        "type": "string",
        "enum": [_OURS, *SOURCES],
        "description": "Whose flow it is; by default ours.",
    },
    "document": {"type": "object", "description": "What was exported there; in a form, as JSON text."},
    "name": {"type": "string", "description": "What to call it; by default as it is called there."},
    "flow": {"type": "string", "description": "Name or uuid of one, where an export holds several."},
    "dry_run": {"type": "boolean", "description": "Store nothing, only show what would come of it."},
}
_CHANGE = {
    "what": "changed",
    "node": "hello",
    "field": "settings.prompt",
    "old": '"Hello."',
    "new": '"Hello {{name}}."',
    "sentence": "node 'hello': settings.prompt was 'Hello.' and is 'Hello {{name}}.'",
}
_MAY_BE_NULL = {"node": "string", "field": "string", "old": "string", "new": "string", "id": "integer"}
_SIDES = "a number of a published version, or `draft`"


_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document in its one form of text, for version control.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": text_form(DOCUMENT)}},
    }
}


@router.post(
    "/import",
    summary="Import a flow",
    responses=success(
        "Stored as a draft.",
        family("The flow 23 is stored; 1 notes.", _IMPORTED),
        nullable=_MAY_BE_NULL | {"created_at": "string", "updated_at": "string", "revision": "integer"},
    )
    | errors(400, 401, 403, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["document"], {"source": _OURS, "name": "Reminder", "document": DOCUMENT})
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def import_(request: Request) -> Response:
    """Make a draft of a flow that was exported here, or from Twilio Studio or RapidPro.

    What has no like here becomes a step that tags the call and goes on. `notes` says, by node, what is `lost`
    or `changed`, and what `lint` says of the flow that was made. With `dry_run` nothing is stored, and `id`
    is null.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    source, dry = form.get("source") or _OURS, form.get("dry_run") in (True, "true", "1")
    if source not in (_OURS, *SOURCES):
        raise invalid({"source": [f"source should be one of {_OURS}, {', '.join(SOURCES)}."]})
    document, usual, notes = read_document(form), "", []
    if source != _OURS:
        which = form.get("flow")
        try:
            made = await asyncio.to_thread(
                import_flow, source, json.loads(document), which if isinstance(which, str) and which else None
            )
        except InvalidInput as error:
            raise invalid({"document": [str(error)]}) from None
        document, usual, notes = canonical(made.document), made.name, [asdict(each) for each in made.notes]
    name = read_name(form, default=usual.strip() or _own_name(document))
    if dry:
        flow = StoredFlow(
            id=0,
            account_id=principal.account_id,
            name=name,
            draft=document,
            revision=0,
            published=None,
            created_at=0,
            updated_at=0,
        )
        shown = shown_flow(flow) | dict.fromkeys(("id", "revision", "created_at", "updated_at"))
        return ok(f"{len(notes)} notes.", shown | {"notes": notes})
    return await create(
        request,
        principal,
        form,
        partial(
            flows.insert, account_id=principal.account_id, name=name, draft=document, now=context.now_ms()
        ),
        lambda flow: family_body(
            f"The flow {flow.id} is stored; {len(notes)} notes.", shown_flow(flow) | {"notes": notes}
        ),
    )


@router.get(
    "/{flow_id}/export",
    summary="Export a flow",
    response_class=Response,
    responses=_EXPORTED | errors(401, 403, 404, 422),
    openapi_extra={
        "parameters": [query("version", f"Which: {_SIDES}; by default the draft.", required=False)]
    },
)
async def export(request: Request, flow_id: str) -> Response:
    """Give the document of a flow, as `outdial flow format` writes it: the same text for the same flow."""
    flow = await the_flow(request, await authenticate(request), flow_id)
    document = await _document(request, flow, request.query_params.get("version") or DRAFT, "version")
    headers = {"Content-Disposition": f'attachment; filename="flow-{flow.id}.json"'}
    return Response(text_form(document), media_type="text/plain", headers=headers)


@router.get(
    "/{flow_id}/diff",
    summary="Compare two versions of a flow",
    responses=success("The changes, nodes by name.", family("1 changes.", [_CHANGE]), nullable=_MAY_BE_NULL)
    | errors(401, 403, 404, 422),
    openapi_extra={
        "parameters": [
            query("from", f"The older: {_SIDES}; by default what is published.", required=False),
            query("to", f"The newer: {_SIDES}; by default the draft.", required=False),
        ]
    },
)
async def diff(request: Request, flow_id: str) -> Response:
    """Say what changed between two versions of a flow, or since its publishing; `old` and `new` are JSON."""
    flow = await the_flow(request, await authenticate(request), flow_id)
    before = request.query_params.get("from") or str(flow.published or DRAFT)
    after = request.query_params.get("to") or DRAFT
    found = changes(
        await _document(request, flow, before, "from"), await _document(request, flow, after, "to")
    )
    return ok(f"{len(found)} changes.", [_change_row(each) for each in found])


async def _document(request: Request, flow: StoredFlow, which: str, name: str) -> Mapping[str, Any]:
    """A side of a comparison. Raises ApiError 404 and 422."""
    if which == DRAFT:
        text = flow.draft
    elif which.isascii() and which.isdigit() and len(which) <= 9:
        text = (await the_version(request, flow, int(which), which)).document
    else:
        raise invalid({name: [f"{name} should be {_SIDES}, not {which[:40]!r}."]})
    document: Mapping[str, Any] = json.loads(text)
    return document


def _change_row(change: Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "node": change.node,
        "field": change.field,
        "old": None if change.what == "added" else json.dumps(change.before),
        "new": None if change.what == "removed" else json.dumps(change.after),
        "sentence": str(change),
    }


def _own_name(document: str) -> str | None:
    """The name that a document says it has."""
    name = json.loads(document).get("name")
    return name if isinstance(name, str) and name.strip() else None
