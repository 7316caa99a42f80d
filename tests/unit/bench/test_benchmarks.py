"""Each benchmark runs in a tiny form, so that it cannot rot. No figure is asserted: machines are busy."""

import shutil
from pathlib import Path

import pytest
from bench import __main__ as everything
from bench import (
    announcements,
    api,
    dialer_call,
    dialers,
    latency,
    media_ceiling,
    media_client,
    media_lateness,
    menus,
    report,
    storage,
)

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (sip-tester) is not installed")


@pytest.mark.sipp
@needs_sipp
def test_dialer_call() -> None:
    found = dialer_call.measure(calls=8, rounds=1, window=4)

    assert found.rounds[0].dialer > 0
    assert "median" in dialer_call.show(found, 8, 4)


@pytest.mark.sipp
@needs_sipp
async def test_announcements() -> None:
    found = await announcements.measure(concurrent=4, seconds=0.5, sound_s=0.5, priced_s=1)

    assert not found.failed
    assert found.calls == found.told == 8
    assert 0 < found.most <= 8
    assert found.heard.packets >= found.packets_sent > 0
    assert "all of the server" in announcements.show(found)


@pytest.mark.sipp
@pytest.mark.postgres
@needs_sipp
def test_dialers() -> None:
    found = dialers.measure(calls=6, rounds=1, window=2)

    assert found[2][0].calls_a_second > 0
    assert "| 2 dialers" in dialers.show(found, 6, 2)


async def test_menus() -> None:
    found = await menus.measure(concurrent=2, seconds=3.0, every_s=1.0)

    assert (found.completed, found.failed) == (2, 0)
    assert (found.pressed.answered, found.pressed.ended) == (2, 2)
    assert found.pressed.keys == found.pressed.acted_upon == 4
    assert found.pressed.packets >= found.packets_sent > 0
    assert "| far end" in menus.show(found)


async def test_joined_pairs() -> None:
    found = await media_lateness.measure(4, 0.5, echo=False, joined=True)

    assert found.seen.packets > 0
    assert found.seen.lost == 0
    assert "joined" in media_lateness.show([found], "joined")


async def test_media_lateness() -> None:
    found = await media_lateness.measure(4, 0.5, echo=False)

    assert found.seen.packets > 0
    assert found.seen.lost == 0
    assert "| 4 " in media_lateness.show([found], "far ends listen")


async def test_media_ceiling() -> None:
    found = await media_ceiling.measure(20, 0.5, 1, echo=False)

    assert found[0].ours > 0
    assert "20 streams" in media_ceiling.show(found, 20)


async def test_media_client() -> None:
    assert "| 60 " in media_client.show(60, await media_client.measure(60))


async def test_latency() -> None:
    load = latency.Load(a_second=10, sound_s=0.4, seconds=0.3)
    idle, busy = await latency.measure(2, load)

    assert (len(idle), len(busy)) == (2, 3)
    for times in (*idle, *busy):
        assert times.requested < times.invite < times.ack < times.audio < times.bye < times.told
        assert times.requested < times.accepted
    text = latency.show(idle, busy, latency.commit_times(3), load)
    assert "2 calls" in text
    assert "3 calls, 10 a second" in text


async def test_api() -> None:
    found = await api.measure(requests=20, connections=4, numbers=10)

    assert found.ours.a_second > 0
    assert "10 numbers" in api.show(found, 4, 10)


async def test_storage() -> None:
    assert "PostgreSQL, 50 queued" in await storage.measure(writes=20, writers=5, many=50, rounds=5)


def test_a_block_of_the_page_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:one -->\nold\n<!-- /bench:one -->\nafter\n")

    report.write_block("one", "new | \\1", page)

    assert page.read_text() == "before\n<!-- bench:one -->\nnew | \\1\n<!-- /bench:one -->\nafter\n"


def test_a_missing_block_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")

    with pytest.raises(ValueError, match="no single block"):
        report.write_block("one", "new", page)


@pytest.mark.parametrize("benchmark", sorted({*everything.SHORT, *everything.FULL}))
def test_the_page_has_a_block_for_each_benchmark_and_names_its_command(benchmark: str) -> None:
    name = {"media_lateness --joined": "media_joined", "announcements --many": "announcements_many"}.get(
        benchmark, benchmark.removesuffix(" --full")
    )
    text = report.PAGE.read_text()

    assert text.count(f"<!-- bench:{name} -->") == 1
    assert text.count(f"<!-- /bench:{name} -->") == 1
    assert f"`python -m bench.{benchmark.removesuffix(' --full')}" in text


def test_percentiles() -> None:
    assert report.percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert report.percentile([1.0], 99) == 1.0
