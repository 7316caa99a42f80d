"""The page of telephony's traps names tests that exist, and no trap without one or the word "later"."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "telephony.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.endswith("| watched by |") and not line.startswith("| far end |")
]
NAMED = sorted(set(re.findall(r"`(tests/[^`]+\.py)::([^`]+)`", PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_trap_names_a_test_or_says_later(row: tuple[str, ...]) -> None:
    assert len(row) == 2
    assert row[1] == "later" or re.match(r"`tests/", row[1]), row


@pytest.mark.parametrize(("file", "name"), NAMED, ids="::".join)
def test_each_named_test_exists(file: str, name: str) -> None:
    assert name in _tests_of(file), f"docs/reference/telephony.md names {file}::{name}"


def test_the_page_says_something() -> None:
    assert len(ROWS) > 50
    assert len(NAMED) > 50


def test_each_scenario_of_sipp_is_used() -> None:
    """A scenario that no test names proves nothing."""
    folders = (ROOT / "tests" / "interop", ROOT / "tests" / "integration")
    tests = "".join(path.read_text(encoding="utf-8") for each in folders for path in each.glob("*.py"))
    scenarios = {path.stem for path in (ROOT / "tests" / "integration" / "sipp").glob("*.xml")}
    assert {name for name in scenarios if f'"{name}"' not in tests} == set()


@cache
def _tests_of(file: str) -> frozenset[str]:
    """Names of a file's tests, those in a class as `Class::test`."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}::{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(names)
