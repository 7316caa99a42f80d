"""Actions and events as the case files have them: ``{"play": {"play_id": "…", "prompt": [{"text": …}]}}``."""

import dataclasses
import re
from typing import Any

from outdial.flow import events


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def to_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {each.name: to_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {snake_case(type(value).__name__): fields}
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    return value


EVENTS = {snake_case(kind.__name__): kind for kind in events.Event.__args__}


def event_of(when: dict[str, Any]) -> events.Event:
    [(name, fields)] = when.items()
    return EVENTS[name](**fields)
