"""`voice/bridges`: the numbers that the account may call from."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import errors, family, page_of, success
from outdial.api.errors import ApiError
from outdial.storage import bridges
from outdial.storage.bridges import Bridge

router = APIRouter(prefix="/voice/bridges", tags=["voice"])

_DIGITS_SHOWN = 40
_EXAMPLE = {
    "id": 5,
    "bridge": "918068280000",
    "display_name": "Clinic",
    "status": "active",
    "calls_per_second": None,
    "max_concurrent": 20,
    "created_at": "2019-08-16 15:09:51",
}


@router.get(
    "",
    summary="List the numbers to call from",
    responses=success("By number.", page_of("bridges", _EXAMPLE)) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_bridges(request: Request) -> Response:
    """Show what may stand in `bridge` of `outgoing/send`, page by page. Any token will do.

    `status` is active, or paused: then calls are accepted and wait. Limits are null where there is none. An
    administrator adds numbers with `admin/bridges`.
    """
    principal = await authenticate(request)
    page = Page(request)

    def read(conn: sa.Connection) -> tuple[list[Bridge], int]:
        found = bridges.of_account(conn, principal.account_id, limit=page.size, offset=page.offset)
        return found, bridges.count(conn, principal.account_id)

    found, total = await context_of(request).database.read(read)
    return page.answer(f"{total} bridges.", [_row(each) for each in found], total)


@router.get(
    "/{bridge}",
    summary="Show one number to call from",
    responses=success("The bridge.", family("The bridge.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, bridge: str) -> Response:
    """Show one number of the account, by its digits."""
    principal = await authenticate(request)
    found = await context_of(request).database.read(bridges.get_by_number, bridge)
    if found is None or found.account_id != principal.account_id:
        raise ApiError(404, f"There is no bridge {bridge[:_DIGITS_SHOWN]}.")
    return ok("The bridge.", _row(found))


def _row(bridge: Bridge) -> dict[str, Any]:
    return {
        "id": bridge.id,
        "bridge": bridge.number,
        "display_name": bridge.display_name,
        "status": "active" if bridge.paused_at is None else "paused",
        "calls_per_second": bridge.calls_per_second,
        "max_concurrent": bridge.max_concurrent,
        "created_at": family_time(bridge.created_at),
    }
