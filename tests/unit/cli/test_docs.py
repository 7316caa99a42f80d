"""Whoever adds a setting, a command or an endpoint documents it: here, or the test fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tools.reference_pages import PAGES

from outdial.api.app import create_api
from outdial.cli.lazy import COMMANDS, load
from outdial.config.settings import Settings


@pytest.mark.parametrize("page", list(PAGES), ids=lambda page: page.name)
def test_the_page_says_what_the_code_says(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert field.annotation.__doc__
            yield from _leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


@pytest.mark.parametrize(("name", "field"), list(_leaves(Settings)))
def test_every_setting_is_described(name: str, field: Any) -> None:
    assert field.description, name
    assert field.description.endswith("."), name


def _commands() -> Iterator[tuple[str, Any]]:
    for name in COMMANDS:
        command = load(name)
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            assert command.help
            yield from ((f"{name} {each}", inner[each]) for each in inner)


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_command_and_option_is_described(name: str, command: Any) -> None:
    assert command.help, name
    for parameter in command.params:
        assert parameter.help or parameter.hidden, f"{name} {parameter.name}"


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_command_that_answers_something_has_json(name: str, command: Any) -> None:
    assert name == "serve" or "--json" in {option for each in command.params for option in each.opts}


def test_the_short_lines_of_help_are_true() -> None:
    for name, (_, line) in COMMANDS.items():
        assert line.endswith(".")
        first_word = line.split()[0].strip(",")
        assert first_word.lower() in load(name).help.lower(), name


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    [
        (path, method, operation)
        for path, operations in create_api().openapi()["paths"].items()
        for method, operation in operations.items()
    ],
)
def test_every_endpoint_is_described_with_an_example(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    answer = operation["responses"]["200"]
    assert answer["description"]
    content = answer["content"]
    is_audio = any(media.startswith("audio/") for media in content)
    assert is_audio or all("example" in each for each in content.values())
    for parameter in operation.get("parameters", []):
        assert parameter.get("description") or parameter["in"] == "path", parameter
    if method == "post":
        for media in operation["requestBody"]["content"].values():
            assert all(each["description"] for each in media["schema"]["properties"].values())
    if path.startswith("/api/"):
        assert "401" in operation["responses"]
        assert operation["security"]
