"""The format of definitions as JSON Schema, put together from what the step types declare."""

from outdial.flow.conditions import condition_schema
from outdial.flow.definition import HEAD, MAX_NODES
from outdial.flow.kinds import Schema
from outdial.flow.prompt_kind import prompt_schema
from outdial.flow.settings import object_schema
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES


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
        "properties": {**head["properties"], "nodes": nodes},
        "required": [*head["required"], "nodes"],
        "$defs": {
            "prompt": prompt_schema(),
            "condition": condition_schema(),
            "node": {"oneOf": [_node(name, step) for name, step in STEP_TYPES.items()]},
        },
    }


def _node(name: str, step: type[Step]) -> Schema:
    settings = object_schema(step)
    target = {"type": ["string", "null"]}
    exits: Schema = {
        "type": "object",
        "properties": {each.name: target for each in step.EXITS if each.pattern is None},
        "patternProperties": {
            f"^(?:{each.pattern})$": target for each in step.EXITS if each.pattern is not None
        },
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "title": name,
        "properties": {
            "type": {"const": name},
            "settings": settings,
            "exits": exits,
            "label": {"type": "string", "description": "What people call it."},
            "position": {
                "type": ["object", "null"],
                "description": "Where it stands in a drawing.",
                "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                "required": ["x", "y"],
                "additionalProperties": False,
            },
        },
        "required": ["type", "settings"] if settings.get("required") else ["type"],
        "additionalProperties": False,
    }
