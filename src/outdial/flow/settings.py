"""How a step type declares its settings: as the fields of its dataclass.

::

    seconds: int = setting(Seconds(0.1, 600), "How long to wait.")

What is declared here is read from definitions, published as JSON Schema and written into the reference.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.kinds import Kind, Schema, meant, shown
from outdial.flow.problem import Place

_KEY = "setting"


class _Required:
    """Stands where a default would."""


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a step type."""

    name: str
    kind: Kind
    description: str
    default: Any
    """As JSON; REQUIRED without one. None stands for "not set"."""

    @property
    def required(self) -> bool:
        """Whether a node has to say it."""
        return self.default is REQUIRED

    def read(self, value: object, place: Place) -> Any:
        """The value as the step uses it."""
        return None if value is None and self.default is None else self.kind.read(value, place)

    def schema(self) -> Schema:
        """JSON Schema of it."""
        schema = {**self.kind.schema(), "description": self.description}
        return schema if self.default is None or self.required else {**schema, "default": self.default}


def setting(kind: Kind, description: str, default: Any = REQUIRED) -> Any:
    """A field of a step's dataclass, or of an object within a setting."""
    return dataclasses.field(metadata={_KEY: (kind, description, default)})


def settings_of(type_: type) -> tuple[Setting, ...]:
    """The settings that a dataclass declares, in order."""
    return tuple(
        Setting(field.name.rstrip("_"), *field.metadata[_KEY])
        for field in dataclasses.fields(type_)
        if _KEY in field.metadata
    )


def read_settings(type_: type, values: Mapping[str, object], place: Place) -> dict[str, Any]:
    """The arguments for ``type_`` out of an object of JSON, noting every problem."""
    declared = {each.name: each for each in settings_of(type_)}
    for name in values:
        if name not in declared:
            known = f"it may have {', '.join(declared)}" if declared else "there are none here"
            place.member(str(name)).note(f"is unknown; {known}{meant(name, declared)}")
    read = {}
    for name, each in declared.items():
        inner = place.member(name)
        if name not in values and each.required:
            inner.note("is missing")
        value = values.get(name, None if each.required else each.default)
        if name not in values and each.required:
            value = None
            read[name] = each.kind.read(value, Place([]))
        else:
            read[name] = each.read(value, inner)
    fields = {field.name.rstrip("_"): field.name for field in dataclasses.fields(type_)}
    return {fields[name]: value for name, value in read.items()}


def object_schema(type_: type) -> Schema:
    """JSON Schema of the object that :func:`read_settings` reads."""
    declared = settings_of(type_)
    required = [each.name for each in declared if each.required]
    return {
        "type": "object",
        "properties": {each.name: each.schema() for each in declared},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


class Object:
    """A setting that is an object with settings of its own, declared by a dataclass."""

    def __init__(self, type_: type) -> None:
        self.type = type_

    def read(self, value: object, place: Place) -> Any:
        """An instance of the dataclass."""
        if not isinstance(value, Mapping):
            names = ", ".join(each.name for each in settings_of(self.type))
            place.note(f"must be an object with {names}, not {shown(value)}")
            value = {}
            place = Place([])
        return self.type(**read_settings(self.type, value, place))

    def schema(self) -> Schema:
        """An object."""
        return object_schema(self.type)
