"""`admin/rates`: the prices of all accounts; and credit for an account."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.administrator import administrator
from outdial.api.answers import Page, family_body, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, page_of, success
from outdial.api.errors import ApiError
from outdial.api.fields import Fields
from outdial.api.idempotency import create
from outdial.api.paths import number_in_path
from outdial.api.voice_pricing import EXAMPLE_ROW, price_row
from outdial.domain.country import country_of_prefix
from outdial.domain.money import parse_currency, parse_units, to_text
from outdial.domain.rating import LONGEST_PREFIX, Rate
from outdial.errors import InvalidInput
from outdial.storage import price_list, rates
from outdial.storage.credit import Credit, NotCovered
from outdial.storage.rates import CardRow, NewCardRow

router = APIRouter(prefix="/admin", tags=["admin"])

_LARGEST_ID = 10**18 - 1
_LONGEST_PULSE_S = 86_400
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
    context = context_of(request)
    principal = await authenticate(request)
    row = _read(await read_body(request, limit=context.options.body_bytes))
    stored = await context.database.run(
        price_list.put_rate, administrator(request, principal), row, now=context.now_ms()
    )
    return ok("The price is set.", _row(stored))


@router.delete(
    "/rates/{rate_id}",
    summary="Remove a price",
    responses=success("It is gone.", family("The price is removed.", {"id": 1})) | errors(401, 404),
)
async def remove(request: Request, rate_id: str) -> Response:
    """Remove a price; calls that were accepted at it are still charged by it."""
    context = context_of(request)
    principal = await authenticate(request)
    number = number_in_path("price", rate_id)
    await context.database.run(
        price_list.remove_rate, administrator(request, principal), number, now=context.now_ms()
    )
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
    context = context_of(request)
    principal = await authenticate(request)
    number = number_in_path("account", account_id)
    form = await read_body(request, limit=context.options.body_bytes)
    fields = Fields(form)
    fields.text("amount", required=True, check=_amount)
    fields.text("note", empty="")
    values = fields.done()
    actor, now = administrator(request, principal), context.now_ms()

    def add(conn: sa.Connection) -> Credit:
        note = values.get("note", "")
        return price_list.add_credit(conn, actor, number, values["amount"], note=note, now=now)

    try:
        return await create(
            request,
            principal,
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


def _read(form: dict[str, Any]) -> NewCardRow:
    fields = Fields(form)
    fields.text("prefix", required=True, check=_prefix)
    fields.text("sale_price", required=True, check=lambda text: _price(text, "sale_price"))
    fields.whole("first_pulse", 1, _LONGEST_PULSE_S)
    fields.text("next_price", check=lambda text: _price(text, "next_price"))
    fields.whole("next_pulse", 1, _LONGEST_PULSE_S)
    fields.text("connection_fee", check=lambda text: _price(text, "connection_fee"))
    fields.text("currency", check=parse_currency)
    fields.whole("account_id", 1, _LARGEST_ID)
    fields.flag("active")
    values = fields.done()
    first_pulse_s = values.get("first_pulse", 60)
    country = country_of_prefix(values["prefix"])
    return NewCardRow(
        rate=Rate(
            prefix=values["prefix"],
            first_pulse_s=first_pulse_s,
            next_pulse_s=values.get("next_pulse", first_pulse_s),
            first_price=values["sale_price"],
            next_price=values.get("next_price", values["sale_price"]),
            connection_fee=values.get("connection_fee", 0),
        ),
        currency=values.get("currency", "USD"),
        account_id=values.get("account_id"),
        iso=country.iso,
        country_name=country.name,
        calling_code=country.calling_code,
        active=values.get("active", True),
    )


def _prefix(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_PREFIX):
        raise InvalidInput(f"prefix should be 1 to {LONGEST_PREFIX} digits, such as 91, not {text[:40]!r}.")
    return digits


def _price(text: str, name: str) -> int:
    units = parse_units(text, name)
    if units < 0:
        raise InvalidInput(f"{name} should not be negative.")
    return units


def _amount(text: str) -> int:
    units = parse_units(text, "amount")
    if units == 0:
        raise InvalidInput("amount is 0: nothing would change.")
    return units


def _row(row: CardRow) -> dict[str, Any]:
    return price_row(row) | {"account_id": row.account_id}
