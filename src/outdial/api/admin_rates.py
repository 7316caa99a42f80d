"""`admin/rates`: the prices of all accounts; and credit for an account."""

import asyncio
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.administrator import administrator
from outdial.api.answers import Page, family_body, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import MULTIPART, read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, page_of, success
from outdial.api.errors import ApiError, invalid
from outdial.api.fields import Fields
from outdial.api.idempotency import create
from outdial.api.paths import number_in_path
from outdial.api.rate_request import RATE_FILE_BYTES, read_rate, read_rate_file
from outdial.api.uploads import uploaded
from outdial.api.voice_pricing import EXAMPLE_ROW, price_row
from outdial.domain.money import parse_units, to_text
from outdial.errors import InvalidInput, InvalidReference
from outdial.storage import price_list, rates
from outdial.storage.credit import Credit, NotCovered
from outdial.storage.rates import CardRow

router = APIRouter(prefix="/admin", tags=["admin"])

_FIELDS: dict[str, Any] = {
    "prefix": {"type": "string", "description": "First digits of the numbers that it is for."},
    "sale_price": {"type": "string", "description": "For the first pulse, as in 0.5."},
    "first_pulse": {"type": "integer", "default": 60, "description": "Its seconds."},
    "next_price": {"type": "string", "description": "For each further pulse; the same by default."},
    "next_pulse": {"type": "integer", "description": "Its seconds; the same by default."},
    "connection_fee": {"type": "string", "default": "0", "description": "Once, for an answered call."},
    "currency": {"type": "string", "default": "USD", "description": "ISO 4217 code."},
    "account_id": {"type": "integer", "description": "Whose own price it is; everybody's by default."},
    "active": {"type": "boolean", "default": True, "description": "Off, it is as if it were not there."},
}
_EXAMPLE_BODY = {"prefix": "91", "sale_price": "0.5", "first_pulse": 30}
_EXAMPLE = EXAMPLE_ROW | {"account_id": None}
_FILE = {"type": "string", "format": "binary", "description": "CSV, up to 10 MB and 100,000 rows."}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {"schema": {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}}
        },
    }
}
_CREDIT_FIELDS = {
    "amount": {"type": "string", "description": "To add, as in 25; below 0 it is taken away."},
    "note": {"type": "string", "description": "Why; the ledger keeps it."},
}
_CREDIT_EXAMPLE = {
    "balance": "25.0000",
    "reserved": "0.5000",
    "available": "24.5000",
    "currency": "USD",
    "prepaid": True,
}


@router.get(
    "/rates",
    summary="List all prices",
    responses=success("By prefix.", page_of("prices", _EXAMPLE), nullable={"account_id": "integer"})
    | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_rates(request: Request) -> Response:
    """Show the common prices and those of accounts of their own, page by page."""
    await authenticate(request)
    page = Page(request)

    def read(conn: sa.Connection) -> tuple[list[CardRow], int]:
        return rates.find(conn, limit=page.size, offset=page.offset, every=True), rates.count(
            conn, every=True
        )

    found, total = await context_of(request).database.read(read)
    return page.answer(f"{total} prices.", [_row(each) for each in found], total)


@router.put(
    "/rates",
    summary="Set a price",
    responses=success(
        "Calls that are accepted from now on have it.",
        family("The price is set.", _EXAMPLE),
        nullable={"account_id": "integer"},
    )
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["prefix", "sale_price"], _EXAMPLE_BODY),
)
async def put(request: Request) -> Response:
    """Set the price of a prefix, in the place of the one with its account and currency."""
    admin = await administrator(request)
    row = read_rate(await read_body(request))
    stored = await admin.run(price_list.put_rate, row, now=admin.now_ms())
    return ok("The price is set.", _row(stored))


@router.post(
    "/rates/import",
    summary="Import prices",
    responses=success("All of them are set.", family("212 prices are set.", {"rows": 212}))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=_UPLOAD,
)
async def import_rates(request: Request) -> Response:
    """Set the prices of a CSV file (RFC 4180), each in the place of the one with its account and currency.

    Its first row names the columns, as the parameters of `PUT admin/rates`; `prefix` and `sale_price` have to
    be there. All rows are set or none: when any is wrong, `errors` says what is wrong with which.
    """
    admin = await administrator(request)
    async with uploaded(request, "file", limit=RATE_FILE_BYTES, what="prices as CSV") as sent:
        rows = await asyncio.to_thread(read_rate_file, sent.file)
    try:
        await admin.run(price_list.import_rates, rows, now=admin.now_ms())
    except InvalidReference as error:
        raise invalid({"file": [str(error)]}) from error
    return ok(f"{len(rows)} prices are set.", {"rows": len(rows)})


@router.delete(
    "/rates/{rate_id}",
    summary="Remove a price",
    responses=success("It is gone.", family("The price is removed.", {"id": 1})) | errors(401, 404),
)
async def remove(request: Request, rate_id: str) -> Response:
    """Remove a price; calls that were accepted at it are still charged by it."""
    admin = await administrator(request)
    number = number_in_path("price", rate_id)
    await admin.run(price_list.remove_rate, number, now=admin.now_ms())
    return ok("The price is removed.", {"id": number})


@router.post(
    "/accounts/{account_id}/credit",
    summary="Add credit to an account",
    responses=success("As it stands now.", family("The credit is changed.", _CREDIT_EXAMPLE))
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(_CREDIT_FIELDS, ["amount"], {"amount": "25", "note": "invoice 7"})
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add_credit(request: Request, account_id: str) -> Response:
    """Add credit, or take it away; what accepted calls have reserved cannot be taken (409)."""
    admin = await administrator(request)
    number = number_in_path("account", account_id)
    form = await read_body(request)
    fields = Fields(form)
    fields.text("amount", required=True, check=_amount)
    fields.text("note", empty="")
    values = fields.done()
    actor, now = admin.actor, admin.now_ms()

    def add(conn: sa.Connection) -> Credit:
        note = values.get("note", "")
        return price_list.add_credit(conn, actor, number, values["amount"], note=note, now=now)

    try:
        return await create(
            request,
            admin.principal,
            form,
            add,
            lambda account: family_body("The credit is changed.", _credit_row(account)),
        )
    except NotCovered as error:
        available = to_text(error.credit.available)
        raise ApiError(409, f"Only {available} {error.credit.currency} are available.") from error


def _credit_row(account: Credit) -> dict[str, Any]:
    return {
        "balance": to_text(account.balance),
        "reserved": to_text(account.reserved),
        "available": to_text(account.available),
        "currency": account.currency,
        "prepaid": account.prepaid,
    }


def _amount(text: str) -> int:
    units = parse_units(text, "amount")
    if units == 0:
        raise InvalidInput("amount is 0: nothing would change.")
    return units


def _row(row: CardRow) -> dict[str, Any]:
    return price_row(row) | {"account_id": row.account_id}
