"""Accounts, changes in place and the audit log on the command line."""

import json

import pytest
from tests.unit.cli.conftest import Outdial

from outdial.supervisor import exit_codes


def test_an_account_s_life(outdial: Outdial) -> None:
    assert outdial("token", "create").status == 0
    first, *_ = json.loads(outdial("token", "list", "--json").out)
    assert first["scopes"] == ["account", "admin"]
    added = outdial("account", "add", "Clinic", "--time-zone", "Asia/Kolkata", "--json")
    clinic = str(json.loads(added.out)["id"])
    made = outdial("token", "create", "--account", clinic, "--scope", "calls", "--json")
    row = json.loads(outdial("token", "list", "--json").out)[-1]
    assert (str(row["account_id"]), row["scopes"]) == (clinic, ["calls"])
    changed = json.loads(outdial("account", "set", clinic, "max_concurrent=7", "paused=1", "--json").out)
    assert (changed["max_concurrent"], changed["name"]) == (7, "Clinic")
    assert changed["paused_at"] is not None
    assert "Clinic" in outdial("account", "list").out
    assert outdial("account", "close", clinic).status == 0
    assert json.loads(outdial("account", "show", clinic, "--json").out)["status"] == "closed"
    log = outdial("audit", "--json")
    assert json.loads(made.out)["token"] not in log.out
    assert [(each["action"], each["thing"]) for each in json.loads(log.out)] == [
        ("close", "account"),
        ("change", "account"),
        ("create", "token"),
        ("create", "account"),
        ("create", "token"),
    ]
    assert all(each["actor"].startswith("command line: ") for each in json.loads(log.out))


def test_a_trunk_is_changed_in_place(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    outdial("trunk", "add", "carrier", "sip.example.com")
    monkeypatch.setenv("TRUNK_PASSWORD", "s3kr1t")
    done = outdial("trunk", "set", "carrier", "username=u", "password=env", "headers[X-Team]=b", "--json")
    row = json.loads(done.out)
    assert (row["username"], row["password"], row["headers"]) == ("u", "(set)", {"X-Team": "b"})
    assert row["host"] == "sip.example.com"
    assert outdial("bridge", "add", "12025550101", "--trunk", "carrier").status == 0
    assert outdial("bridge", "remove", "12025550101").status == 0
    log = outdial("audit", "--thing", "trunk", "--json")
    assert "s3kr1t" not in log.out
    assert [each["action"] for each in json.loads(log.out)] == ["change", "create"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("account", "show", "99"), exit_codes.FAILED, "There is no account 99"),
        (("account", "close", "99"), exit_codes.FAILED, "There is no account 99"),
        (("account", "add", "x", "--time-zone", "Mars"), exit_codes.USAGE, "Asia/Kolkata"),
        (("account", "set", "1", "name"), exit_codes.USAGE, "NAME=VALUE"),
        (("account", "set", "1", "max_concurrent=0"), exit_codes.USAGE, "from 1 to"),
        (("account", "set", "1", "max_concurent=5"), exit_codes.USAGE, "did you mean max_concurrent?"),
        (("account", "set", "1", "id=5"), exit_codes.USAGE, "id is nothing that can be set there"),
        (("account", "close", "1"), exit_codes.FAILED, "is the server's own"),
        (("trunk", "set", "none", "codec=PCMA"), exit_codes.USAGE, "did you mean codecs?"),
        (("bridge", "set", "12025550101", "pause=1"), exit_codes.USAGE, "pause is nothing that can be set"),
        (("trunk", "set", "none", "port=5060"), exit_codes.FAILED, "There is no trunk 'none'"),
        (("token", "create", "--account", "99"), exit_codes.USAGE, "There is no account 99"),
        (("token", "create", "--scope", "all"), exit_codes.USAGE, "calls:read"),
    ],
)
def test_what_cannot_be_done_is_said(
    outdial: Outdial, arguments: tuple[str, ...], status: int, words: str
) -> None:
    outdial("account", "balance")  # makes the first account, as a server does
    done = outdial(*arguments)
    assert done.status == status
    assert words in done.err
    assert done.out == ""


def test_the_description_is_printed(outdial: Outdial) -> None:
    assert json.loads(outdial("openapi").out)["openapi"].startswith("3.1")
