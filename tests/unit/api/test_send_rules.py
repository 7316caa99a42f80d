"""What a request may say about when its calls are made, and what is looked at when it is accepted."""

from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api

from outdial.domain.call import Call
from outdial.domain.suppression import SuppressionType
from outdial.storage import accounts, calls, pauses, suppressions
from outdial.storage.pauses import PauseKind
from outdial.storage.suppressions import SERVER, NewSuppression

INDIAN, AMERICAN = "918867135000", "12025550100"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
TEN_PAST = "2019-08-16 15:10:00"
NINE_SECONDS_MS = 9_000
"""From START_MS to TEN_PAST."""


def form(**changes: str) -> dict[str, str]:
    return {"bridge": BRIDGE, "to": INDIAN, "audio": "https://example.com/a.mp3"} | changes


async def send(api: Api, **changes: str) -> list[Call]:
    status, answer = await api.call("POST", "outgoing/send", data=form(**changes))
    assert status == 200, answer
    found = [await api.database.read(calls.get, row["id"]) for row in answer["data"] if row["id"]]
    return [call for call in found if call is not None]


async def refused(api: Api, **changes: str) -> dict[str, list[str]]:
    status, answer = await api.call("POST", "outgoing/send", data=form(**changes))
    assert status == 422, answer
    errors: dict[str, list[str]] = answer["errors"]
    return errors


async def test_a_call_is_due_at_its_schedule_and_not_before_now(api: Api) -> None:
    (call,) = await send(api, schedule=TEN_PAST)
    assert call.due_at == START_MS + NINE_SECONDS_MS
    (call,) = await send(api, schedule="2019-08-16T20:40+05:30")
    assert call.due_at == START_MS + NINE_SECONDS_MS
    (call,) = await send(api, schedule="2019-08-01 00:00")
    assert call.due_at == START_MS


async def test_times_are_the_account_s(api: Api) -> None:
    await api.database.run(accounts.update, api.account_id, {"time_zone": "Asia/Kolkata"})
    (call,) = await send(api, schedule="2019-08-16 20:40:00", expires_at="2019-08-16 20:41")
    assert call.due_at == START_MS + NINE_SECONDS_MS
    assert call.expires_at == START_MS + NINE_SECONDS_MS + MINUTE_MS


async def test_for_how_long_a_call_is_wanted(api: Api) -> None:
    (call,) = await send(api)
    assert call.expires_at is None
    (call,) = await send(api, valid_for="30")
    assert call.expires_at == START_MS + 30 * MINUTE_MS
    (call,) = await send(api, valid_for="30", schedule=TEN_PAST)
    assert call.expires_at == START_MS + NINE_SECONDS_MS + 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        (
            {"schedule": "tomorrow"},
            "schedule",
            "a time as in 2019-08-16 15:09:51 (in the account's time zone, UTC)",
        ),
        ({"schedule": "2019-08-16"}, "schedule", "not '2019-08-16'"),
        ({"schedule": "2021-08-16 00:00"}, "schedule", "more than a year ahead"),
        ({"expires_at": "2019-08-16 15:09:51"}, "expires_at", "not '2019-08-16 15:09:51': nobody would"),
        ({"expires_at": TEN_PAST, "schedule": TEN_PAST}, "expires_at", "later than schedule"),
        ({"expires_at": TEN_PAST, "valid_for": "5"}, "valid_for", "both sent"),
        ({"valid_for": "0"}, "valid_for", "whole number of minutes from 1 to"),
        ({"valid_for": "1.5"}, "valid_for", "not '1.5'"),
        ({"valid_for": "000000001" + "9" * 20}, "valid_for", "whole number of minutes from 1 to"),
        ({"calling_window": "nights"}, "calling_window", "'nights' names no hours"),
    ],
)
async def test_what_cannot_be_is_named(api: Api, changes: dict[str, str], name: str, words: str) -> None:
    errors = await refused(api, **changes)
    assert list(errors) == [name]
    assert words in errors[name][0]


async def test_a_call_outside_its_window_is_due_when_it_opens(api: Api) -> None:
    """At 15:09:51 UTC it is 20:39 in India and 11:09 in Washington."""
    window = "daily 09:00-18:00"
    indian, american = await send(api, to=f"{INDIAN},{AMERICAN}", calling_window=window)
    assert american.due_at == START_MS
    assert indian.due_at == START_MS + NINE_SECONDS_MS + (12 * 60 + 20) * MINUTE_MS
    assert indian.calling_window == window


async def test_the_account_s_window_is_the_default(api: Api) -> None:
    changed = {"calling_window": "daily 09:00-18:00; zone account", "time_zone": "Asia/Kolkata"}
    await api.database.run(accounts.update, api.account_id, changed)
    (call,) = await send(api, to=AMERICAN)
    assert call.due_at == START_MS + NINE_SECONDS_MS + (12 * 60 + 20) * MINUTE_MS
    assert call.calling_window is None, "what the account says when it is dialled counts"
    (call,) = await send(api, to=AMERICAN, calling_window="always")
    assert call.due_at == START_MS
    (call,) = await send(api, to=AMERICAN, schedule="2019-08-19 03:00")
    assert call.due_at == START_MS + NINE_SECONDS_MS + (2 * 24 + 12) * HOUR_MS + 20 * MINUTE_MS


@pytest.mark.parametrize(
    ("owner", "kind", "value"),
    [
        (None, SuppressionType.ALL, ""),
        (SERVER, SuppressionType.ALL, ""),
        (None, SuppressionType.TAG, "spring"),
        (None, SuppressionType.SENDER, BRIDGE),
    ],
)
async def test_suppressed_numbers_have_a_row_and_are_not_accepted(
    api: Api, owner: int | None, kind: SuppressionType, value: str
) -> None:
    new = NewSuppression(receiver=INDIAN, type=kind, value=value)
    whose = api.account_id if owner is None else owner
    await api.database.run(suppressions.add, whose, new, source="test", now=1)
    sentence = f"{INDIAN} is on a list of numbers that are not called."
    data = form(to=f"{INDIAN},{AMERICAN}", name="spring")
    status, answer = await api.call("POST", "outgoing/send", data=data)
    assert (status, answer["message"]) == (200, "1 numbers accepted for delivery. 1 refused.")
    first, second = answer["data"]
    assert first == {"id": None, "mobile": INDIAN, "charges": "0.0000", "error": sentence}
    assert second["mobile"] == AMERICAN
    assert await refused(api, name="spring") == {"to": [sentence]}
    if kind is SuppressionType.TAG:
        assert await send(api, name="autumn")


async def test_a_paused_campaign_takes_calls_and_keeps_them(api: Api) -> None:
    this: tuple[Any, ...] = (api.database, api.account_id, PauseKind.CAMPAIGN, "spring")
    await pauses.pause(*this, request=None, now=START_MS)
    (held,) = await send(api, name="spring")
    (other,) = await send(api, name="autumn")
    assert (held.paused_by, other.paused_by) == ("campaign", None)
    await pauses.resume(*this, request=None)
    again = await api.database.read(calls.get, held.id)
    assert again is not None
    assert again.paused_by is None


async def test_a_campaign_is_paused_and_goes_on(api: Api) -> None:
    (call,) = await send(api, name="spring")
    status, answer = await api.call("POST", "outgoing/pause", data={"name": "spring"})
    assert (status, answer["data"]) == (200, {"waiting": 1})
    status, answer = await api.call("GET", "outgoing/pauses")
    assert answer["data"] == [{"name": "spring", "id": None, "paused_at": "2019-08-16 15:09:51"}]
    status, answer = await api.call("POST", "outgoing/resume", data={"name": "spring"})
    assert (status, answer["data"]) == (200, {"was_paused": True})
    status, answer = await api.call("POST", "outgoing/resume", data={"name": "spring"})
    assert (status, answer["data"]) == (200, {"was_paused": False})
    again = await api.database.read(calls.get, call.id)
    assert again is not None
    assert again.paused_by is None


async def test_a_request_is_paused_and_goes_on(api: Api) -> None:
    sent = await send(api, to=f"{INDIAN},{AMERICAN}")
    (other,) = await send(api)
    request_id = sent[0].id.partition(":")[0]
    status, answer = await api.call("POST", "outgoing/pause", json={"id": request_id.upper()})
    assert (status, answer["data"]) == (200, {"waiting": 2})
    status, answer = await api.call("GET", "outgoing/pauses")
    assert [row["id"] for row in answer["data"]] == [request_id]
    again = await api.database.read(calls.get, other.id)
    assert again is not None
    assert again.paused_by is None
    assert (await api.call("POST", "outgoing/resume", json={"id": request_id}))[1]["data"]["was_paused"]


async def test_pauses_that_cannot_be(api: Api) -> None:
    for data in ({}, {"name": "a", "id": "b"}):
        status, answer = await api.call("POST", "outgoing/pause", data=data)
        assert (status, list(answer["errors"])) == (422, ["name"])
    unknown = "70fa87e0-9df9-4327-bc80-a561c48703d8"
    for request_id in ("nothing", unknown):
        status, answer = await api.call("POST", "outgoing/pause", data={"id": request_id})
        assert (status, answer["message"]) == (404, f"There is no request {request_id}.")
    other = await api.database.run(accounts.insert, name="other", now=1)
    await pauses.pause(api.database, other.id, PauseKind.CAMPAIGN, "spring", request=None, now=START_MS)
    assert (await api.call("GET", "outgoing/pauses"))[1]["data"] == []
    (call,) = await send(api, name="spring")
    assert call.paused_by is None
