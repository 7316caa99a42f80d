"""Prices and credit over HTTP: what is accepted, what is refused, and what is told of both."""

from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api

from outdial.domain.prompt import SCHEME
from outdial.domain.rating import Rate
from outdial.storage import calls, credit, prompts, rates
from outdial.storage.credit import Kind
from outdial.storage.rates import NewCardRow

INDIA, AMERICA = "918867135000", "12025550100"
SOUND = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"
NEEDED = 10_000
"""Units: 35 s of sound and what is around it are two pulses of 30 s."""


@pytest.fixture(autouse=True)
async def _sound_and_price(api: Api) -> None:
    rate = Rate(prefix="91", first_pulse_s=30, next_pulse_s=30, first_price=5_000, next_price=5_000)
    row = NewCardRow(rate=rate, currency="USD", iso="IN", country_name="India", calling_code="91")
    await api.add_sound(SOUND, duration_ms=35_000)
    await api.database.run(rates.put, [row], now=START_MS)


async def prepaid(api: Api, units: int) -> None:
    await api.database.run(credit.set_terms, api.account_id, prepaid=True, currency="USD")
    if units:
        await api.database.run(
            credit.add, api.account_id, units, kind=Kind.TOP_UP, note="", now=api.clock.now
        )


async def send(api: Api, to: str | list[str], **changes: Any) -> tuple[int, Any]:
    return await api.call(
        "POST", "outgoing/send", json={"bridge": BRIDGE, "to": to, "audio": SOUND} | changes
    )


async def say(api: Api, to: str | list[str]) -> tuple[int, Any]:
    return await api.call("POST", "outgoing/tts", json={"bridge": BRIDGE, "to": to, "text": "Hello."})


async def balance(api: Api) -> tuple[str, str, str]:
    status, answer = await api.call("GET", "account/balance")
    assert status == 200
    return answer["data"]["balance"], answer["data"]["reserved"], answer["data"]["available"]


async def test_an_accepted_call_tells_its_first_pulse_and_holds_back_what_it_may_cost(api: Api) -> None:
    await prepaid(api, 25_000)
    status, answer = await send(api, INDIA)
    assert (status, answer["data"][0]["charges"]) == (200, "0.5000")
    assert await balance(api) == ("2.5000", "1.0000", "1.5000")
    call = await api.database.read(calls.get, answer["data"][0]["id"])
    assert call is not None
    assert (call.reserved, call.rate and call.rate.prefix) == (NEEDED, "91")
    await api.call("POST", "outgoing/cancel", json={"id": call.id})
    assert await balance(api) == ("2.5000", "0.0000", "2.5000")


async def test_exactly_the_balance_does_and_a_unit_less_does_not(api: Api) -> None:
    await prepaid(api, NEEDED - 1)
    status, answer = await send(api, INDIA)
    assert (status, list(answer["errors"])) == (402, ["balance"])
    assert answer["message"] == (
        "The balance does not cover this call: 1.0000 USD needed, 0.9999 available"
        " (balance 0.9999, reserved 0.0000)."
    )
    assert await api.database.read(calls.find, api.account_id) == []
    await api.database.run(credit.add, api.account_id, 1, kind=Kind.TOP_UP, note="", now=1)
    assert (await send(api, INDIA))[0] == 200
    assert (await send(api, INDIA))[0] == 402
    assert await balance(api) == ("1.0000", "1.0000", "0.0000")


async def test_a_list_is_covered_as_a_whole_or_none_of_it_is_called(api: Api) -> None:
    await prepaid(api, 2 * NEEDED)
    three = [INDIA, "918867135001", "918867135002"]
    status, answer = await send(api, three)
    assert (status, "these 3 calls: 3.0000 USD needed" in answer["message"]) == (402, True)
    assert await api.database.read(calls.find, api.account_id) == []
    assert (await send(api, three[:2]))[0] == 200
    (entry, *_) = await api.database.read(credit.entries, api.account_id)
    assert (entry.kind, entry.reserved, entry.note) == (Kind.RESERVE, 2 * NEEDED, "2 calls")


async def test_a_text_reserves_for_as_long_as_a_call_of_unknown_length(api: Api) -> None:
    await prepaid(api, NEEDED)
    status, answer = await say(api, INDIA)
    assert (status, list(answer["errors"])) == (402, ["balance"])
    needed = Rate(prefix="91", first_pulse_s=30, next_pulse_s=30, first_price=5_000, next_price=5_000).charge(
        api.context.options.reserve_ms + 2_000
    )
    await prepaid(api, needed - NEEDED)
    assert (await say(api, INDIA))[0] == 200
    assert (await balance(api))[2] == "0.0000"


@pytest.mark.parametrize("ask", [send, say])
async def test_a_prepaid_account_calls_no_number_without_a_price(api: Api, ask: Any) -> None:
    await prepaid(api, 10**6)
    status, answer = await ask(api, AMERICA)
    assert (status, list(answer["errors"])) == (422, ["to"])
    assert f"{AMERICA} has no price" in answer["message"]
    assert await balance(api) == ("100.0000", "0.0000", "100.0000")


async def test_of_a_list_only_what_can_be_called_is_called(api: Api) -> None:
    await prepaid(api, 2 * NEEDED)
    to = ["hello", INDIA, AMERICA, "12", INDIA, "918867135001", "x"]
    status, answer = await send(api, to)
    assert (status, answer["message"]) == (200, "2 numbers accepted for delivery. 5 refused.")
    rows = answer["data"]
    assert [row["mobile"] for row in rows] == ["hello", INDIA, AMERICA, "12", INDIA, "918867135001", "x"]
    assert [row["mobile"] for row in rows if row["id"] is not None] == [INDIA, "918867135001"]
    assert all((row["charges"], row["id"]) == ("0.0000", None) for row in rows if "error" in row)
    assert f"{AMERICA} has no price" in rows[2]["error"]
    assert "not a phone number" in rows[0]["error"]
    assert await balance(api) == ("2.0000", "2.0000", "0.0000")
    found = await api.database.read(calls.find, api.account_id)
    assert sorted(call.to for call in found) == [INDIA, "918867135001"]


async def test_a_list_without_any_number_to_call_is_refused(api: Api) -> None:
    await prepaid(api, 2 * NEEDED)
    for to in (["hello", "12"], [AMERICA, "12025550101"], ["hello", AMERICA]):
        status, answer = await send(api, to)
        assert (status, list(answer["errors"])) == (422, ["to"]), to
    status, answer = await send(api, [f"x{number}" for number in range(15)])
    assert (status, answer["errors"]["to"][10:]) == (422, ["5 more numbers cannot be used."])


async def test_each_of_a_list_hears_its_own_text_though_one_before_it_is_refused(api: Api) -> None:
    await prepaid(api, 10**6)
    body = {"bridge": BRIDGE, "to": ["x", AMERICA, INDIA], "text": "You are {{to}}."}
    status, answer = await api.call("POST", "outgoing/tts", json=body)
    assert (status, answer["data"][2]["mobile"]) == (200, INDIA)
    (call,) = await api.database.read(calls.find, api.account_id)
    assert call.audio_url is not None
    said = await api.database.read(prompts.get, call.audio_url.removeprefix(SCHEME))
    assert said is not None
    assert said.parts == (f"You are {INDIA}.",)


async def test_a_postpaid_account_calls_whom_it_likes_and_reserves_nothing(api: Api) -> None:
    status, answer = await send(api, [INDIA, AMERICA])
    assert (status, [row["charges"] for row in answer["data"]]) == (200, ["0.5000", "0.0000"])
    assert await balance(api) == ("0.0000", "0.0000", "0.0000")


async def test_the_price_list_shows_an_account_the_common_prices_and_its_own(api: Api) -> None:
    own = Rate(prefix="1", first_pulse_s=60, next_pulse_s=6, first_price=200, next_price=20, connection_fee=7)
    from outdial.storage import accounts

    other = await api.database.run(accounts.insert, name="b", now=1)
    rows = [
        NewCardRow(rate=own, currency="USD", account_id=api.account_id, active=False),
        NewCardRow(rate=own, currency="USD", account_id=other.id),
    ]
    await api.database.run(rates.put, rows, now=1)
    status, answer = await api.call("GET", "voice/pricing")
    assert (status, answer["meta"]["total"]) == (200, 2)
    (mine, common) = answer["data"]
    assert (mine["sale_price"], mine["first_pulse"], mine["next_price"], mine["next_pulse"]) == (
        "0.0200",
        60,
        "0.0020",
        6,
    )
    assert (mine["connection_fee"], mine["status"]) == ("0.0007", "inactive")
    assert common | {"id": 0} == {
        "id": 0,
        "iso": "IN",
        "country_name": "India",
        "calling_code": "91",
        "prefix": "91",
        "sale_price": "0.5000",
        "first_pulse": 30,
        "next_price": "0.5000",
        "next_pulse": 30,
        "connection_fee": "0.0000",
        "currency": "USD",
        "status": "active",
    }
    _, page = await api.call("GET", "voice/pricing?page=2&per_page=1")
    assert [row["prefix"] for row in page["data"]] == ["91"]
