"""GET `account/balance`: the credit that is left."""

from fastapi import APIRouter, Request, Response

from outdial.api.answers import ok
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.documentation import errors, family, success
from outdial.api.errors import ApiError
from outdial.domain.money import to_text
from outdial.storage import credit

router = APIRouter(tags=["account"])

_EXAMPLE = family(
    "The balance of the account.",
    {
        "balance": "25.0000",
        "reserved": "0.5000",
        "available": "24.5000",
        "currency": "USD",
        "prepaid": True,
    },
)


@router.get(
    "/account/balance",
    summary="The credit that is left",
    responses=success("The balance.", _EXAMPLE) | errors(401, 404),
)
async def balance(request: Request) -> Response:
    """Tell the balance, what accepted calls hold back of it, and what is available for further ones.

    An account that is not prepaid has nothing reserved, and a balance below zero is what it owes.
    """
    principal = await authenticate(request)
    account = await context_of(request).database.read(credit.get, principal.account_id)
    if account is None:
        raise ApiError(404, "There is no such account any more.")
    return ok(
        "The balance of the account.",
        {
            "balance": to_text(account.balance),
            "reserved": to_text(account.reserved),
            "available": to_text(account.available),
            "currency": account.currency,
            "prepaid": account.prepaid,
        },
    )
