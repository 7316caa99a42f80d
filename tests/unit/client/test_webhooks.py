"""The client checks what the server signs."""

import base64
import json
import typing
from typing import Any

import pytest
from tests.unit.webhooks import events

from outdial.webhooks.payload import payload_of
from outdial.webhooks.signing import sign
from outdial_client import InvalidWebhook, webhooks

SECRET = "whsec_" + base64.b64encode(b"a key of the test's own").decode()
NOW = 1_565_968_214
BODY = json.dumps({"id": "a:1", "status": "ANSWER", "attempts_left": 0}).encode()


def headers(secret: str = SECRET, body: bytes = BODY, at: int = NOW, **changed: str) -> dict[str, str]:
    signature = sign(secret, message_id="msg_1", timestamp_s=at, body=body)
    given = {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(at), "Webhook-Signature": signature}
    return given | {name.replace("_", "-"): value for name, value in changed.items()}


def test_the_event_has_the_fields_that_the_server_sends() -> None:
    sent = payload_of(events.event())
    described = typing.get_type_hints(webhooks.CallEnded)
    assert set(sent) == set(described)
    for name, value in sent.items():
        kinds = typing.get_args(described[name]) or (described[name],)
        assert name in ("variables", "flow") or isinstance(value, kinds), name


@pytest.mark.parametrize("secret", [SECRET, "a text of my own", "schlüssel"])
def test_a_genuine_request_is_read(secret: str) -> None:
    event = webhooks.read(secret, headers(secret), BODY, now=NOW + 299)
    assert (event["id"], event["status"]) == ("a:1", "ANSWER")


def test_either_secret_will_do_while_one_is_replaced() -> None:
    old = sign("the former one", message_id="msg_1", timestamp_s=NOW, body=BODY)
    new = headers()["Webhook-Signature"]
    both = headers(Webhook_Signature=f"{new} {old}")
    webhooks.verify(SECRET, both, BODY, now=NOW)
    webhooks.verify("the former one", both, BODY, now=NOW)


@pytest.mark.parametrize(
    ("secret", "given", "body", "now"),
    [
        ("another", headers(), BODY, NOW),
        (SECRET, headers(), BODY + b" ", NOW),
        (SECRET, headers(Webhook_Id="msg_2"), BODY, NOW),
        (SECRET, headers(Webhook_Timestamp=str(NOW + 1)), BODY, NOW),
        (SECRET, headers(), BODY, NOW + 301),
        (SECRET, headers(), BODY, NOW - 301),
        (SECRET, headers(Webhook_Timestamp="soon"), BODY, NOW),
        (SECRET, headers(Webhook_Signature="v1,"), BODY, NOW),
        (SECRET, headers(Webhook_Signature="v1,é"), BODY, NOW),
        (SECRET, {}, BODY, NOW),
        ("whsec_***", headers(), BODY, NOW),
        (SECRET, headers(body=b"[]"), b"[]", NOW),
        (SECRET, headers(body=b"x"), b"x", NOW),
    ],
)
def test_everything_else_is_refused(secret: str, given: dict[str, str], body: bytes, now: Any) -> None:
    with pytest.raises(InvalidWebhook):
        webhooks.read(secret, given, body, now=now)
