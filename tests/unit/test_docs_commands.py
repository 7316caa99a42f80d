"""Every `outdial …` line in the code blocks of the guides is one that the command line accepts."""

import re
import shlex
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from outdial.cli.lazy import COMMANDS, load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(?:\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:[A-Z_]+='?[^ ]*'? )*(?:sudo )?(?:\.venv/bin/|\S*/)?outdial ((?!=).*)$")
_INNER = re.compile(r"\$\((?:\S*/)?outdial ([^)]*)\)")


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                name = page.relative_to(ROOT).as_posix()
                if match := _COMMAND.match(line):
                    found.append((name, match[1]))
                found += [(name, inner) for inner in _INNER.findall(line)]
    return found


@pytest.mark.parametrize(("page", "line"), _commands())
def test_the_command_is_one(page: str, line: str) -> None:
    words = shlex.split(re.sub(r"<[^>]*>", "X", line), comments=True)
    if words[0].startswith("--"):
        return  # options of the whole program
    assert words[0] in COMMANDS, f"{page}: outdial {line}"
    command: Any = load(words.pop(0))
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    is_group = hasattr(command, "commands")
    assert not (is_group and words and not words[0].startswith("-")), f"{page}: outdial {line}"
    options = {name: each for each in command.params for name in [*each.opts, *each.secondary_opts]}
    for word, value in pairwise([*words, ""]):
        if word == "--":
            break
        if word.startswith("--"):
            name, _, given = word.partition("=")
            assert name in options, f"{page}: {name} of outdial {line}"
            choices = options[name].type_descriptor.annotation
            if isinstance(choices, type) and issubclass(choices, StrEnum):
                assert (given or value) in list(choices), f"{page}: {name} is one of {list(choices)}"


def test_there_are_commands_to_look_at() -> None:
    assert {page for page, _ in _commands()} >= {"README.md", "docs/guides/trunks.md"}
    assert len(_commands()) > 50
