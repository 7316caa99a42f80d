"""Numbers that are not called: one by one, and whole files, hostile ones included."""

import io
import struct
import zipfile
from typing import Any

import aiohttp
import pytest
import xlsxwriter
import xlwt
from tests.helpers.http_api import Api

PATH = "outgoing/suppressions/unsubscribers"


async def _import(api: Api, content: bytes, name: str = "numbers.csv", **fields: str) -> tuple[int, Any]:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", io.BytesIO(content), filename=name)
    for field, value in fields.items():
        form.add_field(field, value)
    return await api.call("POST", f"{PATH}/import", data=form)


async def _receivers(api: Api) -> list[str]:
    return sorted(row["receiver"] for row in (await api.call("GET", PATH))[1]["data"])


async def test_a_suppression_s_life(api: Api) -> None:
    wish = {"receiver": "+91 88671-35000", "type": "tag", "value": "diwali"}
    status, answer = await api.call("POST", PATH, data=wish)
    row = answer["data"]
    assert (status, row["receiver"], row["iso"], row["type"], row["value"]) == (
        200,
        "918867135000",
        "IN",
        "tag",
        "diwali",
    )
    assert (await api.call("POST", PATH, json=wish))[1]["data"]["id"] == row["id"]
    assert (await api.call("GET", f"{PATH}/{row['id']}"))[1]["data"] == row
    _, answer = await api.call("PUT", f"{PATH}/{row['id']}", json={"type": "all"})
    assert (answer["data"]["type"], answer["data"]["value"], answer["data"]["receiver"]) == (
        "all",
        "",
        "918867135000",
    )
    _, other = await api.call("POST", PATH, data=wish)
    assert (await api.call("PUT", f"{PATH}/{other['data']['id']}", json={"type": "all"}))[0] == 409
    assert (await api.call("GET", f"{PATH}?type=tag&receiver=918867135000"))[1]["meta"]["total"] == 1
    assert (await api.call("DELETE", f"{PATH}/{row['id']}"))[0] == 200
    assert (await api.call("DELETE", f"{PATH}/{row['id']}"))[0] == 404
    assert (await api.call("DELETE", PATH))[1]["data"] == {"deleted": 1}
    assert (await api.call("GET", PATH))[1]["data"] == []


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "receiver"),
        ({"receiver": "hello"}, "receiver"),
        ({"receiver": "918867135000", "type": "some"}, "type"),
        ({"receiver": "918867135000", "type": "tag"}, "value"),
        ({"receiver": "918867135000", "type": "sender", "value": "x"}, "value"),
        ({"receiver": "918867135000", "type": "service", "value": "fax"}, "value"),
    ],
)
async def test_what_cannot_be_used_is_named(api: Api, wish: dict[str, str], field: str) -> None:
    status, answer = await api.call("POST", PATH, data=wish)
    assert (status, list(answer["errors"])) == (422, [field])


async def test_a_csv_with_a_header(api: Api) -> None:
    await api.call("POST", PATH, data={"receiver": "918867135001"})
    content = (
        "name;Mobile No.;type;value\r\n"
        "a;+91 88671-35000;;\r\n"
        "\r\n"
        "b;918867135001;;\r\n"
        "c;123;;\r\n"
        "d;918867135002;tag;spring\r\n"
        "e;918867135000;;\r\n"
    )
    status, answer = await _import(api, content.encode())
    data = answer["data"]
    assert status == 200
    assert {name: data[name] for name in ("rows", "imported", "duplicates", "invalid")} == {
        "rows": 5,
        "imported": 2,
        "duplicates": 2,
        "invalid": 1,
    }
    assert [problem["row"] for problem in data["problems"]] == [5]
    assert await _receivers(api) == ["918867135000", "918867135001", "918867135002"]
    assert (await api.call("GET", f"{PATH}?type=tag"))[1]["data"][0]["value"] == "spring"


@pytest.mark.parametrize(
    "content",
    [
        b"918867135000\n+91 88671 35001\n",
        b"918867135000, 918867135001",
        "\ufeffphone\n918867135000\n918867135001\n".encode(),
        "918867135000\n918867135001\n".encode("utf-16"),
        b"Our customers\n918867135000\n918867135001",
        b"x\t918867135000\ny\t918867135001\n",
    ],
)
async def test_texts_of_every_kind(api: Api, content: bytes) -> None:
    status, answer = await _import(api, content, "numbers.txt", type="tag", value="spring")
    assert (status, answer["data"]["imported"]) == (200, 2)
    assert await _receivers(api) == ["918867135000", "918867135001"]


async def test_spreadsheets_old_and_new(api: Api) -> None:
    new = io.BytesIO()
    with xlsxwriter.Workbook(new, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["phone", 918867135000, "+91 88671-35001", "nobody"])
    status, answer = await _import(api, new.getvalue(), "numbers.xlsx")
    assert (status, answer["data"]["imported"], answer["data"]["invalid"]) == (200, 2, 1)
    assert answer["data"]["problems"][0]["row"] == 4
    old, book = io.BytesIO(), xlwt.Workbook()
    sheet = book.add_sheet("a")
    for at, value in enumerate(["Phone", 918867135002, "918867135003"]):
        sheet.write(at, 0, value)
    book.save(old)
    status, answer = await _import(api, old.getvalue(), "numbers.xls")
    assert (status, answer["data"]["imported"]) == (200, 2)
    assert len(await _receivers(api)) == 4


def _vast_sheet() -> bytes:
    """Two cells, at the two corners of the largest sheet: a dense table of them would hold 17 billion."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "918867135000")
        sheet.write(1_048_575, 16_383, "x")
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<" * 1_000_000)
    content = bytearray(out.getvalue())
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 0xF0000000)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 not a zip", "This is not a whole xlsx file"),
        (b"\xd0\xcf\x11\xe0 not a sheet", "This spreadsheet cannot be read"),
        (bytes(1000), "This is neither text nor a spreadsheet"),
        (_vast_sheet(), "This file takes too much memory or time"),
        (_bomb(), "This spreadsheet unpacks to 3840 MB"),
    ],
    ids=["broken xlsx", "broken xls", "zeros", "vast sheet", "bomb"],
)
async def test_hostile_files_are_refused(api: Api, content: bytes, sentence: str) -> None:
    status, answer = await _import(api, content)
    assert status == 422
    assert answer["errors"]["file"][0].startswith(sentence)


async def test_an_import_without_a_file_or_of_another_type(api: Api) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("other", io.BytesIO(b"1"), filename="x")
    assert (await api.call("POST", f"{PATH}/import", data=form))[0] == 422
    assert (await api.call("POST", f"{PATH}/import", json={}))[0] == 415


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("numbers.pdf", b"918867135000", "'numbers.pdf' is no list of numbers: send txt, csv, xls or xlsx"),
        ("numbers.xlsx", b"918867135000", "This file is named .xlsx and is no spreadsheet"),
        ("numbers.XLS", b"918867135000", "This file is named .xls and is no spreadsheet"),
        ("numbers.csv", b"receiver,type\n", "This file holds only a row of names, no numbers"),
        ("numbers.txt", b" \n\n", "This file holds no numbers"),
    ],
)
async def test_a_file_that_cannot_be_meant_is_refused(
    api: Api, name: str, content: bytes, sentence: str
) -> None:
    status, answer = await _import(api, content, name)
    assert status == 422
    assert answer["errors"]["file"][0].startswith(sentence)


async def test_a_value_says_that_all_was_not_meant(api: Api) -> None:
    """Who leaves `type` out would forbid every call, where one campaign was meant."""
    status, answer = await api.call("POST", PATH, data={"receiver": "918867135000", "value": "diwali"})
    assert status == 422
    assert "set type to one of tag, sender, service" in answer["errors"]["value"][0]
    _, made = await api.call("POST", PATH, data={"receiver": "918867135000", "type": "tag", "value": "x"})
    status, changed = await api.call("PUT", f"{PATH}/{made['data']['id']}", data={"type": "all"})
    assert (status, changed["data"]["type"], changed["data"]["value"]) == (200, "all", "")


async def test_what_is_no_text_is_told_so(api: Api) -> None:
    wish = {"receiver": {"a": 1}, "type": ["all"], "value": True}
    status, answer = await api.call("POST", PATH, json=wish)
    assert (status, answer["errors"]) == (
        422,
        {name: [f"{name} should be a single text."] for name in ("receiver", "type", "value")},
    )


async def test_a_number_of_another_country_than_it_should_be(api: Api) -> None:
    """8867135000 lacks its 91, and would be a number of Taiwan."""
    status, answer = await api.call("POST", PATH, data={"receiver": "8867135000", "iso": "IN"})
    assert status == 422
    assert answer["errors"]["receiver"] == [
        "8867135000 does not begin with 91, the country code of IN: write it with its country code, as in 91…"
    ]
    status, answer = await api.call("POST", PATH, data={"receiver": "918867135000", "iso": "India"})
    assert (status, list(answer["errors"])) == (422, ["iso"])
    for receiver, iso in (("918867135000", "in"), ("12025550100", "CA"), ("+44 20 7946 0000", "GB")):
        assert (await api.call("POST", PATH, data={"receiver": receiver, "iso": iso}))[0] == 200
    _, answer = await _import(api, b"receiver,iso\n8867135000,IN\n918867135001,IN\n918867135002,\n")
    assert (answer["data"]["imported"], answer["data"]["invalid"]) == (2, 1)
    assert "country code of IN" in answer["data"]["problems"][0]["message"]
