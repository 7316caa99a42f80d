"""`outdial rate` and `outdial account` on the server's own data."""

import json
from pathlib import Path
from typing import Any

from tests.unit.cli.conftest import Outdial

from outdial.supervisor import exit_codes


def read(outdial: Outdial, *arguments: str) -> Any:
    return json.loads(outdial(*arguments, "--json").out)


def test_a_price_s_life(outdial: Outdial) -> None:
    assert "no prices yet" in outdial("rate", "list").out
    assert (
        outdial("rate", "set", "+91", "0.5", "--pulse", "30").out
        == "Calls to 91… cost 0.5000 USD for 30 s.\n"
    )
    outdial("rate", "set", "1", "0.02", "--next-pulse", "6", "--next-price", "0.002", "--fee", "0.1")
    america, india = read(outdial, "rate", "list")
    assert (india["country_name"], india["price"], india["next_price"], india["next_pulse"]) == (
        "India",
        "0.5000",
        "0.5000",
        30,
    )
    assert (america["connection_fee"], america["next_price"], america["next_pulse"]) == (
        "0.1000",
        "0.0020",
        6,
    )
    assert outdial("rate", "quote", "918867135000", "45").out == "1.0000 USD, by the prefix 91.\n"
    assert read(outdial, "rate", "quote", "+1 202 555 0100", "61")["charge"] == "0.1220"
    assert outdial("rate", "quote", "4930123456", "1").status == exit_codes.FAILED
    assert outdial("rate", "remove", str(india["id"])).status == 0
    assert outdial("rate", "remove", str(india["id"])).status == exit_codes.FAILED


def test_the_quote_of_an_account_with_a_price_of_its_own(outdial: Outdial) -> None:
    outdial("account", "balance")  # makes the default account
    outdial("rate", "set", "91", "0.5", "--pulse", "30")
    assert outdial("rate", "set", "91", "0.4", "--pulse", "30", "--account", "1").status == 0
    assert read(outdial, "rate", "quote", "918867135000", "45", "--account", "1")["charge"] == "0.8000"
    gone = outdial("rate", "quote", "918867135000", "45", "--account", "7")
    assert (gone.status, "There is no account 7." in gone.err) == (exit_codes.FAILED, True)


def test_a_price_for_an_account_that_does_not_exist(outdial: Outdial) -> None:
    result = outdial("rate", "set", "91", "0.4", "--account", "7")
    assert (result.status, "There is no account 7." in result.err) == (exit_codes.FAILED, True)
    assert "constraint" not in result.err.lower()


def test_what_is_wrong_is_said_and_nothing_is_stored(outdial: Outdial) -> None:
    for arguments in (
        ["rate", "set", "9a", "1"],
        ["rate", "set", "", "1"],
        ["rate", "set", "1234567890123456", "1"],
        ["rate", "set", "91", "half"],
        ["rate", "set", "91", "0.5", "--fee", "-1"],
        ["rate", "set", "91", "0.5", "--currency", "dollars"],
        ["rate", "set", "91", "0.5", "--pulse", "0"],
        ["account", "credit", "much"],
        ["account", "credit", "0"],
        ["account", "credit", "0.0000"],
    ):
        result = outdial(*arguments)
        assert (result.status, "Traceback" in result.err) == (exit_codes.USAGE, False), arguments
    assert read(outdial, "rate", "list") == []
    assert read(outdial, "account", "ledger") == []


def test_credit_is_added_and_taken_away_but_not_more_than_there_is(outdial: Outdial) -> None:
    made = read(outdial, "account", "credit", "25", "--note", "invoice 7")
    assert made == {
        "balance": "25.0000",
        "reserved": "0.0000",
        "available": "25.0000",
        "currency": "USD",
        "prepaid": False,
    }
    outdial("account", "credit", "--", "-5")
    refused = outdial("account", "credit", "--", "-20.0001")
    assert (refused.status, "Only 20.0000 USD are available" in refused.err) == (exit_codes.FAILED, True)
    assert read(outdial, "account", "balance")["balance"] == "20.0000"
    lines = read(outdial, "account", "ledger")
    assert [(line["kind"], line["amount"], line["balance"], line["note"]) for line in lines] == [
        ("adjustment", "-5.0000", "20.0000", ""),
        ("top_up", "25.0000", "25.0000", "invoice 7"),
    ]
    assert len(read(outdial, "account", "ledger", "--limit", "1")) == 1


def test_terms(outdial: Outdial) -> None:
    assert read(outdial, "account", "terms", "--prepaid", "--currency", "eur")["currency"] == "EUR"
    outdial("account", "credit", "1")
    assert "can change only at 0" in outdial("account", "terms", "--prepaid").err
    changed = read(outdial, "account", "terms", "--postpaid", "--currency", "EUR")
    assert (changed["prepaid"], changed["balance"]) == (False, "1.0000")


def test_credit_and_terms_stand_in_the_audit_log(outdial: Outdial) -> None:
    outdial("account", "credit", "1.5")
    outdial("account", "terms", "--prepaid")
    terms, credit = read(outdial, "audit")
    assert (credit["thing"], credit["before"], credit["after"]) == (
        "credit",
        {"balance": "0.0000"},
        {"balance": "1.5000"},
    )
    assert (terms["thing"], terms["before"], terms["after"]) == (
        "account",
        {"prepaid": False},
        {"prepaid": True},
    )
    assert terms["actor"].startswith("command line: ")


def test_an_account_that_does_not_exist(outdial: Outdial) -> None:
    for command in (["balance"], ["credit", "1"], ["terms", "--prepaid"], ["ledger"]):
        result = outdial("account", *command, "--account", "7")
        failed = (exit_codes.FAILED, True)
        assert (result.status, "There is no account 7." in result.err) == failed, command


def test_a_card_is_imported(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "card.csv").write_text("prefix,sale_price,first_pulse\n91,0.5,30\n4930,0.12,60\n")
    assert outdial("rate", "import", "card.csv").out == "2 prices are set.\n"
    assert len(read(outdial, "rate", "list")) == 2
    (tmp_path / "card.csv").write_text("prefix,sale_price\n92,0.5\nx,0.5\n")
    refused = outdial("rate", "import", "card.csv")
    assert (refused.status, refused.err.startswith("outdial: Row 3: ")) == (exit_codes.USAGE, True)
    assert len(read(outdial, "rate", "list")) == 2
    assert "cannot be read" in outdial("rate", "import", "none.csv").err
    assert [row["action"] for row in read(outdial, "audit")] == ["import"]
