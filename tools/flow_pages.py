"""Write docs/reference/flow-steps.md from what the step types declare."""

import inspect
import json
from typing import Any

from outdial.flow.kinds import Many, Plain, Seconds, Table, Templated, Whole
from outdial.flow.settings import Object, Setting, settings_of
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES

_KINDS = {
    "Plain": "text", "Templated": "text with variables", "Flag": "true or false", "Keys": "keys",
    "Variable": "name of a variable", "PromptKind": "prompt", "JsonTemplateKind": "any JSON with variables",
    "ConditionKind": "condition", "DigitPattern": "regular expression", "_ZoneKind": "time zone",
    "_FlowId": "id or name of a flow",
}  # fmt: skip


def steps() -> str:
    """Every step type with its settings, its exits and an example."""
    lines = [
        "# Steps of flows",
        "",
        "Generated from the code by `make docs`; do not edit.",
        "",
        'A node is `{"type": …, "settings": {…}, "exits": {name: node or null}}`. An exit that leads nowhere'
        " ends the flow with the result `completed`. How flows are written, tested and called says"
        " [the guide](../guides/flows.md); `outdial flow schema` prints all of this as JSON Schema.",
        "",
        "| step | what it does |",
        "|---|---|",
        *(f"| [`{name}`](#{name}) | {_summary(step)} |" for name, step in STEP_TYPES.items()),
    ]
    for name, step in STEP_TYPES.items():
        lines += _section(name, step)
    return "\n".join(lines) + "\n"


def _summary(step: type[Step]) -> str:
    return _text(step).split(". ")[0].rstrip(".") + "."


def _text(step: type[Step]) -> str:
    return inspect.cleandoc(step.__doc__ or "").replace("\n", " ")


def _section(name: str, step: type[Step]) -> list[str]:
    lines = ["", f"## {name}", "", _text(step)]
    if settings_of(step):
        lines += ["", "| setting | kind | default | meaning |", "|---|---|---|---|"]
        lines += [_row(each) for each in settings_of(step)]
    if step.EXITS:
        lines += ["", "| exit | taken when |", "|---|---|"]
        lines += [f"| {_exit(each)} | {each.description} |" for each in step.EXITS]
    return [*lines, "", "```json", json.dumps(step.EXAMPLE, indent=2, ensure_ascii=False), "```"]


def _exit(each: Any) -> str:
    return f"`{each.name}`" if each.pattern is None else each.name


def _row(each: Setting) -> str:
    default = (
        "required" if each.required else "–" if each.default is None else f"`{json.dumps(each.default)}`"
    )
    return f"| `{each.name}` | {_kind(each.kind)} | {default} | {each.description} |"


def _kind(kind: Any) -> str:
    match kind:
        case Whole():
            return f"whole number, {kind.minimum} to {kind.maximum}"
        case Seconds():
            return f"seconds, {kind.minimum:g} to {kind.maximum:g}"
        case Many():
            return f"{_kind(kind.kind)}, or a list of them"
        case Table():
            return f"object of {_kind(kind.kind)}"
        case Object():
            return f"object with {', '.join(f'`{each.name}`' for each in settings_of(kind.type))}"
        case Plain() | Templated():
            return _KINDS[type(kind).__name__]
        case _ if hasattr(kind, "words"):
            return ", ".join(f"`{word}`" for word in kind.words)
        case _:
            return _KINDS[type(kind).__name__]
