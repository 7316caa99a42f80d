"""`developer/webhooks` over HTTP, with a real endpoint that is asked for the challenge."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.helpers.endpoint import Endpoint, endpoint
from tests.helpers.http_api import BRIDGE, START_MS, Api

from outdial.domain.call import NewCall
from outdial.storage import accounts, bridges, calls, deliveries, outbox_claims, subscriptions, webhooks

SOUND = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"
OWN_SECRET = "my-own-long-password"


@pytest.fixture
async def receiver() -> AsyncIterator[Endpoint]:
    async with endpoint() as running:
        yield running


async def added(api: Api, uri: str, **fields: Any) -> dict[str, Any]:
    status, answer = await api.call("POST", "developer/webhooks", data={"name": "crm", "uri": uri, **fields})
    assert status == 200, answer
    assert (answer["status"], answer["code"]) == ("OK", 200)
    row: dict[str, Any] = answer["data"]
    return row


async def test_a_new_webhook_is_verified_and_shows_its_secret_once(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    assert isinstance(row["id"], int)
    assert (row["name"], row["uri"], row["status"], row["reason"]) == ("crm", receiver.url, 1, None)
    assert (row["method"], row["headers"], row["body_format"], row["body"]) == ("POST", {}, "json", None)
    assert row["created_at"] == row["updated_at"] == "2019-08-16 15:09:51"
    assert row["secret"].startswith("whsec_")
    (challenge,) = receiver.challenges
    assert challenge.path_qs == f"/calls?token={row['verification_code']}"
    assert challenge.json["validation_key"] == row["verification_code"]
    assert "authorization" not in challenge.headers

    for path in ("developer/webhooks", f"developer/webhooks/{row['id']}"):
        status, answer = await api.call("GET", path)
        assert status == 200
        assert row["secret"] not in str(answer)
    assert answer["data"] == row | {"secret": f"…{row['secret'][-4:]}"}


async def test_a_secret_of_one_s_own_is_sent_as_bearer(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url, secret=OWN_SECRET)
    assert row["secret"] == OWN_SECRET
    assert receiver.challenges[0].headers["authorization"] == f"Bearer {OWN_SECRET}"
    _, answer = await api.call("GET", f"developer/webhooks/{row['id']}")
    assert answer["data"]["secret"] == "…word"


async def test_a_webhook_may_be_made_off(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url, status="0")
    assert (row["status"], row["reason"]) == (0, "It was switched off by its account.")
    assert receiver.challenges == []
    _, answer = await api.call("PUT", f"developer/webhooks/{row['id']}", data={"status": "1"})
    assert (answer["data"]["status"], len(receiver.challenges)) == (1, 1)


async def test_an_endpoint_that_does_not_answer_is_kept_but_off(api: Api, receiver: Endpoint) -> None:
    receiver.answers_challenges = False
    row = await added(api, receiver.url)
    assert row["status"] == 0
    assert "should answer the challenge" in row["reason"]
    path = f"developer/webhooks/{row['id']}"
    _, answer = await api.call("GET", path)
    assert (answer["data"]["status"], answer["data"]["reason"]) == (0, row["reason"])
    status, answer = await api.call("POST", f"{path}/verify")
    assert (status, list(answer["errors"])) == (422, ["uri"])
    receiver.answers_challenges = True
    status, answer = await api.call("POST", f"{path}/verify")
    assert (status, answer["data"]["status"], answer["data"]["reason"]) == (200, 1, None)
    receiver.answers_challenges = False
    assert (await api.call("POST", f"{path}/verify"))[0] == 422
    _, answer = await api.call("GET", path)
    assert (answer["data"]["status"], answer["data"]["reason"]) == (1, None)


async def test_private_addresses_are_refused(api: Api) -> None:
    async with endpoint("127.0.0.3") as elsewhere:
        row = await added(api, elsewhere.url)
        assert row["status"] == 0
        assert "only public addresses are asked" in row["reason"]
        assert elsewhere.challenges == []


async def test_another_uri_is_verified_anew(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    path = f"developer/webhooks/{row['id']}"
    status, answer = await api.call("PUT", path, data={"name": "other"})
    assert (status, answer["data"]["name"], answer["data"]["status"]) == (200, "other", 1)
    assert len(receiver.challenges) == 1
    _, answer = await api.call("PUT", path, data={"uri": receiver.url + "?x=1"})
    assert (answer["data"]["status"], len(receiver.challenges)) == (1, 2)
    receiver.answers_challenges = False
    _, answer = await api.call("PUT", path, data={"uri": receiver.url})
    assert answer["data"]["status"] == 0
    assert "not verified" in answer["message"]


async def test_status_switches_off_and_on(api: Api, receiver: Endpoint) -> None:
    path = f"developer/webhooks/{(await added(api, receiver.url))['id']}"
    _, answer = await api.call("PUT", path, data={"status": "0"})
    assert (answer["data"]["status"], answer["data"]["reason"]) == (
        0,
        "It was switched off by its account.",
    )
    _, answer = await api.call("PUT", path, json={"status": 1})
    assert (answer["data"]["status"], answer["data"]["reason"]) == (1, None)


async def test_rotation_answers_the_new_secret_once(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    path = f"developer/webhooks/{row['id']}"
    status, answer = await api.call("POST", f"{path}/rotate")
    assert status == 200
    assert answer["data"]["secret"].startswith("whsec_")
    assert answer["data"]["secret"] != row["secret"]
    assert answer["data"]["former_secret_until"] == "2019-08-17 15:09:51"
    stored = await api.database.read(webhooks.get, api.account_id, row["id"])
    assert stored is not None
    assert (stored.former_secret, stored.secret_as_bearer) == (row["secret"], False)
    _, answer = await api.call("PUT", path, data={"secret": OWN_SECRET})
    assert answer["data"]["secret"] == "…word"
    stored = await api.database.read(webhooks.get, api.account_id, row["id"])
    assert stored is not None
    assert (stored.secret, stored.secret_as_bearer) == (OWN_SECRET, True)


async def test_a_composed_webhook_in_every_kind_of_body(api: Api, receiver: Endpoint) -> None:
    as_form = {
        "name": "crm",
        "uri": receiver.url + "/{{id}}",
        "method": "put",
        "headers[X-Team]": "billing",
        "headers[X-Api-Key]": "0123456789abcdef",
        "body_format": "FORM",
        "body": '{"number": "{{mobile|slice:-10}}"}',
    }
    as_json = {
        "name": "crm",
        "uri": receiver.url + "/{{id}}",
        "method": "PUT",
        "headers": {"X-Team": "billing", "X-Api-Key": "0123456789abcdef"},
        "body_format": "form",
        "body": {"number": "{{mobile|slice:-10}}"},
    }
    rows = [
        (await api.call("POST", "developer/webhooks", **arguments))[1]["data"]
        for arguments in ({"data": as_form}, {"json": as_json})
    ]
    for row in rows:
        assert (row["method"], row["body_format"], row["status"]) == ("PUT", "form", 1)
        assert row["headers"] == {"X-Team": "billing", "X-Api-Key": "…cdef"}
        assert row["body"] == '{"number": "{{mobile|slice:-10}}"}'
    _, answer = await api.call("PUT", f"developer/webhooks/{rows[0]['id']}", data={"body": ""})
    assert answer["data"]["body"] is None


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": ""}, "name", "name is missing"),
        ({"name": "x" * 256}, "name", "256 characters"),
        ({"name": "a\0b"}, "name", "NUL"),
        ({"uri": ""}, "uri", "uri is missing"),
        ({"uri": "example.com/calls"}, "uri", "should be an address"),
        ({"uri": "ftp://example.com/"}, "uri", "should be an address"),
        ({"uri": "https://{{host}}/"}, "uri", "behind the host"),
        ({"uri": "https://example.com{{host}}/"}, "uri", "behind the host"),
        ({"uri": "https://example.com:99999/"}, "uri", "not a URL"),
        ({"uri": "https://example.com/{{x"}, "uri", "not a Liquid template"),
        ({"uri": "https://example.com/{{x|nope}}"}, "uri", "no filter nope"),
        ({"uri": "https://example.com/" + "x" * 2048}, "uri", "2048 are accepted"),
        ({"method": "DELETE"}, "method", "one of GET, POST, PUT"),
        ({"body_format": "xml"}, "body_format", "one of json, form"),
        ({"body": "hello"}, "body", "JSON object"),
        ({"body": '["{{to}}"]'}, "body", "JSON object"),
        ({"body": '{"a": "{{to"}'}, "body", "not a Liquid template"),
        ({"body": '{"a": {"b": "c"}}', "body_format": "form"}, "body", "one text for each name"),
        ({"headers": "hello"}, "headers", "should be a mapping"),
        ({"headers[Host]": "x"}, "headers", "belongs to the connection"),
        ({"headers[Webhook-Id]": "x"}, "headers", "set by the server"),
        ({"headers[X]": "a\r\nb: c"}, "headers", "control character"),
        ({"headers[X]": "a" * 3000}, "headers", "2048 characters"),
        ({"secret": "whsec_***"}, "secret", "base64"),
        ({"secret": "a\nb"}, "secret", "control character"),
        ({"status": "2"}, "status", "one of 0, 1"),
    ],
)
async def test_a_wrong_value_is_422_and_named(
    api: Api, fields: dict[str, str], field: str, words: str
) -> None:
    form = {"name": "crm", "uri": "https://example.com/calls"} | fields
    status, answer = await api.call("POST", "developer/webhooks", data=form)
    assert (status, list(answer["errors"])) == (422, [field]), answer
    assert words in answer["errors"][field][0]
    assert await api.database.read(webhooks.find, api.account_id) == ([], 0)


async def test_a_body_must_fit_the_format_that_it_gets(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url, body='{"a": {"b": "{{to}}"}}')
    path = f"developer/webhooks/{row['id']}"
    status, answer = await api.call("PUT", path, data={"body_format": "form"})
    assert (status, list(answer["errors"])) == (422, ["body"])
    status, _ = await api.call("PUT", path, data={"body_format": "form", "body": '{"a": "b"}'})
    assert status == 200
    status, answer = await api.call("PUT", path, json={"body": {"a": {"b": "c"}}})
    assert (status, list(answer["errors"])) == (422, ["body"])


async def test_listing_filters_and_pages(api: Api, receiver: Endpoint) -> None:
    for name in ("crm north", "crm south", "billing"):
        await added(api, receiver.url, name=name)
    _, answer = await api.call("GET", "developer/webhooks", params={"filter[name]": "CRM", "per_page": 1})
    assert [row["name"] for row in answer["data"]] == ["crm north"]
    assert (answer["meta"]["total"], answer["meta"]["last_page"]) == (2, 2)
    _, answer = await api.call("GET", "developer/webhooks")
    assert [row["name"] for row in answer["data"]] == ["crm north", "crm south", "billing"]


async def test_others_and_nothing_are_404(api: Api) -> None:
    other = await api.database.run(accounts.insert, name="other", now=1)
    new = webhooks.NewWebhook(
        name="x", uri="https://x", secret="s", secret_as_bearer=False, verification_code="c"
    )
    theirs = await api.database.run(webhooks.insert, other.id, new, now=1)
    for webhook_id in (str(theirs.id), "99", "0", "-1", "x", "9" * 30, "²"):
        for method, path in (
            ("GET", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("POST", "/verify"),
            ("POST", "/rotate"),
            ("GET", "/deliveries"),
            ("POST", "/deliveries/1/replay"),
        ):
            status, answer = await api.call(method, f"developer/webhooks/{webhook_id}{path}")
            assert (status, answer["status"]) == (404, 404), (method, webhook_id, path)
    _, answer = await api.call("GET", "developer/webhooks")
    assert answer["data"] == []


async def test_removing(api: Api, receiver: Endpoint) -> None:
    path = f"developer/webhooks/{(await added(api, receiver.url))['id']}"
    assert (await api.call("DELETE", path))[0] == 200
    assert (await api.call("DELETE", path))[0] == 404
    assert (await api.call("GET", path))[0] == 404


async def test_a_token_is_needed(api: Api) -> None:
    for path in ("developer/webhooks", "developer/subscriptions", "developer/webhooks/1/deliveries"):
        assert (await api.call("GET", path, headers={}))[0] == 401


async def test_send_takes_a_webhook_that_is_on(api: Api, receiver: Endpoint) -> None:
    await api.add_sound(SOUND)
    row = await added(api, receiver.url)
    form = {"bridge": BRIDGE, "to": "918867135000", "audio": SOUND, "webhook_id": str(row["id"])}
    status, answer = await api.call("POST", "outgoing/send", data=form)
    assert status == 200
    call_id = answer["data"][0]["id"]

    receiver.answers_challenges = False
    unverified = await added(api, receiver.url)
    for webhook_id, words in ((unverified["id"], "should answer the challenge"), (99, "There is no")):
        status, answer = await api.call("POST", "outgoing/send", data=form | {"webhook_id": str(webhook_id)})
        assert (status, list(answer["errors"])) == (422, ["webhook_id"])
        assert words in answer["errors"]["webhook_id"][0]
        assert str(webhook_id) in answer["errors"]["webhook_id"][0]

    # its event waits in the outbox: cancelled before it was dialled
    assert (await api.call("POST", "outgoing/cancel", data={"id": call_id}))[0] == 200
    status, answer = await api.call("GET", f"developer/webhooks/{row['id']}/deliveries")
    assert (status, answer["data"], answer["meta"]["total"]) == (200, [], 0)


async def test_subscriptions(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    wish = {"event": "voice:message:out", "identity": "all", "webhook_id": str(row["id"])}
    status, answer = await api.call("POST", "developer/subscriptions", data=wish)
    assert status == 200
    first = answer["data"]
    assert first == wish | {
        "id": first["id"],
        "webhook_id": row["id"],
        "created_at": "2019-08-16 15:09:51",
    }
    _, answer = await api.call("POST", "developer/subscriptions", json=wish | {"webhook_id": row["id"]})
    assert answer["data"] == first
    spelled = f"+{BRIDGE[:2]} {BRIDGE[2:]}"
    _, answer = await api.call("POST", "developer/subscriptions", json=wish | {"identity": spelled})
    assert answer["data"]["identity"] == BRIDGE
    _, answer = await api.call("GET", "developer/subscriptions")
    assert (len(answer["data"]), answer["meta"]["total"]) == (2, 2)
    path = f"developer/subscriptions/{first['id']}"
    assert (await api.call("GET", path))[1]["data"] == first
    assert (await api.call("DELETE", path))[0] == 200
    for method in ("GET", "DELETE"):
        assert (await api.call(method, path))[0] == 404
        assert (await api.call(method, "developer/subscriptions/x"))[0] == 404


async def test_nobody_reaches_the_subscriptions_of_others(api: Api) -> None:
    other = await api.database.run(accounts.insert, name="other", now=1)
    new = webhooks.NewWebhook(
        name="x", uri="https://x", secret="s", secret_as_bearer=False, verification_code="c"
    )
    webhook = await api.database.run(webhooks.insert, other.id, new, now=1)
    theirs = await api.database.run(
        subscriptions.insert,
        other.id,
        event="voice:message:out",
        identity=subscriptions.ALL,
        webhook_id=webhook.id,
        now=1,
    )
    _, answer = await api.call("GET", "developer/subscriptions")
    assert (answer["data"], answer["meta"]["total"]) == ([], 0)
    for method in ("GET", "DELETE"):
        assert (await api.call(method, f"developer/subscriptions/{theirs.id}"))[0] == 404
    assert await api.database.read(subscriptions.get, other.id, theirs.id) == theirs


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "voice:message:in"}, "event"),
        ({"event": ""}, "event"),
        ({"identity": "15550001111"}, "identity"),
        ({"identity": "nobody"}, "identity"),
        ({"webhook_id": ""}, "webhook_id"),
        ({"webhook_id": "99"}, "webhook_id"),
        ({"webhook_id": "x"}, "webhook_id"),
    ],
)
async def test_a_wrong_subscription_is_422_and_named(
    api: Api, receiver: Endpoint, change: dict[str, str], field: str
) -> None:
    row = await added(api, receiver.url)
    wish = {"event": "voice:message:out", "identity": "all", "webhook_id": str(row["id"])} | change
    status, answer = await api.call("POST", "developer/subscriptions", data=wish)
    assert (status, list(answer["errors"])) == (422, [field])


async def test_nobody_subscribes_to_the_bridges_of_others(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    other = await api.database.run(accounts.insert, name="other", now=1)
    await api.database.run(
        bridges.insert, number="12025550111", account_id=other.id, trunk_id=api.trunk_id, now=1
    )
    wish = {"event": "voice:message:out", "identity": "12025550111", "webhook_id": str(row["id"])}
    status, answer = await api.call("POST", "developer/subscriptions", data=wish)
    assert (status, list(answer["errors"])) == (422, ["identity"])


async def test_a_subscription_without_an_event_is_told_that_it_is_missing(
    api: Api, receiver: Endpoint
) -> None:
    row = await added(api, receiver.url)
    wish = {"identity": "all", "webhook_id": str(row["id"])}
    status, answer = await api.call("POST", "developer/subscriptions", data=wish)
    assert (status, list(answer["errors"])) == (422, ["event"])
    assert answer["errors"]["event"][0].startswith("event is missing: ")


async def test_an_unverified_webhook_cannot_be_subscribed(api: Api, receiver: Endpoint) -> None:
    receiver.answers_challenges = False
    row = await added(api, receiver.url)
    wish = {"event": "voice:message:out", "webhook_id": str(row["id"])}
    status, answer = await api.call("POST", "developer/subscriptions", data=wish)
    assert status == 422
    assert "not verified" in answer["errors"]["webhook_id"][0]


async def test_a_replay_to_a_webhook_that_is_off_waits_and_says_so(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    call = NewCall(
        id="70fa87e0-9df9-4327-bc80-a561c48703d8:1",
        account_id=api.account_id,
        bridge=BRIDGE,
        trunk_id=api.trunk_id,
        to="918867135000",
        submitted_at=START_MS,
        due_at=START_MS,
        sound_id=SOUND,
        webhook_id=str(row["id"]),
    )
    await api.database.run(calls.insert_calls, [call])
    assert (await api.call("POST", "outgoing/cancel", data={"id": call.id}))[0] == 200
    claim = {"now": START_MS, "lease_until": START_MS + 1, "limit": 1, "per_endpoint": 1, "in_flight": {}}
    claims = await api.database.run(outbox_claims.claim_due, **claim)  # type: ignore[arg-type]
    (event,) = claims.events
    sent = deliveries.NewDelivery(at=START_MS, ms=1, status=200, error=None, answer="")
    await api.database.run(deliveries.insert, sent, outbox_id=event.id, webhook_id=row["id"])
    await api.database.run(outbox_claims.delivered, event, now=START_MS)

    path = f"developer/webhooks/{row['id']}"
    ((delivery,), _) = await api.database.read(deliveries.find, row["id"])
    replay = f"{path}/deliveries/{delivery.id}/replay"
    other = await added(api, receiver.url)
    another_s = f"developer/webhooks/{other['id']}/deliveries/{delivery.id}/replay"
    assert (await api.call("POST", another_s))[0] == 404, "it is the delivery of another webhook"
    assert (await api.call("POST", replay))[1]["message"] == "The event is sent again."
    await api.call("PUT", path, data={"status": "0"})
    status, answer = await api.call("POST", replay)
    assert (status, answer["message"]) == (
        200,
        "The event waits until the webhook is on again: It was switched off by its account.",
    )


async def test_replaying_what_does_not_exist(api: Api, receiver: Endpoint) -> None:
    row = await added(api, receiver.url)
    for delivery_id in ("1", "x", "9" * 30):
        path = f"developer/webhooks/{row['id']}/deliveries/{delivery_id}/replay"
        assert (await api.call("POST", path))[0] == 404
    assert await api.database.read(deliveries.find, row["id"]) == ([], 0)
