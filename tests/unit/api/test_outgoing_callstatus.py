"""A call's life as the API tells it: status, trace and cancel, on rows that a dialer would write."""

from dataclasses import replace
from typing import Any

from tests.helpers.http_api import BRIDGE, START_MS, Api
from tests.helpers.written_calls import ANSWERED, CALL_ID, DIALER, claim, finish, new_call

from outdial.domain.call import AttemptOutcome, CallState, NewCall
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import accounts, attempts, audio_urls, calls, tokens


async def _store_call(api: Api, call_id: str = CALL_ID) -> None:
    await api.database.run(calls.insert_calls, [new_call(api, call_id)])


async def _status(api: Api, call_id: str = CALL_ID) -> dict[str, Any]:
    status, answer = await api.call("GET", f"outgoing/callstatus?id={call_id}")
    assert (status, answer["status"], answer["code"]) == (200, "OK", 200)
    data: dict[str, Any] = answer["data"]
    return data


async def test_a_call_that_waits(api: Api) -> None:
    await _store_call(api)
    row = await _status(api)
    assert row == {
        "id": CALL_ID,
        "mobile": "918867135000",
        "caller_id": BRIDGE,
        "name": "campaign",
        "state": "queued",
        "status": None,
        "duration": "00:00:00",
        "pulsing": "0",
        "charges": "0.0000",
        "dtmf": "",
        "location": "IN",
        "region": "India",
        "provider": "Tata Docomo",
        "customid": "order 7",
        "customid1": "",
        "submitted_at": "2019-08-16 15:09:51",
        "due_at": "2019-08-16 15:09:51",
        "expires_at": None,
        "start_at": None,
        "end_at": None,
        "explanation": "Waits for a dialer: none is running.",
        "callback_of": None,
        "callback": None,
        "attempts": [],
    }


async def test_a_call_in_progress_says_how_far_it_is(api: Api) -> None:
    await _store_call(api)
    claimed = await claim(api)
    steps = {
        "claimed": None,
        "dialing": lambda: api.database.run(attempts.mark_dialing, claimed.lease, now=START_MS),
        "ringing": lambda: api.database.run(attempts.mark_ringing, claimed.lease, at=START_MS),
        "answered": lambda: api.database.run(attempts.mark_answered, claimed.lease, at=START_MS),
    }
    said = []
    for state, step in steps.items():
        if step is not None:
            assert await step()
        row = await _status(api)
        assert (row["state"], row["status"]) == ("leased", None)
        assert row["attempts"][0]["state"] == state
        said.append(row["explanation"])
    assert len(set(said)) == len(steps)


async def test_an_answered_call_has_everything(api: Api) -> None:
    await _store_call(api)
    await finish(api, await claim(api), ANSWERED, Done())
    row = await _status(api)
    assert (row["state"], row["status"], row["duration"], row["dtmf"]) == (
        "done",
        "ANSWER",
        "00:00:19",
        "42#",
    )
    assert (row["start_at"], row["end_at"]) == ("2019-08-16 15:09:54", "2019-08-16 15:10:13")
    assert row["explanation"] == (
        "The callee picked up, heard 18.5 seconds of the announcement and pressed 42#; then we hung up."
    )
    (attempt,) = row["attempts"]
    expected = {
        "attempt": 1,
        "state": "ended",
        "status": "ANSWER",
        "reason": "completed",
        "sip_code": 200,
        "sip_reason": "OK",
        "sip_call_id": "abc",
        "hangup_by": "system",
        "ring_seconds": 3.1,
        "talk_seconds": 18.9,
        "played_seconds": 18.5,
        "codec": "PCMA",
        "ptime": 20,
    }
    assert {name: attempt[name] for name in expected} == expected
    assert attempt["quality"]["packets_sent"] == 945
    assert attempt["quality"]["mos"] == 4.4


async def test_a_call_that_is_tried_again(api: Api) -> None:
    await _store_call(api)
    busy = replace(
        ANSWERED,
        disposition=Disposition.BUSY,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        answered_at=None,
        sip_code=486,
        sip_reason="Busy Here",
        dtmf="",
        played_ms=0,
    )
    await finish(api, await claim(api), busy, Retry(due_at=START_MS + 300_000, spends_attempt=True))
    row = await _status(api)
    assert (row["state"], row["status"]) == ("queued", "BUSY")
    assert row["explanation"] == (
        "Waits to be tried again at 2019-08-16 15:14:51. The last try: The callee was busy (SIP 486 Busy"
        " Here)."
    )
    api.clock.now += 300_000
    await finish(api, await claim(api), replace(busy, ended_at=START_MS + 310_000), Done())
    row = await _status(api)
    assert row["explanation"] == "The callee was busy (SIP 486 Busy Here). It was tried 2 times."
    assert [attempt["attempt"] for attempt in row["attempts"]] == [1, 2]


async def test_the_last_attempt_says_how_a_call_went(api: Api) -> None:
    await _store_call(api)
    no_answer = replace(
        ANSWERED,
        disposition=Disposition.NOANSWER,
        reason=EndReason.RING_TIMEOUT,
        answered_at=None,
        dtmf="",
        ended_at=START_MS + 10_000,
    )
    await finish(api, await claim(api), no_answer, Retry(due_at=START_MS + 310_000, spends_attempt=True))
    api.clock.now += 310_000
    await finish(api, await claim(api), ANSWERED, Done())
    row = await _status(api)
    assert (row["status"], row["duration"], row["dtmf"]) == ("ANSWER", "00:00:19", "42#")
    assert (row["start_at"], row["end_at"]) == ("2019-08-16 15:09:54", "2019-08-16 15:10:13")


async def test_somebody_else_s_call_is_404(api: Api) -> None:
    await _store_call(api)
    other = await api.database.run(accounts.insert, name="other", now=1)
    await api.database.run(tokens.insert, account_id=other.id, name="x", new_secret=lambda: "f" * 32, now=1)
    headers = {"Authorization": "Bearer " + "f" * 32}
    for method, path in (
        ("GET", f"outgoing/callstatus?id={CALL_ID}"),
        ("GET", f"outgoing/trace?id={CALL_ID}"),
        ("POST", f"outgoing/cancel?access_token={'f' * 32}"),
    ):
        data = {"id": CALL_ID} if method == "POST" else None
        assert (await api.call(method, path, headers=headers, data=data))[0] == 404, path


async def test_calls_that_are_not_there(api: Api) -> None:
    assert (await api.call("GET", "outgoing/callstatus?id=nothing"))[0] == 404
    status, answer = await api.call("GET", "outgoing/callstatus")
    assert (status, list(answer["errors"])) == (422, ["id"])
    assert "customid" in answer["message"]
    assert (await api.call("POST", "outgoing/cancel", data={"id": "nothing"}))[0] == 404
    assert (await api.call("POST", "outgoing/cancel", json={"id": ["x"]}))[0] == 422


async def test_calls_are_found_by_number_customid_and_day(api: Api) -> None:
    await _store_call(api)
    await _store_call(api, "other:1")

    async def found(filters: str) -> list[str]:
        status, answer = await api.call("GET", f"outgoing/callstatus?{filters}")
        assert (status, answer["meta"]["total"]) == (200, len(answer["data"])), filters
        return [row["id"] for row in answer["data"]]

    both = ["other:1", CALL_ID]
    for filters in (
        "mobile=918867135000",
        "mobile=%2B91%2088671-35000",
        "customid=order%207",
        "date=2019-08-16",
    ):
        assert await found(filters) == both, filters
    assert await found("mobile=918867135000&customid=order%207&date=2019-08-16") == both
    for filters in ("mobile=918867135001", "customid=order", "date=2019-08-15", "date=2019-08-17"):
        assert await found(filters) == [], filters
    assert await found("mobile=918867135000&date=2019-08-17") == []


async def test_a_list_of_calls_says_the_same_as_one_call(api: Api) -> None:
    await _store_call(api)
    await finish(api, await claim(api), ANSWERED, Done())
    _, answer = await api.call("GET", "outgoing/callstatus?mobile=918867135000")
    assert answer["data"] == [await _status(api)]


async def test_the_pages_of_a_list_keep_its_filter_and_not_the_token(api: Api) -> None:
    await _store_call(api)
    await _store_call(api, "other:1")
    filters = f"customid=order%207&per_page=1&access_token={api.token}"
    _, answer = await api.call("GET", f"outgoing/callstatus?{filters}", headers={})
    assert answer["links"]["next"].endswith("outgoing/callstatus?customid=order+7&page=2&per_page=1")
    assert api.token not in str(answer)


async def test_filters_that_cannot_be(api: Api) -> None:
    for filters, name in (
        ("mobile=abc", "mobile"),
        ("date=yesterday", "date"),
        ("date=0001-01-01", "date"),
        ("date=9999-12-31", "date"),
        ("customid=x&page=0", "page"),
        ("mobile=", "id"),
    ):
        status, answer = await api.call("GET", f"outgoing/callstatus?{filters}")
        assert (status, list(answer["errors"])) == (422, [name]), filters


async def test_nobody_finds_somebody_else_s_calls(api: Api) -> None:
    await _store_call(api)
    other = await api.database.run(accounts.insert, name="other", now=1)
    await api.database.run(tokens.insert, account_id=other.id, name="x", new_secret=lambda: "f" * 32, now=1)
    _, answer = await api.call(
        "GET", "outgoing/callstatus?mobile=918867135000", headers={"Authorization": "Bearer " + "f" * 32}
    )
    assert answer["data"] == []


async def test_the_trace_of_an_attempt(api: Api) -> None:
    await _store_call(api)
    status, answer = await api.call("GET", f"outgoing/trace?id={CALL_ID}")
    assert (status, answer["data"]["attempt"], answer["data"]["entries"]) == (200, 0, [])
    assert (await api.call("GET", f"outgoing/trace?id={CALL_ID}&attempt=1"))[0] == 422

    claimed = await claim(api)
    entries = [
        {
            "at": START_MS + 5,
            "direction": "sent",
            "peer": "192.0.2.1:5060",
            "summary": "INVITE",
            "text": "INVITE …",
        },
        {"at": START_MS + 17, "direction": "note", "summary": "first audio sent"},
    ]
    assert await api.database.run(attempts.append_trace, claimed.lease, entries)
    status, answer = await api.call("GET", f"outgoing/trace?id={CALL_ID}")
    assert status == 200
    assert (answer["data"]["attempt"], answer["data"]["cut"]) == (1, False)
    first, second = answer["data"]["entries"]
    at = "2019-08-16 15:09:51"
    assert first == entries[0] | {"at": at, "offset_ms": 0}
    assert second == entries[1] | {"at": at, "offset_ms": 12, "peer": None, "text": None}
    for wrong in ("0", "2", "x", "-1", "1.5"):
        status, answer = await api.call("GET", f"outgoing/trace?id={CALL_ID}&attempt={wrong}")
        assert (status, list(answer["errors"])) == (422, ["attempt"]), wrong


async def test_cancelling(api: Api) -> None:
    await _store_call(api)
    status, answer = await api.call("POST", "outgoing/cancel", data={"id": CALL_ID})
    assert (status, answer["data"]) == (200, {"id": CALL_ID, "state": "done"})
    row = await _status(api)
    assert (row["state"], row["status"]) == ("done", "CANCEL")
    assert row["explanation"] == "Cancelled before it was dialled."
    status, answer = await api.call("POST", "outgoing/cancel", data={"id": CALL_ID})
    assert (status, answer["status"]) == (409, 409)


async def test_cancelling_a_call_in_progress_is_left_to_its_dialer(api: Api) -> None:
    await _store_call(api)
    await claim(api)
    status, answer = await api.call("POST", "outgoing/cancel", json={"id": CALL_ID})
    assert (status, answer["data"]["state"]) == (200, "leased")
    assert await api.database.read(calls.cancelling, DIALER) == [CALL_ID]


async def test_cancelling_a_request(api: Api) -> None:
    form = {"bridge": BRIDGE, "to": "12025550100,12025550101", "audio": "https://example.com/a.mp3"}
    _, sent = await api.call("POST", "outgoing/send", data=form)
    request_id = sent["data"][0]["id"].partition(":")[0]
    for cancelled, ended in ((2, 0), (0, 2)):
        status, answer = await api.call("POST", "outgoing/cancel", data={"id": request_id})
        counts = {"cancelled": cancelled, "hanging_up": 0, "ended": ended}
        assert (status, answer["data"]) == (200, {"id": request_id, **counts})
    unknown = "70fa87e0-9df9-4327-bc80-a561c48703d9"
    status, answer = await api.call("POST", "outgoing/cancel", data={"id": unknown})
    assert (status, answer["message"]) == (404, f"There is no request {unknown}.")


async def test_a_request_of_another_account_is_not_there(api: Api) -> None:
    other = await api.database.run(accounts.insert, name="other", now=1)
    request_id = "70fa87e0-9df9-4327-bc80-a561c48703d9"
    call = NewCall(
        id=f"{request_id}:1",
        account_id=other.id,
        bridge=BRIDGE,
        trunk_id=api.trunk_id,
        to="12025550100",
        submitted_at=api.clock(),
        due_at=api.clock(),
        sound_id="sound",
    )
    await api.database.run(calls.insert_calls, [call])
    assert (await api.call("POST", "outgoing/cancel", data={"id": request_id}))[0] == 404
    stored = await api.database.read(calls.get, call.id)
    assert stored is not None
    assert stored.state is CallState.QUEUED


async def test_a_call_that_waits_for_its_audio_says_so(api: Api) -> None:
    url, now = "https://me:s3cret@example.com/hello.mp3", api.clock()
    call = NewCall(
        id=CALL_ID,
        account_id=api.account_id,
        bridge=BRIDGE,
        trunk_id=api.trunk_id,
        to="918867135000",
        submitted_at=now,
        due_at=now,
        audio_url=url,
    )
    await api.database.run(calls.insert_calls, [call])

    async def explanation() -> str:
        _, answer = await api.call("GET", f"outgoing/callstatus?id={CALL_ID}")
        sentence: str = answer["data"]["explanation"]
        return sentence

    assert await explanation() == "Waits for a dialer: none is running."
    await api.database.run(audio_urls.take, url, fetcher="a", now=now, busy_until=now + 30_000)
    assert await explanation() == "Waits for its audio to be fetched from example.com."
    problem = "example.com answered HTTP 503 (Service Unavailable)."
    await api.database.run(audio_urls.retry, url, problem, fetcher="a", now=now, retry_at=now + 2_000)
    assert await explanation() == f"Waits for its audio, which will be tried again: {problem}"
    await api.database.run(audio_urls.take, url, fetcher="b", now=now + 2_000, busy_until=now + 30_000)
    await api.database.run(audio_urls.fail, url, problem, fetcher="b", now=now, fresh_until=now + 60_000)
    outcome = AttemptOutcome(
        disposition=Disposition.CHANUNAVAIL,
        reason=EndReason.AUDIO_UNAVAILABLE,
        hangup_by=HangupBy.SYSTEM,
        ended_at=now,
        detail=problem,
    )
    claimed = await claim(api)
    await api.database.run(attempts.finish, claimed.lease, outcome, Done(), now=now)
    assert await explanation() == f"The audio could not be used, so the call was not dialled: {problem}"
    _, answer = await api.call("GET", f"outgoing/callstatus?id={CALL_ID}")
    assert answer["data"]["attempts"][0]["reason"] == "audio_unavailable"
    assert answer["data"]["attempts"][0]["dialed_at"] is None
