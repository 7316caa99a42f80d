"""Calling windows: what can be written, and that the next opening is the next opening, on every day."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.domain.calling_window import FARTHEST_DAYS, CallingWindow
from outdial.domain.number_zone import zones_of_number
from outdial.errors import InvalidInput

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
INDIAN, AMERICAN, FREEPHONE = "918867135000", "12025550100", "18005550100"


def ms(text: str, zone: ZoneInfo | None = None) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp() * 1000)


def opening(window: str, now: int, *, to: str = AMERICAN, account: ZoneInfo = BERLIN) -> int:
    return CallingWindow.parse(window).opening(now, to=to, account_zone=account)


@pytest.mark.parametrize(
    ("window", "now", "then"),
    [
        ("09:00-18:00", "2026-03-02T09:00", "2026-03-02T09:00"),
        ("09:00-18:00", "2026-03-02T17:59:59.999", "2026-03-02T17:59:59.999"),
        ("09:00-18:00", "2026-03-02T18:00", "2026-03-03T09:00"),
        ("mon-fri 9-18", "2026-03-06T18:00", "2026-03-09T09:00"),
        ("mon-fri 9-12, 13-18", "2026-03-06T12:30", "2026-03-06T13:00"),
        ("fri-mon 10:30-11", "2026-03-03T00:00", "2026-03-06T10:30"),
        ("monday, wednesday 10–11; sat 8-9", "2026-03-02T11:00", "2026-03-04T10:00"),
        ("daily 8-20; not 2026-12-25, 2026-12-24", "2026-12-23T20:00", "2026-12-26T08:00"),
        ("daily 8-20; not 12-24..01-02", "2026-12-23T20:00", "2027-01-03T08:00"),
        ("daily 8-20; not 2026-12-24..2027-01-02", "2026-12-23T20:00", "2027-01-03T08:00"),
        ("daily 8-20; not 02-29", "2028-02-28T21:00", "2028-03-01T08:00"),
        ("always", "2026-03-06T03:33", "2026-03-06T03:33"),
        ("fri 22-24; sat 0-2", "2026-03-06T23:59", "2026-03-06T23:59"),
        # there, 02:00 to 03:00 does not exist on 2026-03-08, and 01:00 to 02:00 comes twice on 2026-11-01
        ("daily 02:30-05:00", "2026-03-08T01:00", "2026-03-08T03:00"),
        ("daily 02:10-02:50", "2026-03-08T01:00", "2026-03-09T02:10"),
        ("daily 01:30-01:45", "2026-11-01T01:50", "2026-11-01T01:30"),
    ],
)
def test_windows_in_the_callee_s_time(window: str, now: str, then: str) -> None:
    fold = int("11-01" in now)
    expected = round(datetime.fromisoformat(then).replace(tzinfo=NEW_YORK, fold=fold).timestamp() * 1000)
    assert opening(window, ms(now, NEW_YORK)) == expected


def test_whose_clock_counts() -> None:
    now = ms("2026-06-01T00:00")
    assert opening("9-18", now, to=INDIAN) == ms("2026-06-01T03:30")
    assert opening("9-18; zone account", now, to=INDIAN) == ms("2026-06-01T07:00")
    assert opening("9-18; Zone America/New_York", now, to=INDIAN) == ms("2026-06-01T13:00")
    unassigned = "447700900123"
    assert opening("9-18", now, to=unassigned) == ms("2026-06-01T08:00")
    satellite = "870773110000"
    assert zones_of_number(satellite) == ()
    assert opening("9-18", now, to=satellite) == ms("2026-06-01T07:00"), (
        "the account's, where nothing is known"
    )


def test_a_number_of_several_zones_is_called_when_all_of_them_are_open() -> None:
    australian = "61412345678"
    assert len(zones_of_number(australian)) > 2
    now = ms("2026-06-01T00:00")
    at = opening("9-18", now, to=australian)
    assert at == ms("2026-06-01T09:00", ZoneInfo("Indian/Cocos"))
    assert ms("2026-06-01T18:00", ZoneInfo("Australia/Lord_Howe")) > at
    # from Guam to Newfoundland there is no such hour
    assert opening("9-18", now, to=FREEPHONE) == ms("2026-06-01T07:00")


def test_a_window_that_never_opens_is_far_away() -> None:
    now = ms("2026-06-01T00:00")
    assert opening("9-18; not 01-01..12-31", now, to=INDIAN) == now + FARTHEST_DAYS * DAY_MS


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ("", "names no hours"),
        ("not 2026-12-25", "names no hours"),
        ("mon-fri", "'mon-fri' names no hours"),
        ("9-18; ,", "',' names no hours"),
        ("mon-fri 9:00", "'9:00' are no hours: write them as 09:00-18:00."),
        ("moon 9-18", "'moon' is no weekday"),
        ("mon-wed-fri 9-18", "'mon-wed-fri' is no weekday"),
        ("9-25", "'9-25' is not a time of a day"),
        ("25:00-9:00", "'25:00-9:00' is not a time of a day"),
        ("9:75-10:00", "'9:75-10:00' is not a time of a day"),
        ("22:00-02:00", "'22:00-02:00' ends before it begins: hours over midnight are two"),
        ("9-12, 11-13", "two of the hours of mon overlap"),
        ("9-18; not 2026-13-01", "'2026-13-01' is no date"),
        ("9-18; not 2026-12-24..12-26", "is no date"),
        ("9-18; not 2026-12-24..2026-12-20", "ends before it begins"),
        ("9-18; zone Nowhere/Here", "not 'Nowhere/Here'"),
        ("x" * 501, "501 characters long"),
    ],
)
def test_what_is_wrong_is_named(window: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CallingWindow.parse(window)
    assert sentence in str(caught.value)


_MINUTES = st.integers(0, 1439)
_RANGES = st.tuples(_MINUTES, st.integers(1, 300)).map(lambda each: (each[0], min(1440, sum(each))))
_HOURS = st.lists(st.one_of(st.just(()), _RANGES.map(lambda each: (each,))), min_size=7, max_size=7)
_WINDOWS = _HOURS.filter(any).map(lambda hours: CallingWindow(tuple(hours)))
_ZONES = st.lists(
    st.sampled_from(
        [
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Australia/Lord_Howe",
            "Africa/Casablanca",
        ]
    ).map(ZoneInfo),
    min_size=1,
    max_size=2,
)
_DST = [ms("2026-03-08T05:00"), ms("2026-11-01T04:00"), ms("2026-03-29T00:30"), ms("2026-10-24T22:00")]
_NOW = st.one_of(
    st.integers(ms("2024-01-01"), ms("2034-01-01")),
    st.sampled_from(_DST).flatmap(lambda at: st.integers(at - DAY_MS, at + DAY_MS)),
)


@settings(max_examples=150, deadline=None)
@given(_WINDOWS, _NOW, _ZONES)
def test_the_next_opening_is_open_and_no_earlier_moment_is(
    window: CallingWindow, now: int, zones: list[ZoneInfo]
) -> None:
    found = window.next_open(now, zones)
    until = now + 9 * DAY_MS if found is None else found
    if found is not None:
        assert found >= now
        assert all(window.is_open(found, zone) for zone in zones)
    # windows open on whole minutes only
    minutes = range(-(-now // MINUTE_MS) * MINUTE_MS, until, MINUTE_MS)
    assert found == now or not all(window.is_open(now, zone) for zone in zones)
    assert not any(all(window.is_open(at, zone) for zone in zones) for at in minutes)


@given(st.text(alphabet="mon-fri 09:;not2,1..ezac/É–", max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        CallingWindow.parse(text)
    except InvalidInput:
        return
