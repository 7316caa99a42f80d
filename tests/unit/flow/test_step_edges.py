"""Where steps turn: the minute that hours begin and end, midnight, the change of the clocks, the shortest
message, an agent who has just answered."""

from datetime import datetime

import pytest

from outdial.flow import events as ev
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import resume, start
from outdial.flow.report import report

NIGHT = {"days": ["mon"], "from": "22:00", "to": "06:00"}
DAY = {"days": ["mon", "sun"], "from": "09:00", "to": "18:00"}
ALL_DAY = {"days": ["mon"], "from": "00:00", "to": "24:00"}


def library(node, **more):
    exits = {"open": "o", "closed": "c"} if node["type"] == "date_time" else {}
    nodes = {
        "a": {"exits": exits, **node},
        **{name: {"type": "hang_up", "settings": {"result": name}} for name in ("o", "c", "h")},
    }
    return Library.of(parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes, **more}))


def result_at(when, settings, variables=None):
    flow = library({"type": "date_time", "settings": settings})
    now = round(datetime.fromisoformat(when).timestamp() * 1_000)
    return start(flow, variables or {}, now=now, seed=0).state.result


@pytest.mark.parametrize(
    ("hours", "when", "result"),
    [
        # 2026-03-02 is a Monday.
        (NIGHT, "2026-03-02T21:59:59", "c"),
        (NIGHT, "2026-03-02T22:00:00", "o"),
        (NIGHT, "2026-03-03T05:59:59", "o"),
        (NIGHT, "2026-03-03T06:00:00", "c"),
        (NIGHT, "2026-03-02T05:00:00", "c"),  # of Sunday's night
        (NIGHT, "2026-03-03T22:30:00", "c"),  # of Tuesday's
        (DAY, "2026-03-02T08:59:59", "c"),
        (DAY, "2026-03-02T09:00:00", "o"),
        (DAY, "2026-03-02T17:59:59", "o"),
        (DAY, "2026-03-02T18:00:00", "c"),
        (DAY, "2026-03-03T12:00:00", "c"),
        (ALL_DAY, "2026-03-02T00:00:00", "o"),
        (ALL_DAY, "2026-03-02T23:59:59", "o"),
        (ALL_DAY, "2026-03-03T00:00:00", "c"),
    ],
)
def test_hours_begin_and_end_with_their_minute(hours, when, result):
    assert result_at(f"{when}+00:00", {"zone": "UTC", "hours": hours}) == result


@pytest.mark.parametrize(
    ("when", "result"),
    [
        # New York goes from UTC-5 to UTC-4 on Sunday, 2026-03-08, and back on 2026-11-01, also a Sunday.
        ("2026-03-02T13:59:59+00:00", "c"),
        ("2026-03-02T14:00:00+00:00", "o"),
        ("2026-03-08T12:59:59+00:00", "c"),
        ("2026-03-08T13:00:00+00:00", "o"),
        ("2026-11-01T13:59:59+00:00", "c"),
        ("2026-11-01T14:00:00+00:00", "o"),
    ],
)
@pytest.mark.parametrize(
    ("zone", "variables"),
    [
        ("callee", {"caller": {"timezone": "America/New_York"}, "account": {"timezone": "UTC"}}),
        ("account", {"caller": {"timezone": "Asia/Kolkata"}, "account": {"timezone": "America/New_York"}}),
        ("America/New_York", {}),
    ],
)
def test_hours_follow_the_change_of_the_clocks(zone, variables, when, result):
    assert result_at(when, {"zone": zone, "hours": DAY}, variables) == result


@pytest.mark.parametrize(("zone", "result"), [("callee", "c"), ("account", "o")])
def test_a_holiday_is_one_where_the_zone_is(zone, result):
    """21:00 UTC on Sunday: in Kolkata it is Monday, the holiday."""
    variables = {"caller": {"timezone": "Asia/Kolkata"}, "account": {"timezone": "UTC"}}
    settings = {"zone": zone, "hours": {"days": ["sun", "mon"]}, "holidays": ["2026-03-02"]}
    assert result_at("2026-03-01T21:00:00+00:00", settings, variables) == result


def test_who_answered_is_known_though_the_callee_hangs_up_while_they_talk():
    flow = library({"type": "connect", "settings": {"to": ["1200", "1201"]}, "exits": {"answered": "o"}})
    turn = start(flow, {}, now=0, seed=0)
    turn = resume(flow, turn.state, ev.ConnectAnswered(1, "a/1/connect", "1201"))
    turn = resume(flow, turn.state, ev.LegEnded(2, "callee_hung_up"))
    assert report(turn.state).to_json()["variables"] == {"agent": "1201"}


@pytest.mark.parametrize(("duration_ms", "exit_"), [(999, "empty"), (1_000, "next")])
def test_a_message_as_long_as_it_must_be_is_one(duration_ms, exit_):
    flow = library({"type": "record", "settings": {"beep": False}})
    turn = start(flow, {}, now=0, seed=0)
    turn = resume(flow, turn.state, ev.RecordingFinished(1, "a/1/recording", duration_ms, "rec-1"))
    assert report(turn.state).to_json()["path"][0]["exit"] == exit_


@pytest.mark.parametrize(
    ("exits", "result"), [({"timeout": "o", "failed": "c"}, "o"), ({"failed": "c"}, "c")]
)
def test_a_request_that_takes_too_long_fails_where_nothing_else_is_said(exits, result):
    flow = library({"type": "http_request", "settings": {"url": "http://a"}, "exits": exits})
    turn = start(flow, {}, now=0, seed=0)
    assert resume(flow, turn.state, ev.HttpFailed(1, "a/1/request", "timeout")).state.result == result


def test_a_result_without_a_word_is_completed():
    flow = library({"type": "hang_up", "settings": {"result": "{{nothing}}"}})
    assert start(flow, {}, now=0, seed=0).state.result == "completed"


def test_a_time_of_day_that_it_is_just_now_is_meant_for_tomorrow():
    flow = library({"type": "callback", "settings": {"time": "10:00", "zone": "UTC"}})
    ten = 1_772_445_600_000  # 2026-03-02 10:00 UTC
    (asked,) = [each for each in start(flow, {}, now=ten, seed=0).actions if hasattr(each, "callback_id")]
    assert asked.at == ten + 86_400_000
