"""One text for one definition, so that version control shows what changed and nothing else."""

import json
from typing import Any


def text_form(definition: Any) -> str:
    """Canonical JSON: members sorted, indented by two, numbers in one form, a newline at the end."""
    return json.dumps(_one_form(definition), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _one_form(value: Any) -> Any:
    match value:
        case dict():
            return {name: _one_form(each) for name, each in value.items()}
        case list():
            return [_one_form(each) for each in value]
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case _:
            return value
