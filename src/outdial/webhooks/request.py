"""An event as one HTTP request: address, headers, body and signature."""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from outdial.egress.message import EgressRequest, Method
from outdial.errors import InvalidInput
from outdial.storage.outbox_claims import Event
from outdial.storage.webhooks import Webhook
from outdial.templates.template import render
from outdial.webhooks import signing
from outdial.webhooks.flow_event import flow_event_payload
from outdial.webhooks.payload import payload_of, variables_of

JSON, FORM = "json", "form"
_CONTENT_TYPES = {JSON: "application/json", FORM: "application/x-www-form-urlencoded"}


def request_for(event: Event, *, now_ms: int, timeout_s: float, base: str = "") -> EgressRequest:
    """Return the request that delivers an event, whose addresses begin with `base`.

    Raises InvalidInput if a template cannot be rendered.
    """
    webhook = event.webhook
    said = event.flow_event
    payload = payload_of(event, base) if said is None else flow_event_payload(event, said)
    variables = variables_of(event, payload)
    body = b"" if webhook.method == "GET" else _body(webhook, payload, variables)
    return EgressRequest(
        url=render(webhook.uri, variables),
        method=cast("Method", webhook.method),
        headers=headers_for(webhook, message_id=message_id(event), now_ms=now_ms, body=body),
        body=body if webhook.method != "GET" else None,
        total_s=timeout_s,
        follow_redirects=False,
    )


def message_id(event: Event) -> str:
    """Return what stays the same at every try: the call and the number of the event."""
    return f"{event.call.id}:{event.sequence}"


def headers_for(webhook: Webhook, *, message_id: str, now_ms: int, body: bytes) -> dict[str, str]:
    """Return all headers of a request to an endpoint; its own ones win over Authorization, not the others."""
    own = {name.lower(): value for name, value in webhook.headers.items()}
    ours = signing.headers(webhook, message_id=message_id, now_ms=now_ms, body=body)
    if body:
        ours["content-type"] = _CONTENT_TYPES[webhook.body_format]
    bearer = {"authorization": f"Bearer {webhook.secret}"} if webhook.secret_as_bearer else {}
    return {**bearer, **own, **ours}


def _body(webhook: Webhook, payload: Mapping[str, Any], variables: Mapping[str, Any]) -> bytes:
    content = payload if webhook.body is None else _rendered(json.loads(webhook.body), variables)
    if webhook.body_format == JSON:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if not isinstance(content, Mapping):
        raise InvalidInput("The body of a form should be an object with a text for each name.")
    return urlencode(list(_fields(content))).encode()


def _rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    """Render the texts inside a JSON value: what a variable holds can never change the structure."""
    match value:
        case str():
            return render(value, variables)
        case dict():
            return {name: _rendered(inner, variables) for name, inner in value.items()}
        case list():
            return [_rendered(inner, variables) for inner in value]
        case _:
            return value


def _fields(content: Mapping[str, Any], outer: str = "") -> list[tuple[str, str]]:
    """Form fields as the API takes them itself: `variables[otp]=1234`; what is null is empty."""
    fields: list[tuple[str, str]] = []
    for name, value in content.items():
        field = f"{outer}[{name}]" if outer else str(name)
        if isinstance(value, Mapping):
            fields += _fields(value, field)
        elif isinstance(value, list):
            fields += [(f"{field}[]", _plain(each)) for each in value]
        else:
            fields.append((field, _plain(value)))
    return fields


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
