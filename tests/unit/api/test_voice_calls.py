"""The call log: rows, filters, pages, CSV; on rows that a dialer would write."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api
from tests.helpers.written_calls import ANSWERED, CALL_ID, claim, finish, new_call

from outdial.api import voice_calls
from outdial.domain.retry_policy import Done
from outdial.storage import accounts, calls, tokens

DAY_MS = 24 * 60 * 60 * 1000


async def log(api: Api, **filters: object) -> list[str]:
    """The ids that the log answers."""
    status, answer = await api.call("GET", f"voice/calls?{urlencode(filters)}")
    assert (status, answer["meta"]["total"]) == (200, len(answer["data"]))
    return [row["id"] for row in answer["data"]]


async def csv_rows(api: Api, **filters: object) -> list[dict[str, str]]:
    url = f"{api.url}/api/v1/voice/calls.csv?{urlencode(filters)}"
    async with api.session.get(url, headers=api.bearer) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"] == 'attachment; filename="calls.csv"'
        return list(csv.DictReader(io.StringIO(await response.text())))


async def test_an_answered_call(api: Api) -> None:
    await api.database.run(calls.insert_calls, [new_call(api)])
    await finish(api, await claim(api), ANSWERED, Done())
    status, answer = await api.call("GET", "voice/calls")
    assert (status, answer["status"], answer["message"]) == (200, "OK", "1 calls.")
    (row,) = answer["data"]
    assert row == {
        "id": CALL_ID,
        "call_from": BRIDGE,
        "call_to": "918867135000",
        "bridge": BRIDGE,
        "status": "ANSWER",
        "state": "done",
        "duration": "00:00:19",
        "billing": "00:00:19",
        "pulsing": "0",
        "charges": "0.0000",
        "submitted_at": "2019-08-16 15:09:51",
        "start_at": "2019-08-16 15:09:54",
        "end_at": "2019-08-16 15:10:13",
        "hangup_by": "system",
        "dtmf": "42#",
        "location": "IN",
        "region": "India",
        "provider": "Tata Docomo",
        "audio": None,
        "name": "campaign",
        "customid": "order 7",
        "customid1": "",
        "sip_code": 200,
        "reason": "completed",
    }
    status, one = await api.call("GET", f"voice/calls/{CALL_ID}")
    attempts = one["data"].pop("attempts")
    assert one["data"] == row
    assert [(each["status"], each["sip_code"]) for each in attempts] == [("ANSWER", 200)]


async def test_a_call_that_waits_has_no_outcome(api: Api) -> None:
    await api.database.run(calls.insert_calls, [new_call(api)])
    _, answer = await api.call("GET", f"voice/calls/{CALL_ID}")
    row = answer["data"]
    assert (row["status"], row["state"], row["duration"]) == (None, "queued", "00:00:00")
    assert (row["start_at"], row["end_at"], row["hangup_by"], row["attempts"]) == (None, None, None, [])


async def test_filters(api: Api) -> None:
    early = new_call(api, "a:1", submitted_at=START_MS - DAY_MS, to="493012345678", customid1="x")
    named = new_call(api, "b:1", name="diwali")
    late = new_call(api, "c:1", submitted_at=START_MS + 999, name="diwali", customid="7")
    await api.database.run(calls.insert_calls, [early, named, late])
    await api.database.run(calls.request_cancel, "b:1", now=api.clock())
    assert await log(api) == ["c:1", "b:1", "a:1"]
    assert await log(api, mobile="+49 30 12345678") == ["a:1"]
    assert await log(api, bridge=f"+{BRIDGE}") == ["c:1", "b:1", "a:1"]
    assert await log(api, bridge="918068280001") == []
    assert await log(api, name="diwali") == ["c:1", "b:1"]
    assert await log(api, status="cancel") == ["b:1"]
    assert await log(api, state="queued", name="diwali") == ["c:1"]
    assert await log(api, customid="7") == ["c:1"]
    assert await log(api, customid1="x") == ["a:1"]
    assert await log(api, date="2019-08-16") == ["c:1", "b:1"]
    assert await log(api, end_date="2019-08-15") == ["a:1"]
    assert await log(api, start_date="2019-08-16 15:09:51") == ["c:1", "b:1"]
    assert await log(api, start_date="2019-08-16 15:09:52") == []
    # The second that an answer shows holds all of its milliseconds.
    assert await log(api, start_date="2019-08-15", end_date="2019-08-16 15:09:51") == ["c:1", "b:1", "a:1"]
    assert await log(api, start_date="2019-08-15", end_date="2019-08-16 15:09:50") == ["a:1"]
    assert await log(api, start_date="2019-08-15", date="2019-08-16") == ["c:1", "b:1"]
    assert await log(api, start_date="2019-08-16T20:39:51+05:30") == ["c:1", "b:1"]
    assert await log(api, start_date="2019-08-16T15:09:52.000Z") == []
    assert await log(api, start_date="2019-08-15", end_date="2019-08-16T17:09:50+02:00") == ["a:1"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("mobile", "abc", "'abc' is not a phone number"),
        ("bridge", "0", "'0' starts with 0"),
        ("status", "FINE", "status should be one of ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL"),
        ("state", "gone", "state should be one of queued, leased, done, not 'gone'."),
        ("date", "2019-08-16 10:00:00", "date should be a day as in 2019-08-16"),
        ("start_date", "16.8.2019", "start_date should be a day or a time, as in 2019-08-16 or"),
        ("start_date", "2019-W33-5", "start_date should be a day or a time"),
        ("start_date", "2019-08-16T10:00:00 02:00", "start_date should be a day or a time"),
        ("date", "2019-W33-5", "date should be a day"),
        ("end_date", "1969-12-31", "end_date should be a day or a time"),
        ("after", "nobody:1", "after should be the id of a call"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, name: str, value: str, sentence: str) -> None:
    status, answer = await api.call("GET", f"voice/calls?{urlencode({name: value})}")
    assert (status, list(answer["errors"])) == (422, [name])
    assert sentence in answer["errors"][name][0]


async def test_dates_the_wrong_way_round_are_named(api: Api) -> None:
    status, answer = await api.call("GET", "voice/calls?start_date=2019-08-17&end_date=2019-08-16")
    sentence = "end_date should not be before start_date, 2019-08-17, as '2019-08-16' is."
    assert (status, answer["errors"]) == (422, {"end_date": [sentence]})
    assert (await api.call("GET", "voice/calls?start_date=2019-08-16&end_date=2019-08-16"))[0] == 200


async def test_nobody_sees_the_calls_of_others(api: Api) -> None:
    await api.database.run(calls.insert_calls, [new_call(api)])
    stranger = await _token_of_another(api)
    status, answer = await api.call("GET", "voice/calls", headers=stranger)
    assert (status, answer["data"]) == (200, [])
    assert (await api.call("GET", f"voice/calls?after={CALL_ID}", headers=stranger))[0] == 422
    status, answer = await api.call("GET", f"voice/calls/{CALL_ID}", headers=stranger)
    assert (status, answer["message"]) == (404, f"There is no call {CALL_ID}.")
    assert await api.call("GET", "voice/calls/x:1", headers=stranger) == (
        404,
        {"status": 404, "message": "There is no call x:1.", "errors": {}},
    )


async def test_pages_by_number_and_by_the_last_call(api: Api) -> None:
    ids = [f"a:{number}" for number in range(5)]
    await api.database.run(calls.insert_calls, [new_call(api, each, name="diwali") for each in ids])
    _, first = await api.call("GET", "voice/calls?per_page=2&name=diwali")
    assert [row["id"] for row in first["data"]] == ["a:4", "a:3"]
    assert (first["meta"]["total"], first["meta"]["last_page"]) == (5, 3)
    seen: list[str] = []
    link: str | None = "voice/calls?per_page=2&name=diwali&after=a:4"
    while link:
        _, answer = await api.call("GET", link.removeprefix(api.url))
        seen += [row["id"] for row in answer["data"]]
        link = answer["links"]["next"]
        assert link is None or "name=diwali" in link
    assert seen == ["a:3", "a:2", "a:1", "a:0"]


async def test_csv_has_every_call_that_the_filters_leave(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_calls, "_CHUNK", 2)
    await api.database.run(calls.insert_calls, [new_call(api, f"a:{number}") for number in range(5)])
    await api.database.run(calls.insert_calls, [new_call(api, "b:1", name='=HYPERLINK("x")', customid="@x")])
    await api.database.run(accounts.update, api.account_id, {"time_zone": "Asia/Kolkata"})
    rows = await csv_rows(api)
    assert [row["id"] for row in rows] == ["b:1", *(f"a:{number}" for number in (4, 3, 2, 1, 0))]
    assert list(rows[0]) == list(voice_calls.COLUMNS)
    assert (rows[0]["name"], rows[0]["customid"]) == ('\'=HYPERLINK("x")', "'@x")
    assert (rows[0]["status"], rows[0]["submitted_at"]) == ("", "2019-08-16 20:39:51")
    assert [row["id"] for row in await csv_rows(api, name="campaign", after="a:2")] == ["a:1", "a:0"]
    assert await csv_rows(api, name="nothing") == []


async def test_a_file_is_read_in_chunks_while_calls_come_in(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No chunk is larger than the bound, and what is sent meanwhile is not in the file."""
    monkeypatch.setattr(voice_calls, "_CHUNK", 2)
    sizes = []
    read = voice_calls._read

    def watched(conn: Any, *arguments: Any, **named: Any) -> Any:
        found = read(conn, *arguments, **named)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(voice_calls, "_read", watched)
    await api.database.run(calls.insert_calls, [new_call(api, f"a:{number}") for number in range(4)])
    later = new_call(api, "b:1", submitted_at=START_MS + 5)
    await api.database.run(calls.insert_calls, [later])
    assert [row["id"] for row in await csv_rows(api)] == ["a:3", "a:2", "a:1", "a:0"]
    assert sizes == [2, 2, 0]


async def _token_of_another(api: Api) -> dict[str, str]:
    other = await api.database.run(accounts.insert, name="other", now=1)
    await api.database.run(tokens.insert, account_id=other.id, name="x", new_secret=lambda: "other's", now=1)
    return {"Authorization": "Bearer other's"}
