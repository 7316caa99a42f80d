"""Probes: is it alive, would it dial, what does it count."""

import os
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from tests.helpers.http_api import Api

from outdial.api.context import MetricsReader
from outdial.storage import leases
from outdial.telemetry import metrics
from outdial.telemetry.access import MetricsAccess
from outdial.telemetry.exposition import Snapshot


async def _add_dialer(api: Api) -> None:
    await api.database.run(
        leases.register, "d1", host="h", pid=1, now=api.clock(), lease_until=api.clock() + 1000
    )


async def test_a_server_is_ready_as_long_as_a_dialer_holds_its_lease(api: Api) -> None:
    status, answer = await api.call("GET", "/readyz", headers={})
    assert (status, answer["status"], answer["dialers"]) == (503, "unavailable", 0)
    assert "No dialer" in answer["checks"]["dialer"]
    await _add_dialer(api)
    status, answer = await api.call("GET", "/readyz", headers={})
    assert (status, answer["status"], answer["dialers"]) == (200, "ok", 1)
    assert set(answer["checks"].values()) == {"ok"}
    api.clock.now += 1001
    assert (await api.call("GET", "/readyz"))[0] == 503


async def test_a_schema_of_another_version_is_not_ready(api: Api) -> None:
    await _add_dialer(api)
    await api.database.run(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = 'x'")))
    status, answer = await api.call("GET", "/readyz")
    assert status == 503
    assert "outdial db upgrade" in answer["checks"]["schema"]


class _Disk(NamedTuple):
    f_bavail: int
    f_frsize: int


async def test_a_full_disk_is_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await _add_dialer(api)
    monkeypatch.setattr(os, "statvfs", lambda _: _Disk(3, 1024 * 1024))
    status, answer = await api.call("GET", "/readyz")
    assert status == 503
    assert answer["checks"]["disk"].startswith("3 MiB are free")


async def test_a_process_lives_whatever_its_database_does(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(api.database, "read", broken)
    assert (await api.call("GET", "/healthz", headers={}))[0] == 200


def _let_read(api: Api, *networks: str) -> None:
    async def gather() -> list[Snapshot]:
        return [Snapshot("api", metrics.CATALOGUE.snapshot())]

    reader = MetricsReader(gather, MetricsAccess(networks, "0123456789abcdef"))
    object.__setattr__(api.context, "metrics", reader)


async def _scrape(api: Api, **headers: str) -> tuple[int, str]:
    async with api.session.get(api.url + "/metrics", headers=headers) as response:
        return response.status, await response.text()


async def test_metrics_are_for_this_machine_and_for_the_token(api: Api) -> None:
    assert (await api.call("GET", "/metrics"))[0] == 404
    _let_read(api, "127.0.0.0/8")
    status, text = await _scrape(api)
    assert status == 200
    assert "# TYPE outdial_http_requests_total counter" in text
    assert (await _scrape(api, **{"X-Forwarded-For": "192.0.2.1"}))[0] == 403
    token: Any = {"X-Forwarded-For": "192.0.2.1", "Authorization": "Bearer 0123456789abcdef"}
    assert (await _scrape(api, **token))[0] == 200
    _let_read(api, "10.0.0.0/8")
    assert (await _scrape(api))[0] == 403


async def test_requests_are_counted_by_the_endpoint_and_not_by_the_path(api: Api) -> None:
    metrics.CATALOGUE.forget()
    await api.call("GET", "voice/sounds/one-id")
    await api.call("GET", "voice/sounds/another-id")
    await api.call("GET", "no/such/path")
    found = {labels: count for labels, count in metrics.HTTP_REQUESTS.values.items() if labels[2] == "404"}
    assert found == {("GET", "/voice/sounds/{sound_id}", "404"): 2, ("any", "none", "404"): 1}
