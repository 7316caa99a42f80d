"""`flows`: what Engage > Studio edits. A draft that may be unfinished, and versions that never change."""

import json
from dataclasses import asdict
from functools import partial
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.actor import actor_of
from outdial.api.answers import Page, family_body, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES, number_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, query, success
from outdial.api.errors import ApiError, invalid
from outdial.api.flow_lint import check
from outdial.api.flow_request import (
    flow_row,
    problem_sentence,
    problems_of,
    read_document,
    read_name,
    read_note,
    read_number,
    shown_flow,
)
from outdial.api.idempotency import create
from outdial.flow.lint import Finding
from outdial.storage import flows
from outdial.storage.flows import FlowVersion, StoredFlow

router = APIRouter(prefix="/flows", tags=["flows"])

DOCUMENT = {
    "schema_version": 1,
    "entry": "hello",
    "nodes": {
        "hello": {"type": "play", "settings": {"prompt": "Hello {{name}}."}, "exits": {"next": "bye"}},
        "bye": {"type": "hang_up", "settings": {"result": "success"}},
    },
}
_FIELDS = {
    "name": {"type": "string", "description": "What people call it, up to 200 characters."},
    "document": {"type": "object", "description": "The flow; in a form, as JSON text. It may be unfinished."},
}
_ROLL_BACK = {"version": {"type": "integer", "description": "Number of a published version."}}
_REVISION = {
    "type": "integer",
    "description": "Of the draft that was changed: 409 if somebody else has saved meanwhile.",
}
_ROW = {
    "id": 23,
    "name": "Appointment reminder",
    "revision": 4,
    "published": 2,
    "created_at": "2019-08-16 15:09:51",
    "updated_at": "2019-08-16 15:30:02",
}
EXAMPLE = _ROW | {"document": DOCUMENT, "problems": []}
_VERSION = {
    "version": 2,
    "note": "Asks again when nothing is pressed.",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "published_at": "2019-08-16 15:30:02",
    "published_by": "token 3",
    "current": True,
}
_PUBLISHED = _VERSION | {"warnings": []}
_META = {"current_page": 1, "from": 1, "last_page": 1, "path": "…", "per_page": 15, "to": 1, "total": 1}
_LINKS = {"first": "…?page=1&per_page=15", "last": "…?page=1&per_page=15", "prev": None, "next": None}


@router.post(
    "",
    summary="Add a flow",
    responses=success("Stored as a draft.", family("The flow 23 is stored.", EXAMPLE))
    | errors(400, 401, 403, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["name", "document"], {"name": "Appointment reminder", "document": DOCUMENT})
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Store a flow as a draft. `problems` says what keeps it from being published."""
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    name, draft = read_name(form), read_document(form)
    return await create(
        request,
        principal,
        form,
        partial(flows.insert, account_id=principal.account_id, name=name, draft=draft, now=context.now_ms()),
        lambda flow: family_body(f"The flow {flow.id} is stored.", shown_flow(flow)),
    )


@router.get(
    "",
    summary="List flows",
    responses=success("The oldest first.", family("1 flows.", [_ROW], links=_LINKS, meta=_META))
    | errors(401, 403, 422),
    openapi_extra={
        "parameters": [query("filter[name]", "Those with this in their name.", required=False), *PAGES]
    },
)
async def list_flows(request: Request) -> Response:
    """Show the account's flows, page by page, without their documents."""
    context = context_of(request)
    principal = await authenticate(request)
    page = Page(request)
    name = request.query_params.get("filter[name]", "").strip() or None
    found, total = await context.database.read(
        flows.find, principal.account_id, name=name, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} flows.", [flow_row(flow) for flow in found], total)


@router.get(
    "/{flow_id}",
    summary="Show one flow",
    responses=success("The flow with its draft.", family("The flow.", EXAMPLE)) | errors(401, 403, 404),
)
async def get(request: Request, flow_id: str) -> Response:
    """Show a flow with its draft, and what keeps that from being published."""
    return ok("The flow.", shown_flow(await the_flow(request, await authenticate(request), flow_id)))


@router.put(
    "/{flow_id}",
    summary="Change a flow's draft",
    responses=success("Saved.", family("The flow 23 is saved.", EXAMPLE))
    | errors(400, 401, 403, 404, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS | {"revision": _REVISION}, [], {"document": DOCUMENT, "revision": 4}),
)
async def change(request: Request, flow_id: str) -> Response:
    """Save the draft; what is left out stays. Calls go on with the published version."""
    context = context_of(request)
    principal = await authenticate(request)
    before = await the_flow(request, principal, flow_id)
    form = await read_body(request)
    revision = read_number(form, "revision")
    name = read_name(form, default=before.name)
    draft = read_document(form) if "document" in form else before.draft
    if revision is not None and revision != before.revision:
        raise _changed_meanwhile(before.revision, revision)
    saved = await context.database.run(
        flows.save,
        principal.account_id,
        before.id,
        name=name,
        draft=draft,
        revision=before.revision,
        now=context.now_ms(),
    )
    after = await the_flow(request, principal, flow_id)
    if not saved:
        raise _changed_meanwhile(after.revision, before.revision)
    return ok(f"The flow {after.id} is saved.", shown_flow(after))


@router.delete(
    "/{flow_id}",
    summary="Remove a flow",
    responses=success("It is gone.", family("The flow 23 is removed.", {"id": 23})) | errors(401, 403, 404),
)
async def remove(request: Request, flow_id: str) -> Response:
    """Remove a flow. Calls that were accepted with it still run the version that they are pinned to."""
    context = context_of(request)
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    actor, now = actor_of(request, principal), context.now_ms()
    await context.database.run(flows.delete, actor, principal.account_id, flow.id, now=now)
    return ok(f"The flow {flow.id} is removed.", {"id": flow.id})


@router.post(
    "/{flow_id}/publish",
    summary="Publish the draft",
    responses=success(
        "New calls get it.", family("Version 2 of the flow 23 is published.", _VERSION | {"warnings": []})
    )
    | errors(400, 401, 403, 404, 413, 415, 422),
    openapi_extra=body({"note": {"type": "string", "description": "What is new."}}, [], {"note": "Shorter."}),
)
async def publish(request: Request, flow_id: str) -> Response:
    """Make the draft a version that never changes, and the one that new calls get.

    A draft with problems, or with errors that lint finds, is refused with all of them; what lint warns of
    is in `warnings`. A draft that is the newest version already is that version again.
    """
    context = context_of(request)
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    note = read_note(await read_body(request))
    if problems := problems_of(flow.draft):
        raise invalid({"document": [problem_sentence(**problem) for problem in problems[:100]]})
    found = await check(request, principal, flow.draft, own=flow.id)
    if wrong := [problem_sentence(*_place(each)) for each in found if each.severity == "error"]:
        raise invalid({"document": wrong[:100]})
    version = await context.database.run(
        flows.publish,
        actor_of(request, principal),
        principal.account_id,
        flow.id,
        flow.draft,
        note=note,
        now=context.now_ms(),
    )
    if version is None:
        raise _unknown(flow_id)
    return ok(
        f"Version {version.version} of the flow {flow.id} is published.",
        _version_row(version, version.version) | {"warnings": [asdict(each) for each in found]},
    )


@router.get(
    "/{flow_id}/versions",
    summary="List the published versions",
    responses=success("The newest first.", family("2 versions.", [_VERSION])) | errors(401, 403, 404),
)
async def list_versions(request: Request, flow_id: str) -> Response:
    """Show all published versions of a flow; `current` is the one that new calls get."""
    flow = await the_flow(request, await authenticate(request), flow_id)
    found = await context_of(request).database.read(flows.versions, flow.id)
    return ok(f"{len(found)} versions.", [_version_row(version, flow.published) for version in found])


@router.get(
    "/{flow_id}/versions/{version}",
    summary="Show one published version",
    responses=success("With its document.", family("The version.", _VERSION | {"document": DOCUMENT}))
    | errors(401, 403, 404),
)
async def get_version(request: Request, flow_id: str, version: str) -> Response:
    """Show a published version with its document."""
    flow = await the_flow(request, await authenticate(request), flow_id)
    found = await the_version(request, flow, number_of(version), version)
    row = _version_row(found, flow.published)
    return ok("The version.", row | {"document": json.loads(found.document)})


@router.post(
    "/{flow_id}/rollback",
    summary="Publish an older version again",
    responses=success("New calls get it.", family("Version 1 of the flow 23 is published.", _VERSION))
    | errors(400, 401, 403, 404, 413, 415, 422),
    openapi_extra=body(_ROLL_BACK, ["version"], {"version": 1}),
)
async def roll_back(request: Request, flow_id: str) -> Response:
    """Let new calls get an older version. The draft stays; nothing is lost."""
    context = context_of(request)
    principal = await authenticate(request)
    flow = await the_flow(request, principal, flow_id)
    form = await read_body(request)
    number = read_number(form, "version")
    if number is None:
        raise invalid({"version": ["version is missing: the number of a published version."]})
    version = await the_version(request, flow, number, str(number))
    actor, now = actor_of(request, principal), context.now_ms()
    if not await context.database.run(flows.roll_back, actor, principal.account_id, flow.id, number, now=now):
        raise _unknown(flow_id)
    return ok(f"Version {number} of the flow {flow.id} is published.", _version_row(version, number))


async def the_flow(request: Request, principal: Principal, flow_id: str) -> StoredFlow:
    """The account's flow with this id. Raises ApiError 404."""
    number = number_of(flow_id)
    found = None
    if number is not None:
        found = await context_of(request).database.read(flows.get, principal.account_id, number)
    if found is None:
        raise _unknown(flow_id)
    return found


def why_not_callable(conn: sa.Connection, account_id: int, flow_id: int) -> tuple[str | None, int | None]:
    """Why no call can be sent into a flow, as a sentence; or None, and the version that is published."""
    flow = flows.get(conn, account_id, flow_id)
    if flow is None:
        return f"There is no flow {flow_id}; GET /api/v1/flows lists all of them.", None
    if flow.published is None:
        return f"The flow {flow_id} was never published: POST /api/v1/flows/{flow_id}/publish.", None
    return None, flow.published


async def the_version(request: Request, flow: StoredFlow, number: int | None, shown: str) -> FlowVersion:
    """The published version with this number. Raises ApiError 404."""
    found = None
    if number is not None and number < 2**31:
        found = await context_of(request).database.read(flows.get_version, flow.id, number)
    if found is None:
        raise ApiError(404, f"The flow {flow.id} has no version {shown[:40]}.")
    return found


def _unknown(flow_id: str) -> ApiError:
    return ApiError(404, f"There is no flow {flow_id[:40]}; GET /api/v1/flows lists all of them.")


def _changed_meanwhile(now: int, then: int) -> ApiError:
    return ApiError(
        409,
        f"Somebody has saved this flow meanwhile: its draft is revision {now}, your change is of {then}."
        " Read it again.",
    )


def _place(finding: Finding) -> tuple[str | None, str | None, str]:
    return finding.node, finding.field, finding.message


def _version_row(version: FlowVersion, current: int | None) -> dict[str, Any]:
    return {
        "version": version.version,
        "note": version.note,
        "sha256": version.sha256,
        "published_at": family_time(version.published_at),
        "published_by": version.published_by,
        "current": version.version == current,
    }
