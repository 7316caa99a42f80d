"""Flows as files: read, written, and named on a server as `23`, `23@2` or `23@draft`."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from outdial.cli.client import with_client
from outdial.cli.output import console
from outdial.cli.problems import CommandFailed
from outdial.errors import InvalidInput
from outdial.flow.problem import Problem
from outdial.flow.text_form import text_form
from outdial.supervisor import exit_codes

_ON_SERVER = re.compile(r"(?P<flow>\d{1,18})(?:@(?P<version>draft|\d{1,9}))?")


def read_json(file: Path) -> Any:
    """What a file of JSON holds. Raises InvalidInput."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} is not JSON: {error}.") from None


class _AsWritten(yaml.SafeLoader):
    """YAML with the values of JSON: a date, a time and digits behind a zero stay the texts that they are."""


_AsWritten.yaml_implicit_resolvers = {}
for _tag, _like in (
    ("null", r"~|null|"),
    ("bool", r"true|false"),
    ("int", r"-?(?:0|[1-9][0-9]*)"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+"),
):
    _AsWritten.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_like})\\Z"), None)


def read_cases(file: Path) -> Any:
    """What a file of test cases holds. Raises InvalidInput."""
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _AsWritten)  # noqa: S506 - it is a SafeLoader
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}.") from None


def read_flow(named: str, url: str, token: str | None) -> Any:
    """A flow of a file; or of a server, where there is no such file and it is named by id and version."""
    found = None if Path(named).exists() else _ON_SERVER.fullmatch(named)
    if found is None:
        return read_json(Path(named))
    path = f"flows/{found['flow']}/export?version={found['version'] or 'draft'}"
    return json.loads(with_client(url, token, lambda client: client.download(path)))


def write_flow(document: Any, output: Path | None) -> None:
    """Write a flow in its one form of text: to a file, or to standard output. Raises CommandFailed."""
    text = text_form(document)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}.", exit_codes.USAGE) from None


def read_variables(given: list[str]) -> dict[str, str]:
    """The variables of repeated `--variable NAME=VALUE`. Raises InvalidInput."""
    for each in given:
        if "=" not in each:
            raise InvalidInput(f"A variable is NAME=VALUE, not {each}.")
    return dict(each.split("=", 1) for each in given)


def said(problem: Mapping[str, Any]) -> str:
    """A problem or finding that a server answered, as `lint` says it."""
    return str(Problem(problem["node"], problem["field"], problem["message"]))


def show_warnings(published: Mapping[str, Any]) -> None:
    """Print what lint warned of when a flow was published."""
    for finding in published.get("warnings") or []:
        console().print(f"warning: {said(finding)}", soft_wrap=True, markup=False)
