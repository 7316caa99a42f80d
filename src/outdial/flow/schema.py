"""The format of definitions as JSON Schema, put together from what the step types declare."""

from outdial.flow.catalogue import definitions, description, summary
from outdial.flow.definition import HEAD, MAX_NODES, SCHEMA_MEMBER
from outdial.flow.kinds import Schema
from outdial.flow.settings import object_schema
from outdial.flow.step import Exit, Step
from outdial.flow.steps import STEP_TYPES

_SETTINGS = "How it does it; what is left out is as usual."
_EXITS = "For each way out the next node; null ends the flow."


def flow_schema() -> Schema:
    """JSON Schema (2020-12) of a definition.

    It refuses nothing that ``parse_flow`` takes; that exits lead to nodes that exist, and that Liquid can be
    read, only ``parse_flow`` knows.
    """
    head = object_schema(HEAD)
    nodes = {
        "type": "object",
        "description": "The nodes, by name.",
        "minProperties": 1,
        "maxProperties": MAX_NODES,
        "additionalProperties": {"$ref": "#/$defs/node"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Outdial flow",
        **head,
        "properties": {
            SCHEMA_MEMBER: {"type": "string", "description": "Where this schema is, for editors."},
            **head["properties"],
            "nodes": nodes,
        },
        "required": [*head["required"], "nodes"],
        "$defs": {
            **definitions(),
            "node": _node(),
        },
    }


def _node() -> Schema:
    """A node: what every node has, and what follows from its type.

    The type decides by ``if``, not by one of many alternatives, so that an editor completes the settings of
    this type and names what is wrong with them.
    """
    return {
        "type": "object",
        "properties": {
            "type": {
                "description": "What the node does.",
                "enum": list(STEP_TYPES),
                # of the schemas of editors, which show it beside each word
                "enumDescriptions": [summary(step) for step in STEP_TYPES.values()],
            },
            "settings": {"type": "object", "description": _SETTINGS},
            "exits": {"type": "object", "description": _EXITS},
            "label": {"type": "string", "description": "What people call it."},
            "position": {
                "type": ["object", "null"],
                "description": "Where it stands in a drawing.",
                "properties": {
                    axis: {"type": "number", "description": f"The place on the {axis} axis."} for axis in "xy"
                },
                "required": ["x", "y"],
                "additionalProperties": False,
            },
        },
        "required": ["type"],
        "additionalProperties": False,
        "allOf": [_of_type(name, step) for name, step in STEP_TYPES.items()],
    }


def _of_type(name: str, step: type[Step]) -> Schema:
    settings = {"description": _SETTINGS, **object_schema(step)}
    exits: Schema = {
        "type": "object",
        "description": _EXITS,
        "properties": {each.name: _target(each) for each in step.EXITS if each.pattern is None},
        "patternProperties": {
            f"^(?:{each.pattern})$": _target(each) for each in step.EXITS if each.pattern is not None
        },
        "additionalProperties": False,
    }
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {
            "title": name,
            "description": description(step),
            "examples": [dict(step.EXAMPLE)],
            "properties": {"settings": settings, "exits": exits},
            **({"required": ["settings"]} if settings.get("required") else {}),
        },
    }


def _target(each: Exit) -> Schema:
    return {"type": ["string", "null"], "description": f"The next node when: {each.description}"}
