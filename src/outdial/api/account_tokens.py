"""`auth/tokens` and `admin/tokens`: an account's own tokens, and those of all accounts. `auth/me`."""

import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.actor import actor_of
from outdial.api.answers import Page, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import TEXTS, body, errors, family, page_of, query, success
from outdial.api.errors import ApiError, invalid
from outdial.api.fields import Fields
from outdial.api.local_time import current_zone
from outdial.api.paths import number_in_path
from outdial.api.trunk_request import network
from outdial.domain.scope import MEANINGS, Scope
from outdial.errors import NotFound
from outdial.storage import accounts, administration, tokens
from outdial.storage.tokens import Token

router = APIRouter()

_SECRET_BYTES = 20
_LARGEST_ID = 10**18 - 1
_SCOPES = "; ".join(f"`{scope}`: {meaning}" for scope, meaning in MEANINGS.items())
_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "description": "What it is for."},
    "scopes": {
        **TEXTS,
        "description": f"With commas between, or a list. `account` by default. {_SCOPES}",
    },
    "expires_at": {
        "type": "string",
        "description": "As in 2030-01-31 00:00:00, in the account's time zone. Unset: valid until revoked.",
    },
    "addresses": {
        **TEXTS,
        "description": "CIDR networks from which it may be used, with commas between or as a list. Unset:"
        " from any.",
    },
}
_ACCOUNT_ID = {"type": "integer", "description": "The account that it speaks for."}
_EXAMPLE_BODY = {"name": "crm", "scopes": "calls,sounds"}
_EXAMPLE = {
    "id": 3,
    "account_id": 2,
    "name": "crm",
    "prefix": "38e896f5",
    "scopes": ["calls", "sounds"],
    "addresses": [],
    "status": "valid",
    "created_at": "2019-08-16 15:09:51",
    "expires_at": None,
    "last_used_at": "2019-08-16 15:09:00",
    "revoked_at": None,
}
_CREATED = _EXAMPLE | {"token": "38e896f55670311982434e929559b0123456789a", "last_used_at": None}
_ME = {
    "account": {"id": 2, "name": "Clinic", "time_zone": "Asia/Kolkata"},
    "token": {name: value for name, value in _EXAMPLE.items() if name != "account_id"},
}


@router.get(
    "/auth/me",
    summary="Who the token belongs to",
    tags=["auth"],
    responses=success("Account and token.", family("The token is valid.", _ME)) | errors(401),
)
async def me(request: Request) -> Response:
    """Show the account that the token speaks for, and what the token may do. Any token will do."""
    context = context_of(request)
    principal = await authenticate(request)
    account = await context.database.read(accounts.get, principal.account_id)
    token = await context.database.read(tokens.get, principal.account_id, principal.token_id)
    if account is None or token is None:
        raise ApiError(401, "This token is not valid: it is unknown, revoked or expired.")
    row = _row(token, context.now_ms())
    del row["account_id"]
    shown = {"id": account.id, "name": account.name, "time_zone": account.time_zone}
    return ok("The token is valid.", {"account": shown, "token": row})


@router.post(
    "/auth/tokens",
    summary="Make a token",
    tags=["auth"],
    responses=success("Its secret is shown this once.", family("The token is made.", _CREATED))
    | errors(400, 401, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["name"], _EXAMPLE_BODY),
)
async def make_own(request: Request) -> Response:
    """Make a token of the account, with no more scopes than the token that asks."""
    principal = await authenticate(request)
    form = await read_body(request)
    values = _read(form)
    beyond = [scope for scope in values["scopes"] if not _may_give(principal, scope)]
    if beyond:
        raise invalid({"scopes": [f"This token lacks {', '.join(beyond)} and cannot give what it has not."]})
    return await _make(request, principal, principal.account_id, values)


@router.get(
    "/auth/tokens",
    summary="List tokens",
    tags=["auth"],
    responses=success("The oldest first.", page_of("tokens", _EXAMPLE)) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_own(request: Request) -> Response:
    """Show the account's tokens without their secrets, also those that are no longer valid."""
    principal = await authenticate(request)
    return await _list(request, principal.account_id)


@router.delete(
    "/auth/tokens/{token_id}",
    summary="Revoke a token",
    tags=["auth"],
    responses=success(
        "It stops working within seconds, everywhere.", family("The token is revoked.", {"id": 3})
    )
    | errors(401, 404),
)
async def revoke_own(request: Request, token_id: str) -> Response:
    """Make a token of the account invalid; 404 if it was already."""
    principal = await authenticate(request)
    return await _revoke(request, principal, principal.account_id, number_in_path("token", token_id))


@router.post(
    "/admin/tokens",
    summary="Make a token for an account",
    tags=["admin"],
    responses=success("Its secret is shown this once.", family("The token is made.", _CREATED))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(
        {"account_id": _ACCOUNT_ID, **_FIELDS}, ["account_id", "name"], {"account_id": 2, **_EXAMPLE_BODY}
    ),
)
async def make(request: Request) -> Response:
    """Make a token for any account, with any scopes."""
    principal = await authenticate(request)
    form = await read_body(request)
    values = _read(form, with_account=True)
    return await _make(request, principal, values.pop("account_id"), values)


@router.get(
    "/admin/tokens",
    summary="List an account's tokens",
    tags=["admin"],
    responses=success("The oldest first.", page_of("tokens", _EXAMPLE)) | errors(401, 422),
    openapi_extra={
        "parameters": [query("account_id", "Whose tokens.", kind="integer"), *PAGES],
    },
)
async def list_all(request: Request) -> Response:
    """Show the tokens of one account without their secrets."""
    await authenticate(request)
    fields = Fields(request.query_params)
    fields.whole("account_id", 1, _LARGEST_ID, required=True)
    return await _list(request, fields.done()["account_id"])


@router.delete(
    "/admin/tokens/{token_id}",
    summary="Revoke any token",
    tags=["admin"],
    responses=success(
        "It stops working within seconds, everywhere.", family("The token is revoked.", {"id": 3})
    )
    | errors(401, 404),
)
async def revoke(request: Request, token_id: str) -> Response:
    """Make a token of any account invalid; 404 if it was already."""
    principal = await authenticate(request)
    number = number_in_path("token", token_id)
    owner = await context_of(request).database.read(tokens.owner, number)
    if owner is None:
        raise NotFound(f"There is no valid token {number}.")
    return await _revoke(request, principal, owner, number)


def _may_give(principal: Principal, scope: str) -> bool:
    """Tell whether a token that asks for another one may give it a scope: one that it has itself."""
    return scope in principal.scopes if scope == Scope.ACCOUNT else principal.may(Scope(scope))


def _read(form: dict[str, Any], *, with_account: bool = False) -> dict[str, Any]:
    fields = Fields(form)
    if with_account:
        fields.whole("account_id", 1, _LARGEST_ID, required=True)
    fields.text("name", required=True)
    fields.texts("scopes", _scope)
    fields.texts("addresses", network)
    fields.text("expires_at", empty=None, check=_time)
    values = fields.done()
    if values.get("scopes") == ():
        fields.wrong("scopes", f"scopes should be some of {', '.join(Scope)}.")
    return {"scopes": (Scope.ACCOUNT.value,)} | fields.done()


def _scope(text: str) -> str:
    if text not in set(Scope):
        raise ValueError(f"scopes should be some of {', '.join(Scope)}, not {text[:40]!r}.")
    return text


def _time(text: str) -> int:
    """A time of the account's time zone as Unix milliseconds. Raises ValueError with a sentence."""
    try:
        at = datetime.fromisoformat(text)
        zoned = at.replace(tzinfo=current_zone()) if at.tzinfo is None else at
        return int(zoned.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(
            f"expires_at should be a time as in 2030-01-31 00:00:00, not {text[:40]!r}."
        ) from None


async def _make(request: Request, principal: Principal, account_id: int, values: dict[str, Any]) -> Response:
    context = context_of(request)
    now = context.now_ms()
    if values.get("expires_at") is not None and values["expires_at"] <= now:
        past = family_time(values["expires_at"])
        raise invalid({"expires_at": [f"expires_at should be in the future, not {past}."]})
    token, secret = await context.database.run(
        administration.create_token,
        actor_of(request, principal),
        account_id=account_id,
        new_secret=lambda: secrets.token_hex(_SECRET_BYTES),
        now=now,
        **values,
    )
    return ok("The token is made.", _row(token, now) | {"token": secret})


async def _list(request: Request, account_id: int) -> Response:
    context = context_of(request)
    page = Page(request)
    found = await context.database.read(tokens.of_account, account_id)
    shown = page.cut(found)
    now = context.now_ms()
    return page.answer(f"{len(found)} tokens.", [_row(each, now) for each in shown], len(found))


async def _revoke(request: Request, principal: Principal, account_id: int, token_id: int) -> Response:
    context = context_of(request)
    await context.database.run(
        administration.revoke_token,
        actor_of(request, principal),
        account_id,
        token_id,
        now=context.now_ms(),
    )
    return ok("The token is revoked.", {"id": token_id})


def _row(token: Token, now: int) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    row = asdict(token) | {name: family_time(getattr(token, name)) for name in times}
    if token.revoked_at is not None:
        return row | {"status": "revoked"}
    is_over = token.expires_at is not None and token.expires_at <= now
    return row | {"status": "expired" if is_over else "valid"}
