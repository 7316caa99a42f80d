"""An event as a request: body formats, composed addresses and bodies, headers."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.unit.webhooks.events import CALL_ID, END_MS, SECRET, call, event, webhook

from outdial.egress.message import EgressRequest
from outdial.errors import InvalidInput
from outdial.webhooks.payload import payload_of
from outdial.webhooks.request import request_for
from outdial.webhooks.signing import sign


def request(*, variables: dict[str, str] | None = None, **changes: Any) -> EgressRequest:
    one = event(webhook=webhook(**changes), call=call(variables=variables or {}, customid="a b/c"))
    return request_for(one, now_ms=END_MS, timeout_s=3.0)


def test_a_plain_webhook() -> None:
    made = request()
    assert (made.method, made.url, made.total_s) == ("POST", "https://example.com/calls", 3.0)
    assert not made.follow_redirects
    assert json.loads(made.body or b"") == payload_of(event(call=call(customid="a b/c")))
    assert made.headers == {
        "content-type": "application/json",
        "webhook-id": f"{CALL_ID}:1",
        "webhook-timestamp": str(END_MS // 1000),
        "webhook-signature": sign(
            SECRET, message_id=f"{CALL_ID}:1", timestamp_s=END_MS // 1000, body=made.body or b""
        ),
    }


def test_the_bearer_secret_is_only_sent_if_the_account_chose_it() -> None:
    assert "authorization" not in request().headers
    assert request(secret_as_bearer=True).headers["authorization"] == f"Bearer {SECRET}"


def test_own_headers_win_over_the_bearer_secret_but_not_over_the_signature() -> None:
    own = {"Authorization": "Basic x", "X-Team": "a", "Webhook-Id": "forged", "Content-Type": "text/plain"}
    made = request(secret_as_bearer=True, headers=own)
    assert made.headers["authorization"] == "Basic x"
    assert made.headers["x-team"] == "a"
    assert made.headers["webhook-id"] == f"{CALL_ID}:1"
    assert made.headers["content-type"] == "application/json"


def test_a_form_has_brackets_like_the_api_itself() -> None:
    made = request(body_format="form", variables={"otp": "1 2"})
    fields = dict(parse_qsl((made.body or b"").decode(), keep_blank_values=True, strict_parsing=True))
    assert made.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (fields["to"], fields["attempts_left"], fields["flow_id"]) == ("918867135000", "0", "")
    assert fields["variables[otp]"] == "1 2"


def test_a_composed_address() -> None:
    made = request(
        uri="https://example.com/t/{{customid|url_encode}}?n={{mobile|slice:-10}}&s={{status}}", method="PUT"
    )
    assert made.url == "https://example.com/t/a+b%2Fc?n=8867135000&s=ANSWER"
    assert made.method == "PUT"


def test_a_get_has_no_body_and_is_signed_over_none() -> None:
    made = request(method="GET", body='{"a": "{{to}}"}')
    assert made.body is None
    assert "content-type" not in made.headers
    expected = sign(SECRET, message_id=f"{CALL_ID}:1", timestamp_s=END_MS // 1000, body=b"")
    assert made.headers["webhook-signature"] == expected


HOSTILE = '", "admin": true, "x": "\\'


def test_what_a_variable_holds_cannot_change_the_body() -> None:
    body = json.dumps(
        {"name": "{{name}}", "list": ["{{to}}", 5, None], "{{to}}": {"deep": "{{name|upcase}}"}}
    )
    made = request(body=body, variables={"name": HOSTILE})
    assert json.loads(made.body or b"") == {
        "name": HOSTILE,
        "list": ["918867135000", 5, None],
        "{{to}}": {"deep": HOSTILE.upper()},
    }
    form = request(body='{"name": "{{name}}", "n": 5}', body_format="form", variables={"name": "a&admin=1"})
    assert parse_qsl((form.body or b"").decode()) == [("name", "a&admin=1"), ("n", "5")]


def test_the_signature_is_over_the_bytes_that_are_sent() -> None:
    made = request(body='{"name": "{{name}}"}', variables={"name": "Grüße 🙂"})
    content = (made.body or b"").decode()
    assert "Grüße 🙂" in content
    signature = made.headers["webhook-signature"]
    assert signature == sign(
        SECRET, message_id=f"{CALL_ID}:1", timestamp_s=END_MS // 1000, body=content.encode()
    )


def test_a_template_that_fails_says_so() -> None:
    with pytest.raises(InvalidInput, match="divide"):
        request(uri="https://example.com/{{ 1 | divided_by: 0 }}")
