"""When a callback is asked for: by the clock on the wall of its zone, whatever that does meanwhile."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from outdial.flow.actions import RequestCallback
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import start

BERLIN = ZoneInfo("Europe/Berlin")


def milliseconds(local, zone=BERLIN):
    return round(datetime.fromisoformat(local).replace(tzinfo=zone).timestamp() * 1_000)


def asked(time, now, zone="Europe/Berlin"):
    """When it is asked for, as the clock in Berlin has it; None where it fails."""
    nodes = {"a": {"type": "callback", "settings": {"time": time, "zone": zone}, "exits": {}}}
    library = Library.of(parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes}))
    actions = start(library, {}, now=milliseconds(now)).actions
    found = [each.at for each in actions if isinstance(each, RequestCallback)]
    return datetime.fromtimestamp(found[0] / 1_000, BERLIN).isoformat(" ", "minutes") if found else None


@pytest.mark.parametrize(
    ("time", "now", "at"),
    [
        ("09:30", "2026-03-27 09:29", "2026-03-27 09:30+01:00"),
        ("09:30", "2026-03-27 09:30", "2026-03-28 09:30+01:00"),
        ("23:30", "2026-03-27 23:59", "2026-03-28 23:30+01:00"),
        ("00:00", "2026-03-27 23:59", "2026-03-28 00:00+01:00"),
        ("9:30", "2026-03-27 08:00", "2026-03-27 09:30+01:00"),
        ("0930", "2026-03-27 08:00", "2026-03-27 09:30+01:00"),
        # the clocks go forward at 2:00 on 2026-03-29, and back at 3:00 on 2026-10-25
        ("09:30", "2026-03-28 10:00", "2026-03-29 09:30+02:00"),
        ("09:30", "2026-10-24 10:00", "2026-10-25 09:30+01:00"),
        ("02:30", "2026-03-28 10:00", "2026-03-29 03:30+02:00"),
        ("02:30", "2026-03-29 01:00", "2026-03-29 03:30+02:00"),
        ("02:30", "2026-10-24 10:00", "2026-10-25 02:30+02:00"),
        ("2026-03-30 08:15", "2026-03-28 10:00", "2026-03-30 08:15+02:00"),
        ("2026-03-30T08:15:00+05:30", "2026-03-28 10:00", "2026-03-30 04:45+02:00"),
        ("2026-03-30", "2026-03-28 10:00", "2026-03-30 00:00+02:00"),
        ("12-31", "2026-03-28 10:00", None),
        ("930", "2026-03-27 08:00", None),
        ("24:00", "2026-03-27 08:00", None),
        ("9:3", "2026-03-27 08:00", None),
        ("", "2026-03-27 08:00", None),
        (" 10:00 ", "2026-03-27 08:00", "2026-03-27 10:00+01:00"),
        ("9999-12-31 23:59", "2026-03-27 08:00", None),
    ],
)
def test_the_time_is_that_of_the_wall_clock(time, now, at):
    assert asked(time or "{{nothing}}", now) == at


def test_a_moment_before_the_beginning_of_time_is_none():
    assert asked("0001-01-01 00:00", "2026-03-27 08:00", zone="Asia/Kolkata") is None
