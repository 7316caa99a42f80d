"""Names that an endpoint does not know are never passed over in silence."""

from typing import Any

import aiohttp
import pytest
from tests.helpers.http_api import BRIDGE, Api

from outdial.api.app import create_api
from outdial.api.known_names import _FILTERING

SPELLED = "intervall is not known here; did you mean interval?"
TEXT = {"bridge": BRIDGE, "to": "918867135000", "text": "Hello."}


def _form(kind: str, fields: dict[str, str]) -> dict[str, Any]:
    if kind == "json":
        return {"json": fields}
    if kind == "form":
        return {"data": fields}
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    return {"data": form}


@pytest.mark.parametrize("kind", ["form", "json", "multipart"])
async def test_an_answer_names_what_was_not_read(api: Api, kind: str) -> None:
    status, answer = await api.call("POST", "outgoing/tts", **_form(kind, TEXT | {"intervall": "5"}))
    assert (status, answer["warnings"]) == (200, {"intervall": [SPELLED]})
    status, answer = await api.call("POST", "outgoing/tts", **_form(kind, TEXT | {"interval": "5"}))
    assert (status, "warnings" in answer) == (200, False)


async def test_errors_have_them_too(api: Api) -> None:
    status, answer = await api.call("POST", "outgoing/send", data={"bridg": BRIDGE, "to": "918867135000"})
    assert status == 422
    assert answer["errors"]["bridge"][0].startswith("bridge is missing")
    assert answer["warnings"] == {"bridg": ["bridg is not known here; did you mean bridge?"]}


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"Webhook-ID": "1"}, {"Webhook-ID": "did you mean webhook_id?"}),
        ({"voice": {"langauge": "en"}}, {"voice.langauge": "did you mean voice.language?"}),
        ({"break[identifer]": "|"}, {"break[identifer]": "did you mean break.identifier?"}),
        ({"x": 1}, {"x": "known are break.identifier, break.time, bridge, "}),
        ({"variables": {"anything": "goes"}, "voice": {"language": "en"}}, {}),
    ],
)
async def test_what_was_meant(api: Api, sent: dict[str, Any], named: dict[str, str]) -> None:
    _, answer = await api.call("POST", "outgoing/tts", json=TEXT | sent)
    found = answer.get("warnings", {})
    assert found.keys() == named.keys()
    for name, part in named.items():
        assert part in found[name][0]


async def test_very_many_names_are_counted(api: Api) -> None:
    _, answer = await api.call("POST", "outgoing/tts", json=TEXT | {f"name {n}": 1 for n in range(5000)})
    assert len(answer["warnings"]) == 21
    assert answer["warnings"]["…"] == ["4980 more names are not known here."]


async def test_uploads_and_addresses_are_looked_at(api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"918867135000", filename="n.txt")
    form.add_field("typ", "tag")
    path = "outgoing/suppressions/unsubscribers/import"
    _, answer = await api.call("POST", path, data=form)
    assert answer["warnings"] == {"typ": ["typ is not known here; did you mean type?"]}
    _, answer = await api.call("POST", "outgoing/tts?interval=5", data=TEXT)
    assert answer["warnings"] == {
        "interval": ["interval was not read from the address: send it in the body."]
    }


async def test_a_kept_answer_keeps_its_warnings(api: Api) -> None:
    headers = api.bearer | {"Idempotency-Key": "k"}
    sent = {"data": TEXT | {"intervall": "5"}, "headers": headers}
    _, first = await api.call("POST", "outgoing/tts", **sent)
    _, again = await api.call("POST", "outgoing/tts", **sent)
    assert first == again
    assert first["warnings"] == {"intervall": [SPELLED]}


@pytest.mark.parametrize(
    ("method", "path", "name", "part"),
    [
        ("GET", "voice/calls?stauts=ANSWER", "stauts", "did you mean status?"),
        ("GET", "voice/calls?status=BUSY&status=ANSWER", "status", "sent 2 times"),
        ("GET", "developer/webhooks?name=crm", "name", "filter[name]"),
        ("DELETE", "outgoing/suppressions/unsubscribers?reciever=918867135000", "reciever", "receiver?"),
        ("DELETE", "outgoing/suppressions/unsubscribers?receiver=", "receiver", "is empty"),
    ],
)
async def test_a_filter_that_would_widen_is_refused(
    api: Api, method: str, path: str, name: str, part: str
) -> None:
    await api.call("POST", "outgoing/suppressions/unsubscribers", data={"receiver": "12025550100"})
    status, answer = await api.call(method, path)
    assert status == 422
    assert part in answer["errors"][name][0]
    _, kept = await api.call("GET", "outgoing/suppressions/unsubscribers")
    assert kept["meta"]["total"] == 1


async def test_every_endpoint_refuses_filters_that_it_does_not_know(api: Api) -> None:
    operations = [
        (method.upper(), path)
        for path, methods in create_api().openapi()["paths"].items()
        for method in methods
        if method.upper() in _FILTERING and path.startswith("/api/")
    ]
    assert len(operations) > 50
    for method, path in operations:
        status, answer = await api.call(method, f"{path}?unheard_of=1")
        assert status == (403 if "/admin/" in path else 422), path
        assert status == 403 or "unheard_of" in answer["errors"]
