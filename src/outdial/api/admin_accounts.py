"""`admin/accounts`: the customers of this server. Add, list, change, close."""

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

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
from outdial.domain.calling_window import LONGEST as LONGEST_WINDOW
from outdial.domain.calling_window import CallingWindow
from outdial.domain.money import parse_currency, to_text
from outdial.storage import accounts, administration
from outdial.storage.accounts import Account

router = APIRouter(prefix="/admin/accounts", tags=["admin"])

_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "description": "For people."},
    "time_zone": {
        "type": "string",
        "description": "IANA name, such as Asia/Kolkata: the API writes and reads its times in it. UTC by"
        " default.",
    },
    "calls_per_second": {
        "type": "number",
        "description": "New calls and legs to agents in a second, over all dialers; empty: no limit.",
    },
    "max_concurrent": {
        "type": "integer",
        "description": "Calls and legs to agents at once, over all dialers; empty: no limit.",
    },
    "calling_window": {
        "type": "string",
        "description": "When its callees may be called, unless a request says otherwise, as in `mon-fri"
        " 09:00-18:00; not 2026-12-25; zone callee`; empty: at any time.",
    },
    "paused": {"type": "boolean", "description": "1 keeps its calls in the queue; those in progress go on."},
    "prepaid": {
        "type": "boolean",
        "description": "1: it calls only what its credit pays for. One that owes something cannot become it.",
    },
    "currency": {
        "type": "string",
        "description": "ISO 4217 code of its balance, USD by default; it changes only at 0.",
    },
}
_EXAMPLE = {
    "id": 2,
    "name": "Clinic",
    "time_zone": "Asia/Kolkata",
    "status": "open",
    "currency": "USD",
    "prepaid": False,
    "balance": "0.0000",
    "reserved": "0.0000",
    "calls_per_second": 5.0,
    "max_concurrent": 20,
    "paused": False,
    "paused_at": None,
    "calling_window": "mon-fri 09:00-18:00",
    "created_at": "2019-08-16 15:09:51",
    "closed_at": None,
}


def read_account_request(form: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Return what a request gives an account. Raises ApiError 422."""
    fields = Fields(form)
    fields.text("name", required=is_new)
    fields.text("time_zone", check=time_zone)
    fields.number("calls_per_second", 0.01, 10_000, optional=True)
    fields.whole("max_concurrent", 1, 1_000_000, optional=True)
    fields.text("calling_window", empty=None, most=LONGEST_WINDOW, check=calling_window)
    fields.flag("paused")
    fields.flag("prepaid")
    fields.text("currency", check=parse_currency)
    return fields.done()


def calling_window(text: str) -> str:
    """A calling window as it was written. Raises InvalidInput with a sentence."""
    CallingWindow.parse(text)
    return text


def time_zone(text: str) -> str:
    """The IANA name of a time zone. Raises ValueError with a sentence."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # for a folder's name it raises what opening a folder raises
        raise ValueError(
            f"time_zone should be an IANA name such as Asia/Kolkata, not {text[:40]!r}."
        ) from None
    return text


@router.post(
    "",
    summary="Add an account",
    responses=success("It is there; make it a token.", family("The account is added.", _EXAMPLE))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["name"], {"name": "Clinic", "time_zone": "Asia/Kolkata"})
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Add an account; give it tokens with `admin/tokens` and numbers with `admin/bridges`."""
    admin = await administrator(request)
    form = await read_body(request)
    values = read_account_request(form, is_new=True)
    actor, now = admin.actor, admin.now_ms()
    return await create(
        request,
        admin.principal,
        form,
        lambda conn: administration.create_account(conn, actor, values, now=now),
        lambda added: family_body("The account is added.", _row(added)),
    )


@router.get(
    "",
    summary="List accounts",
    responses=success("The oldest first.", page_of("accounts", _EXAMPLE)) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_accounts(request: Request) -> Response:
    """Show all accounts, closed ones too, page by page."""
    await authenticate(request)
    page = Page(request)
    found = await context_of(request).database.read(accounts.find_all)
    shown = page.cut(found)
    return page.answer(f"{len(found)} accounts.", [_row(each) for each in shown], len(found))


@router.get(
    "/{account_id}",
    summary="Show one account",
    responses=success("The account.", family("The account.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, account_id: str) -> Response:
    """Show one account."""
    await authenticate(request)
    number = number_in_path("account", account_id)
    found = await context_of(request).database.read(administration.the_account, number)
    return ok("The account.", _row(found))


@router.put(
    "/{account_id}",
    summary="Change an account",
    responses=success("Changed, within seconds everywhere.", family("The account is changed.", _EXAMPLE))
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, [], {"time_zone": "Europe/Berlin"}),
)
async def change(request: Request, account_id: str) -> Response:
    """Change an account; what is left out stays."""
    admin = await administrator(request)
    number = number_in_path("account", account_id)
    form = await read_body(request)
    values = read_account_request(form, is_new=False)
    changed = await admin.run(administration.change_account, number, values, now=admin.now_ms())
    return ok("The account is changed.", _row(changed))


@router.delete(
    "/{account_id}",
    summary="Close an account",
    responses=success(
        "Closed.",
        family("The account is closed.", _EXAMPLE | {"status": "closed", "closed_at": "2019-08-16 15:20:00"}),
    )
    | errors(401, 404, 409),
)
async def close(request: Request, account_id: str) -> Response:
    """Close an account: its tokens are no longer valid, its waiting calls are cancelled. Records stay.

    The first account, whose tokens administer the server, stays open (409).
    """
    admin = await administrator(request)
    number = number_in_path("account", account_id)
    closed = await administration.close_account(
        admin.context.database, admin.actor, number, now=admin.now_ms()
    )
    return ok("The account is closed.", _row(closed))


def _row(account: Account) -> dict[str, Any]:
    times = {name: family_time(getattr(account, name)) for name in ("created_at", "closed_at", "paused_at")}
    return {
        **asdict(account),
        **times,
        "balance": to_text(account.balance),
        "reserved": to_text(account.reserved),
        "paused": account.paused_at is not None,
        "status": "open" if account.closed_at is None else "closed",
    }
