"""The page, word for word, and everything that can be wrong with a request."""

import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.helpers.http_api import BRIDGE, START_MS, Api, running_api

from outdial.egress.allow_list import AllowList
from outdial.egress.guard import Guard
from outdial.storage import calls

SOUND = "39888925-718e-43bb-a8b1-d4a3e1f0c2b7"


@pytest.fixture(autouse=True)
async def _sound(api: Api) -> None:
    await api.add_sound(SOUND)


def _form(**changes: str) -> dict[str, str]:
    return {"bridge": BRIDGE, "to": "918867135000", "audio": SOUND, "name": "obd_api_call"} | changes


async def test_the_page_s_first_example_is_answered_as_printed(api: Api) -> None:
    status, answer = await api.call("POST", "outgoing/send", data=_form())
    assert status == 200
    call_id = answer["data"][0].pop("id")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:1", call_id)
    assert answer == {
        "status": 200,
        "message": "1 numbers accepted for delivery.",
        "data": [
            {
                "mobile": "918867135000",
                "charges": "0.0000",
                "customid": "",
                "customid1": "",
                "iso_code": "IN",
                "submitted_at": "2019-08-16 15:09:51",
            }
        ],
    }
    call = await api.database.read(calls.get, call_id)
    assert call is not None
    assert (call.to, call.bridge, call.trunk_id, call.sound_id) == (
        "918867135000",
        BRIDGE,
        api.trunk_id,
        SOUND,
    )
    assert (call.name, call.retries, call.due_at) == ("obd_api_call", 0, START_MS)


@pytest.mark.parametrize("kind", ["form", "json", "multipart"])
async def test_all_three_bodies_mean_the_same(api: Api, kind: str) -> None:
    arguments: dict[str, Any]
    if kind == "form":
        fields = _form(**{"variables[otp]": "1234", "variables[who]": "Ann"}, customid="c", interval="15")
        arguments = {"data": fields}
    elif kind == "json":
        variables = {"otp": 1234, "who": "Ann"}
        arguments = {
            "json": {**_form(customid="c"), "to": 918867135000, "interval": 15, "variables": variables}
        }
    else:
        parts = aiohttp.FormData(default_to_multipart=True)
        for name, value in _form(customid="c", interval="15").items():
            parts.add_field(name, value)
        parts.add_field("variables[otp]", "1234")
        parts.add_field("variables[who]", "Ann")
        arguments = {"data": parts}
    status, answer = await api.call("POST", "outgoing/send", **arguments)
    assert status == 200, answer
    assert answer["data"][0]["customid"] == "c"
    call = await api.database.read(calls.get, answer["data"][0]["id"])
    assert call is not None
    assert call.variables == {"otp": "1234", "who": "Ann"}
    assert (call.interval_minutes, call.retries) == (15, 3)


@pytest.mark.parametrize(("interval", "retries"), [("15", 0), ("60", 10), ("0", 0)])
async def test_retries_are_chosen(api: Api, interval: str, retries: int) -> None:
    form = _form(interval=interval, retries=str(retries))
    status, answer = await api.call("POST", "outgoing/send", data=form)
    assert status == 200, answer
    call = await api.database.read(calls.get, answer["data"][0]["id"])
    assert call is not None
    assert (call.interval_minutes, call.retries) == (int(interval), retries)


@pytest.mark.parametrize(
    ("interval", "retries", "sentence"),
    [
        ("15", "11", "retries should be a whole number from 0 to 10, not '11'."),
        ("15", "-1", "retries should be a whole number from 0 to 10, not '-1'."),
        ("15", "1.5", "retries should be a whole number from 0 to 10, not '1.5'."),
        ("15", "00000000099", "retries should be a whole number from 0 to 10, not '00000000099'."),
        (
            "",
            "2",
            "retries=2 needs an interval of 5, 15, 30, 45, 60 minutes between two tries, as in interval=15.",
        ),
    ],
)
async def test_retries_that_cannot_be(api: Api, interval: str, retries: str, sentence: str) -> None:
    status, answer = await api.call("POST", "outgoing/send", data=_form(interval=interval, retries=retries))
    assert (status, answer["errors"]) == (422, {"retries": [sentence]})


@pytest.mark.parametrize(
    ("to", "again"),
    [
        ("918867135000, +91 88671-35001,00918867135000", 1),
        (["918867135000", "+91 88671-35001", "+918867135000"], 1),
        ([918867135000, 918867135001], 0),
    ],
)
async def test_a_list_gives_a_row_for_each_number_once(api: Api, to: object, again: int) -> None:
    status, answer = await api.call("POST", "outgoing/send", json={**_form(), "to": to})
    assert status == 200, answer
    assert answer["message"] == f"2 numbers accepted for delivery.{' 1 refused.' if again else ''}"
    rows = answer["data"]
    assert [row["mobile"] for row in rows] == ["918867135000", "918867135001", "918867135000"][: 2 + again]
    sentence = "918867135000 stands in the list more than once; it is called once."
    assert [(row["id"], row["error"]) for row in rows[2:]] == [(None, sentence)] * again
    first, second = (row["id"] for row in rows[:2])
    assert (first[-2:], second[-2:]) == (":1", ":2")
    assert first[:-2] == second[:-2]


@pytest.mark.parametrize(
    ("audio", "url"),
    [
        ("=http://youraudiofilelocation.mp3", "http://youraudiofilelocation.mp3"),
        ("http://youraudiofilelocation.mp3", "http://youraudiofilelocation.mp3"),
        ("HTTPS://Example.com/a.mp3?b=c#d", "https://example.com/a.mp3?b=c"),
        ("https://me:s3cret@example.com/a", "https://me:s3cret@example.com/a"),
        ("http://10.1.0.1:81/a.mp3", "http://10.1.0.1:81/a.mp3"),
    ],
)
async def test_the_page_s_third_example_and_other_urls(tmp_path: Path, audio: str, url: str) -> None:
    guard = Guard(AllowList.parse(["10.1.0.1:81"]))
    folder = tmp_path / "allowing"
    folder.mkdir()
    async with running_api(folder, guard=guard) as api:
        # Byte for byte what curl sends for the example's -d parameters, but for characters with a meaning.
        quoted = audio.replace("&", "%26").replace("+", "%2B")
        body = f"bridge={BRIDGE}&to=918867135000&audio={quoted}&name=obd_api_call"
        headers = api.bearer | {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = await api.call("POST", "outgoing/send", data=body, headers=headers)
        assert status == 200, answer
        call = await api.database.read(calls.get, answer["data"][0]["id"])
        assert call is not None
        assert (call.audio_url, call.sound_id) == (url, None)


async def test_a_repeated_form_name_is_a_list_too(api: Api) -> None:
    body = f"bridge={BRIDGE}&audio={SOUND}&to=918867135000&to=918867135001"
    headers = api.bearer | {"Content-Type": "application/x-www-form-urlencoded"}
    status, answer = await api.call("POST", "outgoing/send", data=body, headers=headers)
    assert (status, len(answer["data"])) == (200, 2)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"bridge": ""}, "bridge", "bridge is missing"),
        ({"bridge": "91806828XXXX"}, "bridge", "There is no bridge 91806828XXXX"),
        ({"bridge": "15550001111"}, "bridge", "There is no bridge 15550001111"),
        ({"to": ""}, "to", "to is missing"),
        ({"to": "hello"}, "to", "not a phone number"),
        ({"to": ",".join(str(918867135000 + i) for i in range(21))}, "to", "21 numbers; 20 are accepted"),
        ({"audio": ""}, "audio", "audio is missing"),
        ({"audio": "39888925-718e-43bb-a8b1-d4a3XXXXX"}, "audio", "There is no sound"),
        ({"audio": "00000000-718e-43bb-a8b1-d4a3e1f0c2b7"}, "audio", "There is no sound"),
        ({"audio": "http://"}, "audio", "names no host"),
        ({"audio": "http://exa mple.com/a.mp3"}, "audio", "holds a space"),
        ({"audio": "http://127.0.0.1/a.mp3"}, "audio", "127.0.0.1 is refused: it is a loopback address"),
        ({"audio": "http://0x7f.1/a.mp3"}, "audio", "127.0.0.1 is refused: it is a loopback address"),
        ({"audio": "=http://[::1]/a.mp3"}, "audio", "::1 is refused: it is a loopback address"),
        ({"audio": "http://2852039166/"}, "audio", "169.254.169.254 is refused: it is a link-local"),
        ({"audio": "http://example.com/" + "a" * 2030}, "audio", "longer than 2048 characters"),
        ({"audio": "ftp://example.com/a.mp3"}, "audio", "must start with http:// or https://"),
        ({"audio": "", "ivr_id": "23"}, "ivr_id", "There is no flow 23"),
        ({"audio": "", "flow_id": "x"}, "ivr_id", "There is no flow 'x'"),
        ({"ivr_id": "23"}, "ivr_id", "both"),
        ({"webhook_id": "7"}, "webhook_id", "There is no webhook 7"),
        ({"webhook_id": "seven"}, "webhook_id", "There is no webhook seven"),
        ({"interval": "7"}, "interval", "one of 0, 5, 15, 30, 45, 60"),
        ({"interval": "soon"}, "interval", "one of 0, 5, 15, 30, 45, 60"),
        ({"name": "x" * 256}, "name", "256 characters"),
        ({"customid": "a\0b"}, "customid", "NUL"),
    ],
)
async def test_a_wrong_value_is_422_and_named(
    api: Api, change: dict[str, str], field: str, words: str
) -> None:
    status, answer = await api.call("POST", "outgoing/send", data=_form(**change))
    assert status == 422
    assert answer["status"] == 422
    assert list(answer["errors"]) == [field]
    assert words in answer["errors"][field][0]
    assert answer["errors"][field][0] in answer["message"]
    assert not await api.database.read(calls.find, api.account_id)


async def test_everything_wrong_is_told_at_once(api: Api) -> None:
    status, answer = await api.call(
        "POST", "outgoing/send", json={"to": {"a": 1}, "interval": 1, "variables": 3}
    )
    assert status == 422
    assert set(answer["errors"]) == {"bridge", "to", "audio", "interval", "variables"}
    assert answer["message"].endswith("(and 4 more)")


async def test_one_leading_equals_sign_is_dropped(api: Api) -> None:
    status, _ = await api.call("POST", "outgoing/send", data=_form(audio="=" + SOUND))
    assert status == 200


async def test_somebody_else_s_bridge_and_sound_do_not_exist(api: Api) -> None:
    from outdial.storage import accounts, tokens

    other = await api.database.run(accounts.insert, name="other", now=1)
    _, secret = await api.database.run(
        tokens.insert, account_id=other.id, name="x", new_secret=lambda: "f" * 32, now=1
    )
    headers = {"Authorization": f"Bearer {secret}"}
    status, answer = await api.call("POST", "outgoing/send", data=_form(), headers=headers)
    assert status == 422
    assert set(answer["errors"]) == {"bridge", "audio"}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[1]", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"", 400),
        ("application/x-www-form-urlencoded", b"to=%ff", 400),
        ("application/x-www-form-urlencoded", b"to=\xff", 400),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"no parts", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n12',
            400,
        ),
        ("text/plain", b"to=1", 415),
        ("application/json", b"[" * 5_000_000, 413),
        ("application/x-www-form-urlencoded", b"a=b&" * 30_000, 400),
    ],
)
async def test_a_body_that_cannot_be_read(api: Api, content_type: str, body: bytes, status: int) -> None:
    headers = api.bearer | {"Content-Type": content_type}
    got, answer = await api.call("POST", "outgoing/send", data=BytesIO(body), headers=headers)
    assert (got, answer["status"]) == (status, status), answer
    assert answer["message"]
    assert answer["errors"] == {}


async def test_a_raw_utf8_form_is_understood(api: Api) -> None:
    body = f"bridge={BRIDGE}&audio={SOUND}&to=918867135000&name=Zoë".encode()
    headers = api.bearer | {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    status, answer = await api.call("POST", "outgoing/send", data=body, headers=headers)
    call = await api.database.read(calls.get, answer["data"][0]["id"])
    assert status == 200
    assert call is not None
    assert call.name == "Zoë"


async def test_json_numbers_and_wrong_json_types(api: Api) -> None:
    for wrong in (True, [None], {"x": 1}, [[1]], 1.5):
        status, answer = await api.call(
            "POST",
            "outgoing/send",
            data=json.dumps({**_form(), "to": wrong}),
            headers=api.bearer | {"Content-Type": "application/json"},
        )
        assert (status, list(answer["errors"])) == (422, ["to"]), wrong


async def test_a_body_without_a_length_is_bounded_too(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65536

    headers = api.bearer | {"Content-Type": "application/json"}
    status, answer = await api.call("POST", "outgoing/send", data=endless(), headers=headers)
    assert (status, answer["status"]) == (413, 413)


async def test_entries_of_a_list_that_are_no_numbers_are_rows(api: Api) -> None:
    to = ["918867135000", None, {"number": "918867135001"}, [1], True, 918867135001.0, "", 918867135002]
    status, answer = await api.call("POST", "outgoing/send", json=_form() | {"to": to})
    assert (status, answer["message"]) == (200, "2 numbers accepted for delivery. 6 refused.")
    assert [(row["mobile"], "error" in row) for row in answer["data"]] == [
        ("918867135000", False),
        ("null", True),
        ('{"number": "918867135001"}', True),
        ("[1]", True),
        ("true", True),
        ("918867135001.0", True),
        ("", True),
        ("918867135002", False),
    ]
    assert answer["data"][1]["error"].startswith("null is not a phone number: write digits")


@pytest.mark.parametrize("to", [{}, {"a": 1}, True, 1.5])
async def test_what_is_no_list_of_numbers_is_shown(api: Api, to: Any) -> None:
    status, answer = await api.call("POST", "outgoing/send", json=_form() | {"to": to})
    assert status == 422
    assert answer["errors"]["to"][0].endswith(f"not {json.dumps(to)}.")


async def test_all_that_is_wrong_is_said_at_once(api: Api) -> None:
    form = _form(bridge="4420", to="123", webhook_id="7", interval="7")
    status, answer = await api.call("POST", "outgoing/send", data=form)
    assert (status, set(answer["errors"])) == (422, {"bridge", "to", "webhook_id", "interval"})
    assert answer["errors"]["bridge"] == [
        "There is no bridge 4420; GET /api/v1/voice/bridges lists the numbers to call from."
    ]
    form = {"bridge": BRIDGE, "to": "123", "ivr_id": "77"}
    _, answer = await api.call("POST", "outgoing/send", data=form)
    assert set(answer["errors"]) == {"to", "ivr_id"}
    form = {"bridge": "4420", "to": "123", "text": "Hello {{", "voice.gender": "tall"}
    _, answer = await api.call("POST", "outgoing/tts", data=form)
    assert set(answer["errors"]) == {"bridge", "to", "text", "voice.gender"}


@pytest.mark.parametrize(
    "fields",
    [
        [("to[0]", "918867135000"), ("to[1]", "918867135001")],
        [("to", "918867135000;918867135001")],
        [("to", "918867135000\r\n918867135001\n")],
    ],
)
async def test_lists_as_other_languages_write_them(api: Api, fields: list[tuple[str, str]]) -> None:
    form = _form()
    del form["to"]
    status, answer = await api.call("POST", "outgoing/send", data=[*form.items(), *fields])
    assert status == 200, answer
    assert [row["mobile"] for row in answer["data"]] == ["918867135000", "918867135001"]


async def test_a_file_in_place_of_a_text_is_named(api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("bridge", BRIDGE)
    form.add_field("audio", b"\xff\xfb\x90", filename="a.mp3")
    status, answer = await api.call("POST", "outgoing/send", data=form)
    assert (status, answer["errors"]) == (422, {"audio": ["audio should be a text, not a file."]})


@pytest.mark.parametrize("audio", ["www.example.com/a.mp3", "example.com/a.mp3", "//example.com/a.mp3"])
async def test_an_address_without_its_scheme_is_told_so(api: Api, audio: str) -> None:
    _, answer = await api.call("POST", "outgoing/send", data=_form(audio=audio))
    assert answer["errors"]["audio"] == [
        f"The address of audio must start with http:// or https://, not {audio!r}."
    ]


async def test_two_names_of_a_flow_may_not_differ(api: Api) -> None:
    form = {"bridge": BRIDGE, "to": "918867135000", "ivr_id": "1"}
    _, answer = await api.call("POST", "outgoing/send", data=form | {"flow_id": "2"})
    assert answer["errors"] == {"flow_id": ["flow_id is the same as ivr_id, but '2' is not '1'."]}
    _, answer = await api.call("POST", "outgoing/send", data=form | {"flow_id": "1"})
    assert list(answer["errors"]) == ["ivr_id"]
