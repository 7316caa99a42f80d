"""Who the audit log names for a request."""

from fastapi import Request

from outdial.api.auth import Principal
from outdial.storage.audit import Actor


def actor_of(request: Request, principal: Principal) -> Actor:
    """The actor of a request: its token, the account of that and the address that it came from."""
    return Actor(
        name=f"token {principal.token_id}",
        account_id=principal.account_id,
        token_id=principal.token_id,
        address=None if request.client is None else request.client.host,
    )
