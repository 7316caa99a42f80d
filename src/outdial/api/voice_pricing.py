"""GET `voice/pricing`: the rate card of the account."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.documentation import errors, family, query, success
from outdial.domain.money import to_text
from outdial.storage import rates
from outdial.storage.rates import CardRow

router = APIRouter(tags=["voice"])

EXAMPLE_ROW = {
    "id": 1,
    "iso": "IN",
    "country_name": "India",
    "calling_code": "91",
    "prefix": "91",
    "sale_price": "0.5000",
    "first_pulse": 30,
    "next_price": "0.5000",
    "next_pulse": 30,
    "connection_fee": "0.0000",
    "currency": "USD",
    "status": "active",
}
_EXAMPLE = family("1 prices.", [EXAMPLE_ROW])


@router.get(
    "/voice/pricing",
    summary="What calls cost",
    responses=success("The prices, by prefix.", _EXAMPLE) | errors(401, 422),
    openapi_extra={
        "parameters": [
            query("page", "From 1.", required=False, kind="integer"),
            query("per_page", "1 to 100, 15 by default.", required=False, kind="integer"),
        ]
    },
)
async def pricing(request: Request) -> Response:
    """List the prices of the account: the longest prefix of a number decides what a call to it costs.

    `sale_price` is for the first pulse (`first_pulse` seconds), `next_price` for each further one.
    """
    principal = await authenticate(request)
    page = Page(request)
    found, total = await context_of(request).database.read(
        _read, principal.account_id, page.size, page.offset
    )
    return page.answer(f"{total} prices.", [price_row(each) for each in found], total)


def _read(conn: sa.Connection, account_id: int, limit: int, offset: int) -> tuple[list[CardRow], int]:
    found = rates.find(conn, account_id=account_id, limit=limit, offset=offset)
    return found, rates.count(conn, account_id=account_id)


def price_row(row: CardRow) -> dict[str, Any]:
    """Return a price as the API shows it."""
    rate = row.rate
    return {
        "id": row.id,
        "iso": row.iso,
        "country_name": row.country_name,
        "calling_code": row.calling_code,
        "prefix": rate.prefix,
        "sale_price": to_text(rate.first_price),
        "first_pulse": rate.first_pulse_s,
        "next_price": to_text(rate.next_price),
        "next_pulse": rate.next_pulse_s,
        "connection_fee": to_text(rate.connection_fee),
        "currency": row.currency,
        "status": "active" if row.active else "inactive",
    }
