"""`admin/bridges`: our numbers, the account that each belongs to and the trunk that it goes out over."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.administrator import administrator
from outdial.api.answers import Page, family_body, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, page_of, success
from outdial.api.fields import Fields
from outdial.api.idempotency import create
from outdial.api.paths import number_in_path
from outdial.domain.phone_number import PhoneNumber
from outdial.storage import administration, bridges
from outdial.storage.bridges import Bridge

router = APIRouter(prefix="/admin/bridges", tags=["admin"])

_LARGEST_ID = 10**18 - 1
_MOST_FURTHER = 5
_SETTINGS: dict[str, Any] = {
    "account_id": {"type": "integer", "description": "The account that may call from it."},
    "trunk_id": {"type": "integer", "description": "The trunk that its calls go out over."},
    "further_trunk_ids": {
        "type": "array",
        "items": {"type": "integer"},
        "description": "Trunks that a call goes out over when the first takes none: it is held back after"
        " failures or switched off, or the call found out before anything rang; in order. Empty: none.",
    },
    "display_name": {"type": "string", "description": "Sent with it, where the trunk passes it on."},
    "calls_per_second": {
        "type": "number",
        "description": "New calls and legs to agents in a second, over all dialers; empty: no limit.",
    },
    "max_concurrent": {
        "type": "integer",
        "description": "Calls and legs to agents at once, over all dialers; empty: no limit.",
    },
    "paused": {"type": "boolean", "description": "1 keeps its calls in the queue; those in progress go on."},
}
_NUMBER = {"type": "string", "description": "With country code."}
_EXAMPLE_BODY = {"number": "918068280000", "account_id": 2, "trunk_id": 1, "display_name": "Clinic"}
_EXAMPLE = {
    "id": 5,
    **_EXAMPLE_BODY,
    "further_trunk_ids": [2],
    "calls_per_second": None,
    "max_concurrent": 20,
    "paused": False,
    "paused_at": None,
    "created_at": "2019-08-16 15:09:51",
}


def read_bridge_request(form: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Return what a request gives a bridge. Raises ApiError 422."""
    fields = Fields(form)
    if is_new:
        fields.text("number", required=True, check=lambda text: PhoneNumber.parse(text).digits)
    fields.whole("account_id", 1, _LARGEST_ID, required=is_new)
    fields.whole("trunk_id", 1, _LARGEST_ID, required=is_new)
    fields.wholes("further_trunk_ids", 1, _LARGEST_ID, most=_MOST_FURTHER)
    fields.text("display_name", empty="")
    fields.number("calls_per_second", 0.01, 10_000, optional=True)
    fields.whole("max_concurrent", 1, 1_000_000, optional=True)
    fields.flag("paused")
    return fields.done()


@router.post(
    "",
    summary="Add a bridge",
    responses=success("Calls can be made from it.", family("The bridge is added.", _EXAMPLE))
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body({"number": _NUMBER, **_SETTINGS}, ["number", "account_id", "trunk_id"], _EXAMPLE_BODY)
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Add a number of ours."""
    admin = await administrator(request)
    form = await read_body(request)
    values = read_bridge_request(form, is_new=True)
    actor, now = admin.actor, admin.now_ms()
    return await create(
        request,
        admin.principal,
        form,
        lambda conn: administration.create_bridge(conn, actor, values, now=now),
        lambda added: family_body("The bridge is added.", _row(added)),
    )


@router.get(
    "",
    summary="List bridges",
    responses=success("By number.", page_of("bridges", _EXAMPLE)) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_bridges(request: Request) -> Response:
    """Show the numbers of all accounts, page by page."""
    await authenticate(request)
    page = Page(request)
    found = await context_of(request).database.read(bridges.find_all)
    shown = page.cut(found)
    return page.answer(f"{len(found)} bridges.", [_row(each) for each in shown], len(found))


@router.get(
    "/{bridge_id}",
    summary="Show one bridge",
    responses=success("The bridge.", family("The bridge.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, bridge_id: str) -> Response:
    """Show one number of ours."""
    await authenticate(request)
    number = number_in_path("bridge", bridge_id)
    return ok("The bridge.", _row(await context_of(request).database.read(administration.the_bridge, number)))


@router.put(
    "/{bridge_id}",
    summary="Change a bridge",
    responses=success(
        "Changed; calls that were accepted keep their trunk.", family("The bridge is changed.", _EXAMPLE)
    )
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(_SETTINGS, [], {"trunk_id": 2}),
)
async def change(request: Request, bridge_id: str) -> Response:
    """Give a number another account, other trunks or display name; what is left out stays."""
    admin = await administrator(request)
    number = number_in_path("bridge", bridge_id)
    values = read_bridge_request(await read_body(request), is_new=False)
    changed = await admin.run(administration.change_bridge, number, values, now=admin.now_ms())
    return ok("The bridge is changed.", _row(changed))


@router.delete(
    "/{bridge_id}",
    summary="Remove a bridge",
    responses=success("It is gone.", family("The bridge is removed.", {"id": 5})) | errors(401, 404),
)
async def remove(request: Request, bridge_id: str) -> Response:
    """Remove a number; calls that were accepted for it are still made."""
    admin = await administrator(request)
    number = number_in_path("bridge", bridge_id)
    await admin.run(administration.remove_bridge, number, now=admin.now_ms())
    return ok("The bridge is removed.", {"id": number})


def _row(bridge: Bridge) -> dict[str, Any]:
    times = {name: family_time(getattr(bridge, name)) for name in ("created_at", "paused_at")}
    return asdict(bridge) | times | {"paused": bridge.paused_at is not None}
