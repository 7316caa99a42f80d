"""`outdial flow`: what a user's shell and CI see of it."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from tests.unit.cli.conftest import ApiInThread, Outdial

FLOWS = Path(__file__).parents[3] / "examples" / "flows"
STUDIO = Path(__file__).parents[1] / "flow" / "importing" / "appointment.studio.json"
MENU = {
    "schema_version": 1,
    "name": "Menu",
    "entry": "ask",
    "nodes": {
        "ask": {
            "type": "menu",
            "settings": {"prompt": "To agree, press 1.", "repeats": 0},
            "exits": {"1": "yes", "invalid": None, "timeout": None},
        },
        "yes": {"type": "hang_up", "settings": {"result": "agreed"}},
    },
}


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    file = tmp_path / "menu.json"
    file.write_text(json.dumps(MENU))
    return file


def write_cases(menu: Path, *cases: object) -> Path:
    file = menu.with_suffix("").with_suffix(".test.yaml")
    file.write_text(yaml.safe_dump({"cases": list(cases)}))
    return file


def test_lint_says_what_is_wrong_and_fails_for_errors(outdial: Outdial, menu: Path) -> None:
    good = outdial("flow", "lint", str(menu))
    assert (good.status, good.out) == (0, "")
    menu.write_text(json.dumps(MENU).replace("press 1", "press 2"))
    bad = outdial("flow", "lint", str(menu))
    assert bad.status == 1
    assert "error: node 'ask', field 'prompt': speaks of the key 2, which does nothing" in bad.out
    assert "1 of 1 flows" in bad.err
    findings = json.loads(outdial("flow", "lint", "--json", str(menu)).out)
    assert [each["code"] for each in findings] == ["no_such_key", "silent_key"]
    menu.write_text(json.dumps(MENU | {"languages": ["xx"], "voice": "pico:en-UK"}))
    assert outdial("flow", "lint", str(menu)).status == 0, "a server may have voices that are not here"
    assert (
        "node 'ask', field 'prompt': there is no voice 'pico:en-UK'"
        in outdial("flow", "lint", "--voices", str(menu)).out
    )
    menu.write_text(json.dumps(MENU | {"voice": "recorded:en"}))
    words = outdial("flow", "lint", "--voices", str(menu))
    assert words.status == 1
    assert "recorded words only, and not 'to', 'agree', 'press', '1'" in words.out
    menu.write_text("{")
    assert "is not JSON" in outdial("flow", "lint", str(menu)).err
    assert "cannot be read" in outdial("flow", "lint", "nowhere.json").err


def test_simulate_walks_with_what_is_typed(
    outdial: Outdial, menu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n"))
    walked = outdial("flow", "simulate", str(menu))
    assert walked.status == 0
    assert "To agree, press 1." in walked.out
    assert "agreed" in walked.out.splitlines()[-1]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n"))
    report = json.loads(outdial("flow", "simulate", "--json", str(menu)).out)
    assert report["result"] == "completed"
    assert [each["exit"] for each in report["path"]] == ["timeout"]
    wrong = outdial("flow", "simulate", str(menu), "--variable", "x")
    assert (wrong.status, "NAME=VALUE" in wrong.err) == (2, True)


def test_simulate_goes_on_in_the_flow_of_another_file(
    outdial: Outdial, menu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump = {"type": "jump", "settings": {"flow": "menu"}, "exits": {"returned": None, "failed": None}}
    first = menu.with_name("first.json")
    first.write_text(json.dumps({"schema_version": 1, "entry": "jump", "nodes": {"jump": jump}}))
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n"))
    report = json.loads(outdial("flow", "simulate", "--json", str(first)).out)
    assert (report["result"], [each["node"] for each in report["path"]]) == ("agreed", ["jump", "ask", "yes"])


def test_cases_pass_or_fail_the_command(outdial: Outdial, menu: Path, tmp_path: Path) -> None:
    good = {"name": "agrees", "press": ["1"], "expect": {"result": "agreed"}}
    write_cases(menu, good)
    passed = outdial("flow", "test", str(tmp_path))
    assert (passed.status, passed.out.split()[0]) == (0, "ok")
    write_cases(menu, good, {"name": "never", "press": [None], "expect": {"result": "agreed"}})
    failed = outdial("flow", "test", str(tmp_path))
    assert failed.status == 1
    assert "result: expected 'agreed', got 'completed'" in failed.out
    assert "1 of 2 cases failed." in failed.err
    verdicts = json.loads(outdial("flow", "test", "--json", str(tmp_path)).out)
    assert [each["passed"] for each in verdicts] == [True, False]
    write_cases(menu, {"fly": 1})
    assert "A case has no 'fly'" in outdial("flow", "test", str(tmp_path)).err
    (tmp_path / "empty").mkdir()
    assert "no file *.test.yaml" in outdial("flow", "test", str(tmp_path / "empty")).err


def test_values_of_a_case_are_what_is_written(outdial: Outdial, menu: Path, tmp_path: Path) -> None:
    said = "{{day}}, {{time}}, {{code}}, {{number}}, {{half}}, {{wish}}, {{none}}."
    play = {"type": "play", "settings": {"prompt": said}}
    menu.write_text(json.dumps({"schema_version": 1, "entry": "a", "nodes": {"a": play}}))
    menu.with_suffix(".test.yaml").write_text(
        """cases:
          - at: 2026-03-02 10:00
            variables: {day: 2026-03-03, time: 10:30, code: 0471, number: 12025550100, half: 0.5, wish: no}
            expect: {said: ["2026-03-03, 10:30, 0471, 12025550100, 0.5, no, ."]}
        """
    )
    assert outdial("flow", "test", str(tmp_path)).out.startswith("ok"), outdial(
        "flow", "test", str(tmp_path)
    ).out
    menu.with_suffix(".test.yaml").write_text("cases: [{press: [0471, true]}]")
    assert "keys must be 1 to 50 of" in outdial("flow", "test", str(tmp_path)).err


def test_all_examples_pass(outdial: Outdial) -> None:
    assert outdial("flow", "test", str(FLOWS)).status == 0


def test_format_and_schema(outdial: Outdial, menu: Path) -> None:
    text = outdial("flow", "format", str(menu)).out
    assert json.loads(text) == MENU
    menu.write_text(text)
    assert outdial("flow", "format", str(menu)).out == text
    assert json.loads(outdial("flow", "schema").out)["$schema"].startswith("https://json-schema.org/")


def test_diff_of_files(outdial: Outdial, menu: Path) -> None:
    later = menu.with_name("later.json")
    shutil.copy(menu, later)
    assert outdial("flow", "diff", str(menu), str(later)).status == 0
    later.write_text(json.dumps(MENU).replace("agree,", "pay,"))
    changed = outdial("flow", "diff", str(menu), str(later))
    assert changed.status == 1
    assert "node 'ask': settings.prompt was 'To agree, press 1.' and is 'To pay, press 1.'" in changed.out
    (change,) = json.loads(outdial("flow", "diff", "--json", str(menu), str(later)).out)
    assert (change["node"], change["field"]) == ("ask", "settings.prompt")


def test_import_writes_a_flow_and_says_what_is_lost(outdial: Outdial, tmp_path: Path) -> None:
    made = outdial("flow", "import", str(STUDIO), "--from", "twilio", "-o", "clinic.json")
    assert made.status == 0
    assert "lost: node 'hello': the marks of SSML" in made.err
    assert outdial("flow", "lint", "clinic.json").status == 0
    printed = outdial("flow", "import", str(STUDIO), "--from", "twilio")
    assert json.loads(printed.out) == json.loads((tmp_path / "clinic.json").read_text())
    as_json = json.loads(outdial("flow", "import", str(STUDIO), "--from", "twilio", "--json").out)
    assert (as_json["name"], as_json["notes"][0]["severity"]) == ("Appointment line", "changed")
    wrong = outdial("flow", "import", str(STUDIO), "--from", "rapidpro")
    assert (wrong.status, "no export of RapidPro" in wrong.err) == (2, True)
    assert "twilio, rapidpro" in outdial("flow", "import", str(STUDIO), "--from", "x").err


def test_what_new_calls_get_is_chosen_from_the_command_line(
    outdial: Outdial, api_server: ApiInThread, menu: Path
) -> None:
    assert outdial("flow", "list").out.strip() == "There are no flows."
    outdial("flow", "push", str(menu))
    assert "Nothing of the flow 1 was published." in outdial("flow", "versions", "1").out
    assert "Version 1 of the flow 1 is published." in outdial("flow", "publish", "1", "--note", "first").out
    menu.write_text(json.dumps(MENU).replace("agree,", "pay,"))
    outdial("flow", "push", str(menu), "--id", "1")
    assert json.loads(outdial("flow", "publish", "1", "--json").out)["version"] == 2
    back = outdial("flow", "rollback", "1", "1")
    assert (back.status, back.out.strip()) == (0, "Version 1 of the flow 1 is published.")
    shown = [
        (each["version"], each["current"], each["note"])
        for each in json.loads(outdial("flow", "versions", "1", "--json").out)
    ]
    assert shown == [(2, False, ""), (1, True, "first")]
    versions = outdial("flow", "versions", "1").out
    assert "first" in versions
    assert "token 1" in versions
    (listed,) = json.loads(outdial("flow", "list", "--name", "men", "--json").out)
    assert (listed["id"], listed["published"], listed["revision"]) == (1, 1, 2)
    assert "Menu" in outdial("flow", "list").out
    assert json.loads(outdial("flow", "list", "--name", "x", "--json").out) == []
    assert "no version 7" in outdial("flow", "rollback", "1", "7").err
    menu.write_text(json.dumps(MENU).replace("press 1", "press 2"))
    outdial("flow", "push", str(menu), "--id", "1")
    refused = outdial("flow", "publish", "1")
    assert refused.status != 0
    assert "node 'ask', field 'prompt': speaks of the key 2" in refused.err


def test_a_simulated_call_begins_when_one_says(
    outdial: Outdial, menu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = {"zone": "Asia/Kolkata", "hours": {"days": ["mon"], "from": "09:00", "to": "18:00"}}
    flow = {
        "schema_version": 1,
        "entry": "hours",
        "nodes": {
            "hours": {"type": "date_time", "settings": hours, "exits": {"open": "day", "closed": "night"}},
            "day": {"type": "hang_up", "settings": {"result": "day"}},
            "night": {"type": "hang_up", "settings": {"result": "night"}},
        },
    }
    menu.write_text(json.dumps(flow))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for at, result in (("2026-03-02T17:59:00+05:30", "day"), ("2026-03-02T18:00:00+05:30", "night")):
        walked = outdial("flow", "simulate", str(menu), "--at", at, "--json")
        assert json.loads(walked.out)["result"] == result
    assert "at must be a time such as" in outdial("flow", "simulate", str(menu), "--at", "noon").err


def test_a_flow_goes_to_a_server_and_back(outdial: Outdial, api_server: ApiInThread, menu: Path) -> None:
    stored = outdial("flow", "push", str(menu), "--publish", "--note", "first")
    assert stored.status == 0, stored.err
    assert "The flow 1 is stored." in stored.out
    assert "Version 1 of the flow 1 is published." in stored.out
    assert outdial("flow", "pull", "1@1").out == outdial("flow", "format", str(menu)).out
    menu.write_text(json.dumps(MENU).replace("agree,", "pay,"))
    assert "settings.prompt" in outdial("flow", "diff", "1@1", str(menu)).out
    row = json.loads(outdial("flow", "push", str(menu), "--id", "1", "--json").out)
    assert (row["id"], row["name"], row["revision"], row["published"]) == (1, "Menu", 2, 1)
    changed = outdial("flow", "diff", "1@1", "1@draft")
    assert (changed.status, "To pay, press 1." in changed.out) == (1, True)
    outdial("flow", "pull", "1", "-o", "back.json")
    assert outdial("flow", "diff", "back.json", str(menu)).status == 0
    menu.write_text(json.dumps(MENU).replace('"menu"', '"menus"'))
    unfinished = outdial("flow", "push", str(menu), "--id", "1")
    assert "not to be published yet: node 'ask', field 'type': must be one of" in unfinished.out
    refused = outdial("flow", "push", str(menu), "--id", "1", "--publish")
    assert refused.status != 0
    assert "node 'ask'" in refused.err
    assert outdial("flow", "pull", "7").status != 0
