"""Every endpoint against its own description: no 5xx, no status, media type or type of a field
that it does not name.

Schemathesis makes the requests, with right and wrong values, by a fixed seed.
"""

import asyncio
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.helpers.http_api import Api, running_api

from outdial.api.app import create_api
from outdial.domain.scope import Scope
from outdial.storage import leases, tables, tokens

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "2"))
"""For each endpoint; more of them find more and take longer."""
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
SECRET = "the token of the contract's test"

schema = schemathesis.openapi.from_dict(create_api().openapi())


class Server:
    """An API in a thread of its own: schemathesis calls it from the test's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self.api: Api
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with running_api(self._folder) as self.api:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> "Server":
        self._thread.start()
        assert self._ready.wait(30)
        self.run(
            tokens.insert,
            account_id=1,
            name="contract",
            new_secret=lambda: SECRET,
            now=1,
            scopes=[Scope.ACCOUNT, Scope.ADMIN],
        )
        # Without a dialer the server says, rightly, that it is not ready.
        now = self.api.clock()
        self.run(leases.register, "d", host="h", pid=1, now=now, lease_until=now + 1_000_000)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def run(self, query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        work = self.api.database.run(query, *arguments, **named)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Plain lines: pretty tracebacks take so long that a 500 would be seen as a request that timed out.
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.WriteLoggerFactory(io.StringIO()),
    )
    with Server(tmp_path_factory.mktemp("api")) as running:
        yield running
    structlog.reset_defaults()


def _open_again(conn: sa.Connection) -> None:
    """Undo what takes the test its own token: a request may revoke it or close its account."""
    conn.execute(sa.update(tables.tokens).values(revoked_at=None))
    conn.execute(sa.update(tables.accounts).values(closed_at=None))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_endpoint_answers_as_it_is_described(case: Any, server: Server) -> None:
    server.run(_open_again)
    headers = {"Authorization": f"Bearer {SECRET}"}
    response = case.call(base_url=server.api.url, headers=headers)
    assert response.status_code != 401
    case.validate_response(response, checks=CHECKS)
