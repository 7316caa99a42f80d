"""Write docs/reference/flow-steps.md from what the step types declare."""

import json
from typing import Any

from outdial.flow.catalogue import description, kind_words, summary
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
        " [the guide](../guides/flows.md); `outdial flow schema` prints all of this as JSON Schema.",
        "",
        "| step | what it does |",
        "|---|---|",
        *(f"| [`{name}`](#{name}) | {summary(step)} |" for name, step in STEP_TYPES.items()),
    ]
    for name, step in STEP_TYPES.items():
        lines += _section(name, step)
    return "\n".join(lines) + "\n"


def _section(name: str, step: type[Step]) -> list[str]:
    lines = ["", f"## {name}", "", description(step)]
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
    return f"| `{each.name}` | {kind_words(each.kind)} | {default} | {each.description} |"
