"""`outgoing/suppressions/unsubscribers`: numbers that the account does not call."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import QueryParams

from outdial.api.answers import Page, family_body, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.bodies import MULTIPART, read_body
from outdial.api.context import ApiContext, context_of
from outdial.api.developer_webhooks import PAGES, number_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, query, success
from outdial.api.errors import ApiError, invalid
from outdial.api.idempotency import create
from outdial.api.number_file import NumberFileSummary, numbers_in, read_number_file
from outdial.api.uploads import Upload, uploaded
from outdial.domain.country import check_country
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.suppression import SuppressionType, read_type, read_value
from outdial.errors import InvalidInput, InvalidPhoneNumber
from outdial.storage import suppressions
from outdial.storage.suppressions import NewSuppression, Suppression, SuppressionFilter

router = APIRouter(prefix="/outgoing/suppressions/unsubscribers", tags=["suppressions"])

_FILE_BYTES = 100 * 1024 * 1024
_AT_ONCE = 5_000
"""Rows in one transaction: an import does not hold the writes of others up."""

_TYPES = {
    "type": {
        "type": "string",
        "enum": [each.value for each in SuppressionType],
        "default": "all",
        "description": "`all` calls, those of a campaign (`tag`), a bridge (`sender`) or a `service`.",
    },
    "value": {
        "type": "string",
        "description": "The campaign's `name`, the bridge's number, or `voice`; empty for `all`.",
    },
}
_FIELDS = {
    "receiver": {"type": "string", "description": "The number that is not called, with country code."},
    "iso": {
        "type": "string",
        "description": "Its country, as in IN, to be compared with the number; not needed.",
    },
    **_TYPES,
}
_EXAMPLE_BODY = {"receiver": "918867135000", "type": "tag", "value": "diwali"}
_EXAMPLE = {
    "id": 12,
    "receiver": "918867135000",
    "iso": "IN",
    "type": "tag",
    "value": "diwali",
    "source": "api",
    "created_at": "2019-08-16 15:09:51",
    "updated_at": "2019-08-16 15:09:51",
}
_EXAMPLE_IMPORT = {
    "rows": 3,
    "imported": 1,
    "duplicates": 1,
    "invalid": 1,
    "problems": [{"row": 4, "message": "'123' is too short for a number of country code 1."}],
}
_FILTERS = [
    query("receiver", "This number only.", required=False),
    query("iso", "Numbers of this country, as in IN.", required=False),
    query("type", "all, tag, sender or service.", required=False),
    query("value", "Those with this value.", required=False),
]
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "txt, csv, xls or xlsx, up to 100 MB and a million rows.",
                        },
                        **_TYPES,
                    },
                    "required": ["file"],
                }
            }
        },
    }
}


@router.get(
    "",
    summary="List suppressions",
    responses=success("The newest first.", family("1 suppressions.", [_EXAMPLE])) | errors(401, 422),
    openapi_extra={"parameters": [*_FILTERS, *PAGES]},
)
async def list_suppressions(request: Request) -> Response:
    """Show the numbers that the account does not call, page by page."""
    principal = await authenticate(request)
    page = Page(request)
    found, total = await context_of(request).database.read(
        suppressions.find,
        principal.account_id,
        _filter(request.query_params),
        limit=page.size,
        offset=page.offset,
    )
    return page.answer(f"{total} suppressions.", [_row(each) for each in found], total)


@router.post(
    "",
    summary="Suppress a number",
    responses=success("It is not called any more.", family("The number is suppressed.", _EXAMPLE))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["receiver"], _EXAMPLE_BODY) | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Do not call a number any more, calls that are queued already included. The same wish twice is one."""
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    new, now = _wanted(form), context.now_ms()
    return await create(
        request,
        principal,
        form,
        lambda conn: suppressions.add(conn, principal.account_id, new, source="api", now=now)[0],
        lambda row: family_body("The number is suppressed.", _row(row)),
    )


@router.delete(
    "",
    summary="Lift all suppressions",
    responses=success("They are gone.", family("12 suppressions are lifted.", {"deleted": 12}))
    | errors(401, 422),
    openapi_extra={"parameters": _FILTERS},
)
async def remove_all(request: Request) -> Response:
    """Lift all suppressions of the account, or those that the filters name."""
    principal = await authenticate(request)
    deleted = await context_of(request).database.run(
        suppressions.delete_all, principal.account_id, _filter(request.query_params)
    )
    return ok(f"{deleted} suppressions are lifted.", {"deleted": deleted})


@router.post(
    "/import",
    summary="Import a file of numbers",
    responses=success("What came of its rows.", family("1 numbers are suppressed.", _EXAMPLE_IMPORT))
    | errors(400, 401, 413, 415, 422),
    openapi_extra=_UPLOAD,
)
async def import_file(request: Request) -> Response:
    """Suppress all numbers of a file.

    A header names the columns (`receiver`, `phone`, `mobile` …, and if you like `type` and `value`); without
    one, the first column with a number counts. Numbers that cannot be used are reported by row, the first
    hundred of them; the others are imported.
    """
    context = context_of(request)
    principal = await authenticate(request)
    async with uploaded(request, "file", limit=_FILE_BYTES, what="the file of numbers") as sent:
        out = sent.folder / "numbers"
        summary = await _read(context, sent, out)
        imported = await _store(context, principal.account_id, out)
    return ok(
        f"{imported} numbers are suppressed.",
        {
            "rows": summary.rows,
            "imported": imported,
            "duplicates": summary.usable - imported,
            "invalid": summary.invalid,
            "problems": summary.problems,
        },
    )


@router.get(
    "/{suppression_id}",
    summary="Show one suppression",
    responses=success("The suppression.", family("The suppression.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, suppression_id: str) -> Response:
    """Show one suppression."""
    principal = await authenticate(request)
    return ok("The suppression.", _row(await _the_row(request, principal.account_id, suppression_id)))


@router.put(
    "/{suppression_id}",
    summary="Change a suppression",
    responses=success("As it is now.", family("The suppression is changed.", _EXAMPLE))
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, [], _EXAMPLE_BODY),
)
async def change(request: Request, suppression_id: str) -> Response:
    """Change number, type or value; what is not sent stays."""
    context = context_of(request)
    principal = await authenticate(request)
    before = await _the_row(request, principal.account_id, suppression_id)
    form = await read_body(request)
    kept = {"receiver": before.receiver, "type": before.type.value, "value": before.value}
    given = {name: value for name, value in form.items() if name in (*kept, "iso")}
    if "type" in given and str(given["type"]).strip().lower() != before.type:
        kept["value"] = ""  # it was meant for the other type
    wanted = _wanted(kept | given)
    try:
        done = await context.database.run(
            suppressions.update, principal.account_id, before.id, wanted, now=context.now_ms()
        )
    except IntegrityError:
        done = False
    if not done:
        await _the_row(request, principal.account_id, suppression_id)
        raise ApiError(409, "Another suppression has this receiver, type and value already.")
    after = await _the_row(request, principal.account_id, suppression_id)
    return ok("The suppression is changed.", _row(after))


@router.delete(
    "/{suppression_id}",
    summary="Lift a suppression",
    responses=success("It is gone.", family("The suppression is lifted.", {"id": 12})) | errors(401, 404),
)
async def remove(request: Request, suppression_id: str) -> Response:
    """Lift one suppression: the number is called again."""
    principal = await authenticate(request)
    number = number_of(suppression_id)
    if number is None or not await context_of(request).database.run(
        suppressions.delete, principal.account_id, number
    ):
        raise _no_such(suppression_id)
    return ok("The suppression is lifted.", {"id": number})


async def _read(context: ApiContext, sent: Upload, out: Path) -> NumberFileSummary:
    wrong: dict[str, list[str]] = {}
    kind, value = _kind(sent.parameters, wrong)
    if wrong:
        raise invalid(wrong)
    try:
        async with context.decoders:
            return await read_number_file(sent.file, out, name=sent.file_name, kind=kind, value=value)
    except InvalidInput as error:
        raise invalid({"file": [str(error)]}) from error


async def _store(context: ApiContext, account_id: int, out: Path) -> int:
    """Chunk by chunk, each a transaction: an import that is broken off has stored a part, and may be sent
    again.
    """
    imported = 0
    chunks = numbers_in(out, _AT_ONCE)
    while chunk := await asyncio.to_thread(next, chunks, None):
        new = [
            NewSuppression(receiver=digits, iso=iso, type=SuppressionType(kind), value=value)
            for digits, iso, kind, value in chunk
        ]
        imported += await context.database.run(
            suppressions.add_many, account_id, new, source="import", now=context.now_ms()
        )
    return imported


def _wanted(form: dict[str, Any]) -> NewSuppression:
    wrong: dict[str, list[str]] = {}
    number = None
    text = _text(form, "receiver", wrong)
    if not text:
        wrong.setdefault("receiver", ["receiver is missing: the number that should not be called."])
    else:
        try:
            number = PhoneNumber.parse(text)
            if iso := _text(form, "iso", wrong):
                check_country(number, iso)
        except InvalidPhoneNumber as error:
            wrong["receiver"] = [str(error)]
        except InvalidInput as error:
            wrong["iso"] = [str(error)]
    kind, value = _kind(form, wrong)
    if wrong or number is None:
        raise invalid(wrong)
    return NewSuppression(receiver=number.digits, iso=number.iso, type=kind, value=value)


def _kind(form: Mapping[str, Any], wrong: dict[str, list[str]]) -> tuple[SuppressionType, str]:
    texts = [_text(form, name, wrong) for name in ("type", "value")]
    if "type" in wrong or "value" in wrong:
        return SuppressionType.ALL, ""
    try:
        kind = read_type(texts[0])
    except InvalidInput as error:
        wrong["type"] = [str(error)]
        return SuppressionType.ALL, ""
    try:
        return kind, read_value(kind, texts[1])
    except InvalidInput as error:
        wrong["value"] = [str(error)]
        return kind, ""


def _text(form: Mapping[str, Any], name: str, wrong: dict[str, list[str]]) -> str:
    """A single value as text, empty if it was not given or is none."""
    value = form.get(name)
    if isinstance(value, bool | float | list | dict):
        wrong[name] = [f"{name} should be a single text."]
        return ""
    return "" if value is None else str(value).strip()


def _filter(wanted: QueryParams) -> SuppressionFilter:
    wrong: dict[str, list[str]] = {}
    receiver = kind = None
    if wanted.get("receiver"):
        try:
            receiver = PhoneNumber.parse(wanted["receiver"]).digits
        except InvalidPhoneNumber as error:
            wrong["receiver"] = [str(error)]
    if wanted.get("type"):
        try:
            kind = read_type(wanted["type"])
        except InvalidInput as error:
            wrong["type"] = [str(error)]
    for name in ("iso", "value"):
        if "\x00" in wanted.get(name, ""):
            wrong[name] = [f"{name} holds a NUL character."]
    if wrong:
        raise invalid(wrong)
    return SuppressionFilter(
        receiver=receiver,
        iso=wanted.get("iso", "").upper() or None,
        type=kind,
        value=wanted.get("value") or None,
    )


async def _the_row(request: Request, account_id: int, suppression_id: str) -> Suppression:
    number = number_of(suppression_id)
    row = None
    if number is not None:
        row = await context_of(request).database.read(suppressions.get, account_id, number)
    if row is None:
        raise _no_such(suppression_id)
    return row


def _no_such(suppression_id: str) -> ApiError:
    return ApiError(404, f"There is no suppression {suppression_id[:40]}.")


def _row(row: Suppression) -> dict[str, Any]:
    return {
        "id": row.id,
        "receiver": row.receiver,
        "iso": row.iso,
        "type": row.type,
        "value": row.value,
        "source": row.source,
        "created_at": family_time(row.created_at),
        "updated_at": family_time(row.updated_at),
    }
