"""What there is to build flows of, as values: every step type with its settings, its exits and an example.

The reference is written from it, and editors ask the API for it.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from outdial.flow.conditions import condition_schema
from outdial.flow.kinds import Kind, Many, Plain, Schema, Seconds, Table, Templated, Whole
from outdial.flow.prompt_kind import prompt_schema
from outdial.flow.settings import Object, Setting, settings_of
from outdial.flow.step import Exit, Step
from outdial.flow.steps import STEP_TYPES

_KINDS = {
    "Plain": "text", "Templated": "text with variables", "Flag": "true or false", "Keys": "keys",
    "Variable": "name of a variable", "PromptKind": "prompt", "JsonTemplateKind": "any JSON with variables",
    "ConditionKind": "condition", "DigitPattern": "regular expression", "_ZoneKind": "time zone",
    "_FlowId": "id or name of a flow", "_AnyJson": "any JSON",
}  # fmt: skip


def catalogue() -> list[dict[str, Any]]:
    """All step types by name, as values that ``json.dumps`` takes."""
    return [
        {
            "type": name,
            "summary": summary(step),
            "description": description(step),
            "settings": [_setting(each) for each in settings_of(step)],
            "exits": [_exit(each) for each in step.EXITS],
            "example": dict(step.EXAMPLE),
        }
        for name, step in STEP_TYPES.items()
    ]


def definitions() -> Mapping[str, Schema]:
    """What the schemas of settings refer to, by the name behind ``#/$defs/``."""
    return {"prompt": prompt_schema(), "condition": condition_schema()}


def description(step: type[Step]) -> str:
    """What a step type does, in some sentences."""
    return inspect.cleandoc(step.__doc__ or "").replace("\n", " ")


def summary(step: type[Step]) -> str:
    """The first of these sentences."""
    return description(step).split(". ")[0].rstrip(".") + "."


def kind_words(kind: Kind) -> str:
    """What a setting may hold, in a few words."""
    match kind:
        case Whole() if kind.minimum == kind.maximum:
            return str(kind.minimum)
        case Whole():
            return f"whole number, {kind.minimum} to {kind.maximum}"
        case Seconds():
            return f"seconds, {kind.minimum:g} to {kind.maximum:g}"
        case Many():
            return f"{kind_words(kind.kind)}, or a list of them"
        case Table():
            return f"object of {kind_words(kind.kind)}"
        case Object():
            return f"object with {', '.join(f'`{each.name}`' for each in settings_of(kind.type))}"
        case Plain() | Templated():
            return _KINDS[type(kind).__name__]
        case _ if hasattr(kind, "words"):
            return ", ".join(f"`{word}`" for word in kind.words)
        case _:
            return _KINDS[type(kind).__name__]


def _setting(each: Setting) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": kind_words(each.kind),
        "description": each.description,
        "required": each.required,
        "schema": each.schema(),
    }


def _exit(each: Exit) -> dict[str, Any]:
    return {
        "name": each.name,
        "description": each.description,
        "pattern": each.pattern,
        "optional": each.optional,
    }
