"""Prices and credit over HTTP, as an administrator sets them."""

from typing import Any

import pytest
from tests.helpers.http_api import Api
from tests.unit.api.test_permissions import token_with

from outdial.storage import credit


@pytest.fixture
async def admin(api: Api) -> Any:
    headers = await token_with(api, "admin")

    async def call(method: str, path: str, **body: Any) -> tuple[int, Any]:
        return await api.call(method, f"admin/{path}", headers=headers, json=body or None)

    return call


async def test_a_price_s_life(api: Api, admin: Any) -> None:
    status, answer = await admin("PUT", "rates", prefix="+91", sale_price="0.5", first_pulse=30)
    row = answer["data"]
    assert (status, row["prefix"], row["iso"], row["sale_price"]) == (200, "91", "IN", "0.5000")
    assert (row["next_price"], row["next_pulse"], row["account_id"]) == ("0.5000", 30, None)
    await admin("PUT", "rates", prefix="91", sale_price=0.4, account_id=api.account_id, next_pulse=6)
    await admin("PUT", "rates", prefix="91", sale_price="0.6", active=False)
    _, listed = await admin("GET", "rates")
    found = {row["account_id"]: (row["sale_price"], row["status"]) for row in listed["data"]}
    assert found == {None: ("0.6000", "inactive"), api.account_id: ("0.4000", "active")}
    own = next(row["id"] for row in listed["data"] if row["account_id"])
    assert [(await admin("DELETE", f"rates/{own}"))[0] for _ in range(2)] == [200, 404]
    _, log = await admin("GET", "audit?thing=rate")
    assert [entry["action"] for entry in log["data"]] == ["remove", "change", "create", "create"]
    assert log["data"][1]["after"]["first_price"] == "0.6000"


async def test_what_is_wrong_with_a_price_is_named(admin: Any) -> None:
    right = {"prefix": "91", "sale_price": "0.5"}
    for name, value in (
        ("prefix", "9a"),
        ("prefix", ""),
        ("sale_price", "-1"),
        ("sale_price", "half"),
        ("first_pulse", 0),
        ("next_pulse", 86_401),
        ("connection_fee", "0.00001"),
        ("currency", "dollars"),
        ("account_id", 0),
    ):
        status, answer = await admin("PUT", "rates", **(right | {name: value}))
        assert (status, list(answer["errors"])) == (422, [name]), (name, value)
    assert (await admin("PUT", "rates", **right, account_id=99))[0] == 422
    assert (await admin("GET", "rates"))[1]["data"] == []


async def test_credit_is_added_and_taken_away_but_not_more_than_there_is(api: Api, admin: Any) -> None:
    path = f"accounts/{api.account_id}/credit"
    status, answer = await admin("POST", path, amount="25", note="invoice 7")
    assert (status, answer["data"]["balance"], answer["data"]["available"]) == (200, "25.0000", "25.0000")
    assert (await admin("POST", path, amount=-5))[1]["data"]["balance"] == "20.0000"
    status, answer = await admin("POST", path, amount="-20.0001")
    assert (status, answer["message"]) == (409, "Only 20.0000 USD are available.")
    for wrong in ("0", "much", ""):
        assert (await admin("POST", path, amount=wrong))[0] == 422
    assert (await admin("POST", "accounts/99/credit", amount="1"))[0] == 404
    lines = await api.database.read(credit.entries, api.account_id)
    assert [(line.amount, line.note) for line in lines] == [(-50_000, ""), (250_000, "invoice 7")]
    _, log = await admin("GET", "audit?thing=credit")
    assert [entry["after"] for entry in log["data"]] == [{"balance": "20.0000"}, {"balance": "25.0000"}]
