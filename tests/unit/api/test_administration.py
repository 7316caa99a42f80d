"""Accounts, tokens, trunks and bridges over HTTP, and what the audit log says of it."""

from typing import Any

import pytest
from tests.helpers.http_api import BRIDGE, Api
from tests.unit.api.test_permissions import token_with

from outdial.domain.call import CallState, NewCall
from outdial.storage import accounts, calls, paces, tokens
from outdial.storage.paces import Hold


@pytest.fixture
async def admin(api: Api) -> Any:
    headers = await token_with(api, "admin")

    async def call(method: str, path: str, **body: Any) -> tuple[int, Any]:
        return await api.call(method, f"admin/{path}", headers=headers, json=body or None)

    return call


async def test_an_account_s_life(api: Api, admin: Any) -> None:
    status, answer = await admin("POST", "accounts", name="Clinic", time_zone="Asia/Kolkata")
    assert (status, answer["message"]) == (200, "The account is added.")
    clinic = answer["data"]["id"]
    assert answer["data"]["status"] == "open"
    _, answer = await admin("POST", "tokens", account_id=clinic, name="crm", scopes="calls,sounds")
    bearer = {"Authorization": f"Bearer {answer['data']['token']}"}
    assert answer["data"]["scopes"] == ["calls", "sounds"]
    _, me = await api.call("GET", "auth/me", headers=bearer)
    assert me["data"]["account"] == {"id": clinic, "name": "Clinic", "time_zone": "Asia/Kolkata"}
    assert me["data"]["token"]["created_at"] == "2019-08-16 20:39:51"
    _, answer = await admin("PUT", f"accounts/{clinic}", time_zone="Europe/Berlin")
    assert (answer["data"]["name"], answer["data"]["time_zone"]) == ("Clinic", "Europe/Berlin")
    await api.database.run(
        calls.insert_calls,
        [
            NewCall(
                id=f"c:{number}",
                account_id=clinic,
                bridge="1",
                trunk_id=api.trunk_id,
                to="12025550100",
                submitted_at=1,
                due_at=1,
                sound_id="s",
            )
            for number in range(3)
        ],
    )
    _, answer = await admin("DELETE", f"accounts/{clinic}")
    assert (answer["data"]["status"], answer["data"]["closed_at"]) == ("closed", "2019-08-16 15:09:51")
    assert {each.state for each in await api.database.read(calls.find, clinic)} == {CallState.DONE}
    api.clock.now += 3_001
    assert (await api.call("GET", "auth/me", headers=bearer))[0] == 401
    assert (await admin("POST", "tokens", account_id=clinic, name="x"))[0] == 422
    assert [row["name"] for row in (await admin("GET", "accounts"))[1]["data"]] == ["default", "Clinic"]


async def test_the_servers_own_account_stays_open(api: Api, admin: Any) -> None:
    """With it would end the only tokens that could open another one."""
    status, answer = await admin("DELETE", f"accounts/{api.account_id}")
    assert status == 409
    assert "is the server's own" in answer["message"]
    assert (await api.call("GET", "auth/me"))[0] == 200


async def test_a_trunk_is_changed_in_place_and_never_shows_its_password(api: Api, admin: Any) -> None:
    body = {"name": "c", "host": "sip.example.com", "username": "u", "password": "s3kr1t-pass"}
    _, answer = await admin("POST", "trunks", **body, headers={"X-Api-Key": "s3kr1t-key", "X-Team": "b"})
    trunk = answer["data"]["id"]
    assert answer["data"]["password"] == "(set)"
    assert answer["data"]["headers"] == {"X-Api-Key": "(set)", "X-Team": "b"}
    status, answer = await admin("PUT", f"trunks/{trunk}", max_concurrent="7", codecs="pcmu", enabled=False)
    row = answer["data"]
    assert (row["max_concurrent"], row["codecs"], row["enabled"]) == (7, ["PCMU"], False)
    await admin("PUT", f"trunks/{trunk}", password="s3kr1t-other", from_user="")
    from outdial.storage import trunks

    stored = await api.database.read(trunks.get, trunk)
    assert stored is not None
    assert (stored.password, stored.username, stored.from_user) == ("s3kr1t-other", "u", None)
    assert (await admin("POST", "trunks", name="c", host="h"))[0] == 409
    assert (await admin("POST", "trunks", name="d", host="h", username="u"))[0] == 422
    assert (await admin("PUT", "trunks/99", name="z"))[0] == 404
    _, bridge = await admin("POST", "bridges", number="+1 202 555 0101", account_id=1, trunk_id=trunk)
    assert bridge["data"]["number"] == "12025550101"
    status, answer = await admin("DELETE", f"trunks/{trunk}")
    assert (status, "12025550101" in answer["message"]) == (409, True)
    path = f"bridges/{bridge['data']['id']}"
    assert (await admin("PUT", path, trunk_id=api.trunk_id))[1]["data"]["trunk_id"] == api.trunk_id
    assert (await admin("PUT", path, trunk_id=99))[0] == 422
    assert (await admin("DELETE", path))[0] == 200
    assert (await admin("DELETE", f"trunks/{trunk}"))[0] == 200
    _, log = await admin("GET", "audit?per_page=100")
    assert "s3kr1t" not in repr(log)
    assert log["data"][-1]["actor"] == "token 2"
    password = next(each for each in log["data"] if "password" in (each["after"] or {}))
    assert (password["before"]["password"], password["after"]) == ("(set)", {"password": "(changed)"})


async def test_further_trunks_of_a_bridge(api: Api, admin: Any) -> None:
    ids = [
        (await admin("POST", "trunks", name=name, host="192.0.2.7"))[1]["data"]["id"] for name in ("b", "c")
    ]
    body = {"number": "12025550103", "account_id": 1, "trunk_id": api.trunk_id}
    _, answer = await admin("POST", "bridges", **body, further_trunk_ids=ids)
    assert answer["data"]["further_trunk_ids"] == ids
    path = f"bridges/{answer['data']['id']}"
    _, answer = await admin("PUT", path, further_trunk_ids=f"{ids[1]}, {ids[0]},{ids[0]}")
    assert answer["data"]["further_trunk_ids"] == ids[::-1], "the order is the wish; twins are one"
    assert (await admin("PUT", path, display_name="x"))[1]["data"]["further_trunk_ids"] == ids[::-1]
    status, answer = await admin("DELETE", f"trunks/{ids[0]}")
    assert (status, "12025550103" in answer["message"]) == (409, True)
    assert (await admin("PUT", path, further_trunk_ids=[99]))[0] == 422
    for wrong, words in (
        ([api.trunk_id], "should be others"),
        (["x"], "whole number"),
        ({"a": 1}, "whole number"),
        ([1, 2, 3, 4, 5, 6], "5 are accepted"),
        ([True], "whole number"),
        ([[1]], "whole number"),
    ):
        status, answer = await admin("PUT", path, further_trunk_ids=wrong)
        assert (status, words in str(answer)) == (422, True), (wrong, answer)
    assert (await admin("PUT", path, trunk_id=ids[0]))[0] == 422, "it is one of the further ones"
    numbered = {"0": str(ids[0]), "1": str(ids[1])}
    assert (await admin("PUT", path, further_trunk_ids=numbered))[1]["data"]["further_trunk_ids"] == ids
    assert (await admin("PUT", path, further_trunk_ids=""))[1]["data"]["further_trunk_ids"] == []
    assert (await admin("DELETE", f"trunks/{ids[0]}"))[0] == 200


async def test_limits_and_pauses_of_accounts_and_bridges(api: Api, admin: Any) -> None:
    _, answer = await admin("POST", "accounts", name="a", calls_per_second="0.5", paused=True)
    account = answer["data"]
    assert (account["calls_per_second"], account["max_concurrent"], account["paused"]) == (0.5, None, True)
    path = f"accounts/{account['id']}"
    _, answer = await admin("PUT", path, max_concurrent=7, paused=0)
    assert (answer["data"]["calls_per_second"], answer["data"]["max_concurrent"]) == (0.5, 7)
    assert (answer["data"]["paused"], answer["data"]["balance"]) == (False, "0.0000")
    _, answer = await admin("PUT", path, calls_per_second="")
    assert answer["data"]["calls_per_second"] is None
    body = {"number": "12025550102", "account_id": account["id"], "trunk_id": api.trunk_id}
    _, answer = await admin("POST", "bridges", **body, max_concurrent=2)
    assert answer["data"]["max_concurrent"] == 2
    _, answer = await admin("PUT", f"bridges/{answer['data']['id']}", paused=True)
    assert answer["data"]["paused_at"] == "2019-08-16 15:09:51"


async def test_an_account_becomes_prepaid(api: Api, admin: Any) -> None:
    _, answer = await admin("POST", "accounts", name="a", prepaid=1, currency="eur")
    path = f"accounts/{answer['data']['id']}"
    assert (answer["data"]["prepaid"], answer["data"]["currency"]) == (True, "EUR")
    _, answer = await admin("PUT", path, prepaid=0)
    assert (answer["data"]["prepaid"], answer["data"]["currency"]) == (False, "EUR")
    await api.database.run(accounts.update, answer["data"]["id"], {"balance": -10_000})
    status, answer = await admin("PUT", path, prepaid=1)
    assert (status, "-1.0000 EUR" in answer["message"]) == (409, True)
    status, answer = await admin("PUT", path, currency="USD")
    assert (status, "can change only at 0" in answer["message"]) == (409, True)
    _, answer = await admin("GET", path)
    assert (answer["data"]["prepaid"], answer["data"]["currency"]) == (False, "EUR")


async def test_the_log_is_written_with_the_change(api: Api, admin: Any) -> None:
    await admin("PUT", f"trunks/{api.trunk_id}", max_concurrent=5)
    await admin("PUT", f"trunks/{api.trunk_id}", max_concurrent=5)
    _, log = await admin("GET", f"audit?thing=trunk&thing_id={api.trunk_id}")
    (entry,) = log["data"]
    assert (entry["action"], entry["before"], entry["after"]) == (
        "change",
        {"max_concurrent": 100},
        {"max_concurrent": 5},
    )
    assert (entry["address"], entry["at"]) == ("127.0.0.1", "2019-08-16 15:09:51")


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("accounts", {"name": ""}, "name"),
        ("accounts", {"name": "x", "currency": "euro"}, "currency"),
        ("accounts", {"name": "x", "time_zone": "Mars/Olympus"}, "time_zone"),
        ("accounts", {"name": "x", "time_zone": "../../etc/passwd"}, "time_zone"),
        ("accounts", {"name": "x", "time_zone": "Africa"}, "time_zone"),
        ("accounts", {"name": ["x"]}, "name"),
        ("tokens", {"account_id": 1, "name": "x", "scopes": "everything"}, "scopes"),
        ("tokens", {"account_id": 1, "name": "x", "scopes": []}, "scopes"),
        ("tokens", {"account_id": 1, "name": "x", "expires_at": "2019-08-16 15:09:51"}, "expires_at"),
        ("tokens", {"account_id": 1, "name": "x", "expires_at": "soon"}, "expires_at"),
        ("tokens", {"account_id": 1, "name": "x", "addresses": ["10.0.0.1/8"]}, "addresses"),
        ("tokens", {"account_id": "one", "name": "x"}, "account_id"),
        ("trunks", {"name": "x", "host": "a b"}, "host"),
        ("trunks", {"name": "x", "host": "h", "port": 70000}, "port"),
        ("trunks", {"name": "x", "host": "h", "codecs": "opus"}, "codecs"),
        ("trunks", {"name": "x", "host": "h", "codecs": []}, "codecs"),
        ("trunks", {"name": "x", "host": "h", "calls_per_second": "nan"}, "calls_per_second"),
        ("trunks", {"name": "x", "host": "h", "headers": {"X": "a\r\nVia: b"}}, "headers"),
        ("trunks", {"name": "x", "host": "h", "headers": {"Via": "b"}}, "headers"),
        ("trunks", {"name": "x", "host": "h", "from_user": "a\r\nb"}, "from_user"),
        ("trunks", {"name": "x", "host": "h", "session_expires_s": 30}, "session_expires_s"),
        ("bridges", {"number": "x", "account_id": 1, "trunk_id": 1}, "number"),
        ("bridges", {"number": "12025550101", "trunk_id": 1}, "account_id"),
        ("bridges", {"number": "12025550101", "trunk_id": 1, "account_id": 77}, "account_id"),
        ("bridges", {"number": "12025550101", "trunk_id": 77, "account_id": 1}, "trunk_id"),
        ("tokens", {"account_id": 77, "name": "x"}, "account_id"),
    ],
)
async def test_what_is_wrong_is_named(admin: Any, path: str, body: dict[str, Any], name: str) -> None:
    status, answer = await admin("POST", path, **body)
    assert (status, list(answer["errors"])) == (422, [name])


async def test_a_change_to_something_unknown_names_it(api: Api, admin: Any) -> None:
    status, answer = await admin("PUT", "bridges/1", trunk_id=77, account_id=78)
    assert (status, answer["errors"]) == (
        422,
        {"account_id": ["There is no account 78."], "trunk_id": ["There is no trunk 77."]},
    )
    status, answer = await admin("PUT", "rates", prefix="91", sale_price="0.5", account_id=78)
    assert (status, answer["errors"]) == (422, {"account_id": ["There is no account 78."]})


async def test_what_is_taken_is_named(api: Api, admin: Any) -> None:
    status, answer = await admin("POST", "trunks", name="t", host="h")
    assert (status, list(answer["errors"])) == (409, ["name"])
    status, answer = await admin("POST", "bridges", number=BRIDGE, account_id=1, trunk_id=api.trunk_id)
    assert (status, list(answer["errors"])) == (409, ["number"])
    await admin("POST", "accounts/1/credit", amount="5")
    status, answer = await admin("PUT", "accounts/1", currency="EUR")
    assert (status, list(answer["errors"])) == (409, ["currency"])


async def test_times_in_the_log_are_the_family_s(api: Api, admin: Any) -> None:
    await admin("PUT", "bridges/1", paused="1")
    await admin("POST", "tokens", account_id=1, name="x", expires_at="2030-01-31 00:00:00")
    _, log = await admin("GET", "audit")
    assert [each["after"].get("expires_at") or each["after"].get("paused_at") for each in log["data"]] == [
        "2030-01-31 00:00:00",
        "2019-08-16 15:09:51",
    ]
    assert log["data"][1]["before"] == {"paused_at": None}


async def test_a_past_expiry_is_named_with_its_value(admin: Any) -> None:
    past = "2019-08-16 15:09:51"
    _, answer = await admin("POST", "tokens", account_id=1, name="x", expires_at=past)
    assert answer["errors"]["expires_at"] == [f"expires_at should be in the future, not {past}."]


async def test_an_account_manages_its_own_tokens_and_gives_no_more_than_it_has(api: Api) -> None:
    few = await token_with(api, "tokens", "calls")
    status, answer = await api.call(
        "POST", "auth/tokens", headers=few, data={"name": "x", "scopes": "calls:read"}
    )
    assert status == 200
    made = answer["data"]
    status, answer = await api.call("GET", "auth/tokens", headers=few)
    assert made["token"] not in repr(answer)
    assert answer["data"][-1]["scopes"] == ["calls:read"]
    for beyond in ("sounds", "admin", "account", "calls,webhooks"):
        status, answer = await api.call(
            "POST", "auth/tokens", headers=few, data={"name": "x", "scopes": beyond}
        )
        assert (status, list(answer["errors"])) == (422, ["scopes"]), beyond
    assert (await api.call("DELETE", f"auth/tokens/{made['id']}", headers=few))[0] == 200
    assert (await api.call("DELETE", f"auth/tokens/{made['id']}", headers=few))[0] == 404
    from outdial.storage import accounts

    other = await api.database.run(accounts.insert, name="b", now=1)
    theirs, _ = await api.database.run(
        tokens.insert, account_id=other.id, name="x", new_secret=lambda: "o" * 32, now=1
    )
    assert (await api.call("DELETE", f"auth/tokens/{theirs.id}", headers=few))[0] == 404


async def test_trunks_show_their_health(api: Api, admin: Any) -> None:
    hold = Hold(api.clock() + 5_000, "it refuses them: SIP 503 Service Unavailable")
    await api.database.run(paces.note_hold, api.trunk_id, hold, now=api.clock())
    expected = {
        "state": "held",
        "calls": 0,
        "since": "2019-08-16 15:09:51",
        "held_until": "2019-08-16 15:09:56",
        "reason": "it refuses them: SIP 503 Service Unavailable",
        "registrations": [],
    }
    _, answer = await admin("GET", "trunks")
    assert [row["health"] for row in answer["data"]] == [expected]
    _, answer = await admin("GET", f"trunks/{api.trunk_id}")
    assert answer["data"]["health"] == expected
    await api.database.run(paces.note_hold, api.trunk_id, None, now=api.clock())
    _, answer = await admin("GET", f"trunks/{api.trunk_id}")
    assert answer["data"]["health"] == dict.fromkeys(expected) | {
        "state": "up",
        "calls": 0,
        "registrations": [],
    }
