"""A rate card as a file: all of it or nothing, with a sentence for each row that is wrong."""

from typing import Any

import aiohttp
import pytest
from tests.helpers.http_api import Api

from outdial.api import rate_request
from outdial.domain.scope import Scope
from outdial.storage import audit, rates, tokens

HEAD = "prefix,sale_price,first_pulse,next_pulse,connection_fee,currency,account_id,active\n"
CARD = HEAD + "91,0.5,30,,,,,\n+4930,0.1200,60,1,0.05,EUR,,\n\n9180,0.4,30,,,,1,0\n"


@pytest.fixture
async def admin(api: Api) -> Api:
    await api.database.run(
        tokens.insert,
        account_id=api.account_id,
        name="admin",
        new_secret=lambda: "admin's",
        now=1,
        scopes=[Scope.ADMIN],
    )
    api.token = "admin's"
    return api


async def send(api: Api, content: str | bytes) -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("file", content.encode() if isinstance(content, str) else content, filename="card.csv")
    return await api.call("POST", "admin/rates/import", data=form)


async def card(api: Api) -> list[tuple[Any, ...]]:
    rows = await api.database.read(rates.find, limit=100, offset=0, every=True)
    return sorted(
        (each.prefix, each.first_price, each.next_pulse_s, row.currency, row.account_id, row.active)
        for row in rows
        for each in [row.rate]
    )


async def test_all_rows_are_set_with_one_line_of_the_audit_log(admin: Api) -> None:
    status, answer = await send(admin, CARD)
    assert (status, answer["message"], answer["data"]) == (200, "3 prices are set.", {"rows": 3})
    expected = [
        ("4930", 1_200, 1, "EUR", None, True),
        ("91", 5_000, 30, "USD", None, True),
        ("9180", 4_000, 30, "USD", 1, False),
    ]
    assert await card(admin) == expected
    assert (await send(admin, CARD))[0] == 200  # in the place of what is there
    assert await card(admin) == expected
    entries, total = await admin.database.read(audit.find, thing="rate")
    assert total == 2
    assert (entries[0].action, entries[0].after) == ("import", {"prices": 3, "accounts": [1]})


@pytest.mark.parametrize("content", [CARD.replace(",", ";"), CARD.replace(",", "\t"), "\ufeff" + CARD])
async def test_as_spreadsheets_write_it(admin: Api, content: str) -> None:
    assert (await send(admin, content))[1]["data"] == {"rows": 3}


async def test_one_wrong_row_keeps_all_out_and_each_is_named(admin: Api) -> None:
    wrong = "91,0.5,30,,,,,\nabc,0.5,,,,,,\n92,,1,,,,,\n93,0.5,0,,,XXXX,,\n91,0.6,30,,,,,\n"
    status, answer = await send(admin, HEAD + wrong)
    assert status == 422
    sentences = answer["errors"]["file"]
    rows = [sentence.partition(":")[0] for sentence in sentences]
    assert rows == ["Row 3", "Row 4", "Row 5", "Row 5", "Row 6"]
    assert "'abc'" in sentences[0]
    assert sentences[1] == "Row 4: sale_price is missing."
    assert sentences[4] == "Row 6: the prefix 91 stands in row 2 already."
    assert await card(admin) == []


async def test_an_unknown_account_keeps_all_out(admin: Api) -> None:
    status, answer = await send(admin, HEAD + "91,0.5,,,,,,\n92,0.5,,,,,77,\n")
    assert (status, answer["message"]) == (422, "There is no account 77.")
    assert await card(admin) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("91,0.5\n", "The first row should name the columns"),
        ("prefix,price\n91,0.5\n", "'price' is none of them"),
        ("prefix,prefix,sale_price\n91,92,0.5\n", "each once"),
        (HEAD, "The file has no prices"),
        (HEAD + "91,0.5,,,,,,,,\n", "Row 2 has 10 cells for 8 columns."),
        (HEAD + '91,"0.5\n', "The file is not CSV"),
        (b"prefix,sale_price\n91,\xff\n", "not text in UTF-8"),
        ("", "file is an empty file."),
    ],
)
async def test_what_is_no_card(admin: Api, content: str | bytes, sentence: str) -> None:
    status, answer = await send(admin, content)
    assert status == 422
    assert sentence in answer["errors"]["file"][0]


async def test_too_many_rows(admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_request, "_MOST_ROWS", 2)
    _, answer = await send(admin, CARD.replace("\n\n", "\n"))
    assert answer["errors"]["file"] == ["The file has more than 2 rows; send it in parts."]


async def test_it_is_an_administrator_s(api: Api) -> None:
    await api.database.run(
        tokens.insert, account_id=1, name="x", new_secret=lambda: "no admin", now=1, scopes=["account"]
    )
    api.token = "no admin"
    assert (await send(api, CARD))[0] == 403
