"""From numbers in several processes to one text."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from outdial.telemetry import metrics, sockets
from outdial.telemetry.exposition import Snapshot, render
from outdial.telemetry.instruments import Catalogue, Merge
from outdial.telephony.media.lateness import EDGES_S, LatenessHistogram


def _samples(catalogue: Catalogue, *snapshots: Snapshot) -> dict[tuple[str, ...], float]:
    text = render(catalogue, snapshots).decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_processes_say_is_added_up_or_the_highest_counts() -> None:
    catalogue = Catalogue()
    dials = catalogue.counter("dials_total", "Dials.", "trunk")
    silent = catalogue.gauge("silent", "Silent.", merge=Merge.MAX)
    lag = catalogue.histogram("lag_seconds", "Lag.", buckets=(0.1, 1), of_role=True)
    dials.add(2, "a")
    silent.set(1)
    lag.observe(0.1)
    lag.observe(5)
    said = catalogue.snapshot()
    found = _samples(catalogue, Snapshot("dialer", said), Snapshot("api", said), Snapshot("api", said))
    assert found["dials_total", "a"] == 6
    assert found["silent",] == 1
    assert found["lag_seconds_bucket", "0.1", "dialer"] == 1
    assert found["lag_seconds_bucket", "+Inf", "api"] == 4
    assert found["lag_seconds_sum", "api"] == 10.2


def test_a_metric_of_another_version_is_left_out() -> None:
    assert render(Catalogue(), [Snapshot("api", {"new_total": [[[], 1]]})]) == b""


async def test_who_asks_is_told_by_all_processes_and_the_dead_are_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 40) / "run"  # longer than the address of a Unix socket may be

    def telling(role: str) -> sockets.MetricsSocket:
        async def tell() -> Snapshot:
            return Snapshot(role, {"x": [[["a"], 1.5]]})

        return sockets.MetricsSocket(folder, f"{role}-1", tell)

    assert await sockets.gather(folder) == []
    api, dialer = telling("api"), telling("dialer")
    await api.start()
    await dialer.start()
    assert [each.role for each in await sockets.gather(folder)] == ["api", "dialer"]
    assert (await sockets.gather(folder))[0].values == {"x": [[["a"], 1.5]]}
    await dialer.stop()
    (folder / "killed-7.metrics").touch()
    assert [each.role for each in await sockets.gather(folder)] == ["api"]
    assert [each.name for each in folder.iterdir()] == ["api-1.metrics"]
    await api.stop()


async def test_a_process_that_is_stuck_delays_the_others_by_its_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = asyncio.Event()

    async def tell() -> Snapshot:
        await stuck.wait()
        return Snapshot("dialer", {})

    monkeypatch.setattr(sockets, "TIMEOUT_S", 0.05)
    socket = sockets.MetricsSocket(tmp_path, "dialer-1", tell)
    await socket.start()
    try:
        assert await sockets.gather(tmp_path) == []
    finally:
        stuck.set()
        await socket.stop()


def test_lateness_keeps_its_edges() -> None:
    assert EDGES_S == metrics.LATENESS_BUCKETS_S
    lateness = LatenessHistogram()
    lateness.add(0.00049, 3)
    lateness.add(0.0015, 2)
    lateness.add(0.3, 1)
    assert lateness.counts_up_to(EDGES_S) == [3, 0, 2, 0, 0, 0, 0, 0, 1]


def test_every_metric_is_named_as_prometheus_wants_it() -> None:
    for name, instrument in metrics.CATALOGUE.instruments.items():
        about = instrument.about
        assert name.startswith("outdial_")
        assert name.endswith("_total") == (about.kind == "counter"), name
        assert about.help.endswith("."), name
