"""Turn what pydantic says about settings into sentences for the person who runs the server.

Each sentence names the setting, its value and what would be right. Values of settings that may hold a
password are not repeated.
"""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from outdial.config.settings import ENV_NESTING, ENV_PREFIX, Settings

_MAY_HOLD_A_PASSWORD = frozenset({"database_url"})


def setting_names(model: type[BaseModel] = Settings, prefix: str = "") -> list[str]:
    """Dotted names of all settings, sections' fields included: `data_dir`, `api.port`, …"""
    names = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += setting_names(inner, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def variable_name(setting: str) -> str:
    """The environment variable of a dotted setting name: `api.port` → `OUTDIAL_API__PORT`."""
    return ENV_PREFIX + setting.replace(".", ENV_NESTING).upper()


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was most likely meant to be, or None when nothing is close."""
    names = list(candidates)
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if found:
        return found[0]
    same_leaf = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]]
    return same_leaf[0] if len(same_leaf) == 1 else None


def unknown_setting(name: str) -> str:
    """The sentence for a setting that does not exist."""
    guess = nearest(name, [*setting_names(), *Settings.model_fields])
    hint = f"did you mean {guess}?" if guess else "see docs/reference/settings.md for all of them."
    return f"{name}: there is no such setting; {hint}"


def sentences(error: ValidationError) -> list[str]:
    """One sentence for each problem that validation found."""
    return [_sentence(problem) for problem in error.errors(include_url=False)]


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return unknown_setting(name)
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"].startswith(("model", "dict")):
        return (
            f"{name}: {problem['input']!r} is not a section; write its settings one by one, such as {name}.…"
        )
    if isinstance(problem["input"], dict):  # a rule across a whole section: the message names the settings
        return message
    if name in _MAY_HOLD_A_PASSWORD:
        return f"{name}: {message}"
    return f"{name} = {problem['input']!r}: {message.removeprefix('input ')}"
