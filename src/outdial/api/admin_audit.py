"""GET `admin/audit`: who changed what, when and from where."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_time
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import errors, page_of, query, success
from outdial.storage import audit
from outdial.storage.audit import Entry

router = APIRouter(tags=["admin"])

_EXAMPLE = {
    "id": 12,
    "at": "2019-08-16 15:09:51",
    "actor": "token 3",
    "account_id": 1,
    "token_id": 3,
    "address": "192.0.2.4",
    "action": "change",
    "thing": "trunk",
    "thing_id": "1",
    "before": {"max_concurrent": 100, "password": "(set)"},
    "after": {"max_concurrent": 200, "password": "(changed)"},
}


@router.get(
    "/admin/audit",
    summary="Show the audit log",
    responses=success("The newest first.", page_of("changes", _EXAMPLE), nullable={"account_id": "integer"})
    | errors(401, 422),
    openapi_extra={
        "parameters": [
            query("thing", "Changes of this: account, token, trunk, bridge, flow.", required=False),
            query("thing_id", "Changes of the thing with this id.", required=False),
            *PAGES,
        ]
    },
)
async def show(request: Request) -> Response:
    """Show what was changed over the API and on the command line.

    Of a change `before` and `after` have what differs; secrets are in neither.
    """
    await authenticate(request)
    page = Page(request)
    found, total = await context_of(request).database.read(
        audit.find,
        thing=request.query_params.get("thing") or None,
        thing_id=request.query_params.get("thing_id") or None,
        limit=page.size,
        offset=page.offset,
    )
    return page.answer(f"{total} changes.", [_row(each) for each in found], total)


def _row(entry: Entry) -> dict[str, Any]:
    sides = {name: _side(getattr(entry, name)) for name in ("before", "after")}
    return asdict(entry) | sides | {"at": family_time(entry.at)}


def _side(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a thing was or is: columns that hold times are named for it."""
    if values is None:
        return None
    return {
        name: family_time(value) if name.endswith("_at") and isinstance(value, int) else value
        for name, value in values.items()
    }
