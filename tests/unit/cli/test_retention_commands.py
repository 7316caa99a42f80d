"""`outdial retention` and `outdial forget` on the server's own data."""

import json

from tests.unit.cli.conftest import Outdial

from outdial.supervisor import exit_codes


def test_a_run_tells_what_it_removed(outdial: Outdial) -> None:
    told = json.loads(outdial("retention", "run", "--dry-run", "--json").out)
    assert told["dry_run"] is True
    assert {told[kind] for kind in ("traces", "recordings", "personal", "audit", "idempotency_keys")} == {0}
    assert "recordings" in outdial("retention", "run").out


def test_a_number_without_calls_is_forgotten_already(outdial: Outdial) -> None:
    assert json.loads(outdial("forget", "+1 202 555 0100", "--json").out) == {"calls": 0, "left": 0}
    assert outdial("forget", "12").status == exit_codes.USAGE
