"""Write docs/reference/flow-steps.md from what the step types declare."""

import json
from typing import Any

from outdial.flow.catalogue import description, kind_words, summary
from outdial.flow.conditions import OPERATOR_MEANINGS
from outdial.flow.declarations import Declaration
from outdial.flow.definition import HEAD
from outdial.flow.settings import Setting, settings_of
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES


def steps() -> str:
    """Every step type with its settings, its exits and an example."""
    lines = [
        "# Steps of flows",
        "",
        "Generated from the code by `make docs`; do not edit.",
        "",
        'A node is `{"type": …, "settings": {…}, "exits": {name: node or null}}`. An exit that leads nowhere'
        " ends the flow with the result `completed`. How flows are written, tested and called says"
        " [the guide](../guides/flows.md); `outdial flow schema` prints all of this as JSON Schema."
        " Behind the steps stand the members of [a flow](#the-flow), its [variables](#variables) and"
        " [conditions](#conditions).",
        "",
        "| step | what it does |",
        "|---|---|",
        *(f"| [`{name}`](#{name}) | {summary(step)} |" for name, step in STEP_TYPES.items()),
    ]
    for name, step in STEP_TYPES.items():
        lines += _section(name, step)
    lines += [
        *("", "## The flow", "", "Beside its `nodes`, a flow has:", ""),
        *_table(HEAD),
        *("", "## Variables", "", "A declaration of a variable, by its name:", ""),
        *_table(Declaration),
        *("", "## Conditions", ""),
        'A comparison is `{"variable": "amount", "is": "more_than", "value": 100}`. The value may be a text'
        ' with variables. Comparisons are joined by `all`, `any` and `not`: `{"any": [condition, …]}`,'
        ' `{"not": condition}`.',
        *("", "| `is` | holds when |", "|---|---|"),
        *(f"| `{name}` | {meaning} |" for name, meaning in OPERATOR_MEANINGS.items()),
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, step: type[Step]) -> list[str]:
    lines = ["", f"## {name}", "", description(step)]
    if settings_of(step):
        lines += ["", *_table(step)]
    if step.EXITS:
        lines += ["", "| exit | taken when |", "|---|---|"]
        lines += [f"| {_exit(each)} | {each.description} |" for each in step.EXITS]
    return [*lines, "", "```json", json.dumps(step.EXAMPLE, indent=2, ensure_ascii=False), "```"]


def _table(type_: type) -> list[str]:
    head = ["| setting | kind | default | meaning |", "|---|---|---|---|"]
    return [*head, *(_row(each) for each in settings_of(type_))]


def _exit(each: Any) -> str:
    return f"`{each.name}`" if each.pattern is None else each.name


def _row(each: Setting) -> str:
    default = (
        "required" if each.required else "–" if each.default is None else f"`{json.dumps(each.default)}`"
    )
    return f"| `{each.name}` | {kind_words(each.kind)} | {default} | {each.description} |"
