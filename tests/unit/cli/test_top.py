"""`outdial top`: what it makes of `/metrics`, and how it shows that."""

import json
from typing import Any

import pytest
from rich.console import Console
from tests.unit.cli.conftest import Outdial

from outdial.cli.problems import CommandFailed
from outdial.cli.top.reading import Figures, figures, read
from outdial.cli.top.view import view
from outdial.supervisor import exit_codes
from outdial.telemetry.exposition import Snapshot, render
from outdial.telemetry.metrics import CATALOGUE, LATENESS_BUCKETS_S

QUIET: dict[str, list[list[Any]]] = {
    "outdial_info": [[["1"], 1]],
    "outdial_database_up": [[[], 1]],
    "outdial_dialers": [[[], 1]],
}
BUSY: dict[str, list[list[Any]]] = {
    **QUIET,
    "outdial_attempts_active": [[["ringing"], 2], [["answered"], 5]],
    "outdial_dials_total": [[["north"], 110], [["south"], 3]],
    "outdial_trunk_calls": [[["north"], 7], [["south"], 0]],
    "outdial_trunk_calls_limit": [[["north"], 30]],
    "outdial_trunk_cps_limit": [[["north"], 2.5]],
    "outdial_queue_calls": [[["north"], 40]],
    "outdial_queue_oldest_seconds": [[["north"], 12.4]],
    "outdial_attempts_total": [[["north", "ANSWER"], 90], [["south", "ANSWER"], 1], [["north", "BUSY"], 9]],
    "outdial_webhook_pending": [[[], 4]],
    "outdial_webhook_in_flight": [[[], 2]],
    "outdial_media_streams": [[[], 7]],
    "outdial_media_workers": [[[], 2]],
    "outdial_media_workers_wanted": [[[], 2]],
    "outdial_media_lateness_seconds": [[[], [990, 5, 5, *[0] * 6, 1.0]]],
    "outdial_media_skipped_ticks_total": [[[], 3]],
}


def between(before: dict[str, Any], now: dict[str, Any], seconds: float = 4.0) -> Figures:
    first, second = (
        read(render(CATALOGUE, [Snapshot("dialer", values)]).decode(), at)
        for values, at in ((before, 10.0), (now, 10.0 + seconds))
    )
    return figures(first, second)


def shown(of: Figures) -> str:
    console = Console(width=80, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(view(of, "http://server"))
    return captured.get()


def test_the_figures_of_a_busy_server() -> None:
    before = BUSY | {"outdial_dials_total": [[["north"], 100], [["south"], 3]]}
    found = between(before, BUSY)
    assert (found.calls, found.calls_by_state) == (7, {"ringing": 2, "answered": 5})
    assert (found.calls_per_second, found.queued, found.oldest_seconds) == (2.5, 40, 12.4)
    assert [(each.name, each.calls, each.calls_per_second) for each in found.trunks] == [
        ("north", 7, 2.5),
        ("south", 0, 0.0),
    ]
    assert found.dispositions == {"ANSWER": 91, "BUSY": 9}
    assert (found.webhooks_pending, found.webhooks_in_flight, found.streams) == (4, 2, 7)
    assert (found.media_late_p99_ms, found.media_skipped_ticks, found.problems) == (None, 0, [])


def test_lateness_is_that_between_the_readings() -> None:
    found = between(QUIET, BUSY)
    assert found.media_late_p99_ms == LATENESS_BUCKETS_S[0] * 1000
    later = BUSY | {"outdial_media_lateness_seconds": [[[], [990, 5, 5, 0, 0, 10, *[0] * 3, 1.0]]]}
    assert between(BUSY, later).media_late_p99_ms == LATENESS_BUCKETS_S[5] * 1000


def test_a_process_that_began_anew_takes_nothing_away() -> None:
    assert between(BUSY, BUSY | {"outdial_dials_total": [[["north"], 8]]}).calls_per_second == 2.0


@pytest.mark.parametrize(
    ("name", "series", "sentence"),
    [
        ("outdial_database_up", [[[], 0]], "The database cannot be read."),
        ("outdial_dialers", [[[], 0]], "No dialer holds a lease: nothing is dialled."),
        ("outdial_trunk_silent", [[["a"], 1]], "The trunk a does not answer OPTIONS: its calls wait."),
        (
            "outdial_trunk_unregistered",
            [[["a"], 1], [["b"], 0]],
            "The trunk a is not registered: its calls wait. `outdial trunk list` says why.",
        ),
        ("outdial_trunk_held_seconds", [[["a"], 9]], "The trunk a is held for 9 s more."),
        (
            "outdial_trunk_faults",
            [[["a"], 3], [["b"], 2]],
            "The trunk a failed the last 3 calls: `outdial trunk list` says why.",
        ),
        ("outdial_queue_oldest_seconds", [[["a"], 301]], "Calls have been due for 301 s."),
        ("outdial_media_workers_wanted", [[[], 1]], "1 media workers are missing."),
        ("outdial_webhook_oldest_due_seconds", [[[], 61]], "Events should have been sent 61 s ago."),
        ("outdial_webhooks_off", [[[], 2]], "2 webhooks are switched off: `outdial webhook list`."),
        (
            "outdial_media_lateness_seconds",
            [[[], [90, *[0] * 5, 10, 0, 0, 1.0]]],
            "Audio leaves more than 20 ms late: callees hear gaps.",
        ),
    ],
)
def test_each_problem_is_a_sentence(name: str, series: list[list[Any]], sentence: str) -> None:
    found = between(QUIET, QUIET | {name: series})
    assert found.problems == [sentence]
    assert f"! {sentence}" in shown(found)
    assert between(QUIET, QUIET).problems == []


def test_a_dialer_that_is_full_is_a_problem() -> None:
    legs = {"outdial_dialer_calls": [[[], 7]], "outdial_dialer_calls_limit": [[[], 7]]}
    assert between(QUIET, QUIET | legs).problems == [
        "The dialers have 7 legs, as many as they may (`dispatch.max_concurrent`, RTP ports): other calls"
        " wait."
    ]
    assert between(QUIET, QUIET | legs | {"outdial_dialer_calls": [[[], 6]]}).problems == []


def test_a_full_disk_is_a_problem() -> None:
    disk = {"outdial_disk_size_bytes": [[[], 100]], "outdial_disk_free_bytes": [[[], 9]]}
    assert between(QUIET, QUIET | disk).problems == ["9% of the disk is free."]


def test_the_view_says_it_all_within_80_columns() -> None:
    trunks = {"outdial_trunk_calls": [[["north"], 7], [["[b]a trunk with quite a long name[/b] " * 4], 0]]}
    text = shown(between(QUIET, BUSY | trunks))
    for part in ("7 in progress: 2 ringing, 5 answered", "40 due", "ANSWER 91, BUSY 9", "4 pending", "[b]a"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80
    assert "No problems." in text
    assert "No trunk yet" in shown(between(QUIET, QUIET))


@pytest.mark.parametrize("text", ["", "<html>hello</html>", "up 1\n", 'a{b="c} 1'])
def test_what_is_not_ours_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"/metrics"):
        read(text, 0.0)


def test_once_as_json_and_as_text(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdial.cli.client.ApiClient.metrics", _metrics)
    told = json.loads(outdial("top", "--once", "--json", "--interval", "0.2").out)
    assert (told["calls"], told["problems"], told["trunks"][0]["name"]) == (7, [], "north")
    assert "7 in progress" in outdial("top", "--once", "--interval", "0.2").out


async def _metrics(_: object) -> str:
    return render(CATALOGUE, [Snapshot("dialer", BUSY)]).decode()


def test_nobody_answers(outdial: Outdial) -> None:
    result = outdial("top", "--once", "--url", "http://127.0.0.1:1")
    assert (result.status, result.out) == (exit_codes.UNAVAILABLE, "")
