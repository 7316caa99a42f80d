"""`outdial suppression` on the server's own data."""

import json
from pathlib import Path

from tests.unit.cli.conftest import Outdial

from outdial.supervisor import exit_codes


def test_a_suppression_s_life(outdial: Outdial) -> None:
    assert "may be called" in outdial("suppression", "check", "918867135000").out
    assert outdial("suppression", "add", "918867135000", "--type", "tag", "--value", "x").status == 0
    assert "already" in outdial("suppression", "add", "918867135000", "--type", "tag", "--value", "x").out
    assert json.loads(outdial("suppression", "check", "918867135000", "--json").out)["suppressed"] is False
    checked = json.loads(outdial("suppression", "check", "918867135000", "--tag", "x", "--json").out)
    assert (checked["suppressed"], checked["by"]["type"]) == (True, "tag")
    (row,) = json.loads(outdial("suppression", "list", "--json").out)
    assert outdial("suppression", "remove", str(row["id"])).status == 0
    assert outdial("suppression", "remove", str(row["id"])).status == exit_codes.FAILED
    assert outdial("suppression", "add", "918867135000", "--type", "x").status == exit_codes.USAGE


def test_import_into_the_list_of_the_server(outdial: Outdial, tmp_path: Path) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text("918867135000\n123\n918867135000\n")
    made = json.loads(outdial("suppression", "import", str(file), "--server", "--json").out)
    assert (made["imported"], made["duplicates"], made["invalid"]) == (1, 1, 1)
    assert json.loads(outdial("suppression", "list", "--json").out) == []
    assert "the server's" in outdial("suppression", "check", "918867135000").out
    assert outdial("suppression", "import", str(tmp_path / "none")).status == exit_codes.USAGE
