"""A request of somebody who administers the server, as the endpoints of `admin/…` work with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from fastapi import Request

from outdial.api.actor import actor_of
from outdial.api.auth import Principal, authenticate
from outdial.api.context import ApiContext, context_of
from outdial.storage.audit import Actor

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who asks, and where what they want is done."""

    principal: Principal
    actor: Actor
    """As the audit log names them."""
    context: ApiContext

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return self.context.now_ms()

    async def run(
        self, fn: Callable[Concatenate[sa.Connection, Actor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do a write that the audit log tells of, in one transaction."""
        return await self.context.database.run(fn, self.actor, *args, **kwargs)


async def administrator(request: Request) -> Administrator:
    """Authenticate a request. Raises ApiError 401 or 403."""
    principal = await authenticate(request)
    return Administrator(principal, actor_of(request, principal), context_of(request))
