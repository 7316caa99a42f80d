"""What deploy/ says about the program is true."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from outdial.supervisor.role import Role

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize("unit", ["outdial.service", "outdial@.service"])
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_are_valid(unit: str, tmp_path: Path) -> None:
    here = (DEPLOY / "systemd" / unit).read_text()
    here = here.replace("/opt/outdial/.venv/bin/outdial", "/bin/true")
    (tmp_path / unit).write_text(here.replace("User=outdial", "User=root").replace("Group=outdial", ""))
    name = unit.replace("@", "@dialer")
    found = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True, check=False
    )
    assert (found.returncode, [line for line in found.stderr.splitlines() if unit in line]) == (0, [])


def test_compose_runs_every_role_once_the_database_is_upgraded() -> None:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    roles = {each["command"][-1] for each in services.values() if "--role" in each.get("command", ())}
    assert roles == set(Role) - {Role.SANDBOX}
    for role in roles:
        assert services[role]["depends_on"] == {"upgrade": {"condition": "service_completed_successfully"}}
    assert services["upgrade"]["command"] == ["db", "upgrade"]


@pytest.mark.parametrize("made_in", ["here", "elsewhere"])
def test_a_venv_that_was_copied_from_elsewhere_is_made_anew(tmp_path: Path, made_in: str) -> None:
    """`cp -r` of a checkout takes its `.venv` along, whose programs run with the Python of the old place."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    venv = tmp_path / ".venv"
    venv.mkdir()
    place = venv if made_in == "here" else Path("/somewhere/else/.venv")
    (venv / "pyvenv.cfg").write_text(f"home = /usr/bin\ncommand = /usr/bin/python3 -m venv {place}\n")
    for stamp in (".uv", ".runtime"):
        (venv / stamp).touch()
    plan = subprocess.run(
        ["make", "--dry-run", "setup"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert ("-m venv --clear .venv" in plan, "Nothing to be done" in plan) == (
        (False, True) if made_in == "here" else (True, False)
    )
