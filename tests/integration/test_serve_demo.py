"""`outdial demo`, which is the first thing that anybody runs."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(240)


def test_the_demo_passes() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
    done = subprocess.run(
        [sys.executable, "-m", "outdial", "demo", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert all(row["ok"] for row in rows)
    assert "calls went as they have to" in done.stderr
    by_number = {row["number"]: row for row in rows}
    assert by_number["12025550109"]["call"]["dtmf"] == "42#"
    assert by_number["12025550100"]["correlation"] > 0.95
