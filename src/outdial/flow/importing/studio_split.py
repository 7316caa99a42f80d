"""The widget of Twilio Studio that splits by conditions: a `switch` where all of them compare one text with
values, else a chain of `branch`es.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.importing.drawing import Drawing, branches, variable_name
from outdial.flow.importing.studio_text import StudioText

Match = tuple[list[Mapping[str, Any]], str | None]
"""The conditions of one way out, and the node that it leads to."""

_OPPOSITE = {
    "does_not_match_any_of": "matches_any_of",
    "does_not_contain": "contains",
    "does_not_start_with": "starts_with",
}


@dataclass(frozen=True, slots=True)
class Split:
    """One such widget."""

    drawing: Drawing
    text: StudioText
    name: str
    position: dict[str, Any] | None

    def draw(self, source: str, matches: list[Match], otherwise: str | None) -> None:
        """Add the nodes that do what it did with `source`, a template; no match leads to `otherwise`."""
        exits = _as_switch(matches)
        if exits is not None and source:
            exits.pop("default", None)
            self._add("switch", {"value": source}, {**exits, "default": otherwise})
            return
        at = self.name
        variable = self.text.variable_of(self.name, source)
        if variable is None:
            variable = f"{variable_name(self.name)}_input"
            at = self.drawing.free_name(f"{self.name[:90]}_test")
            self._add("set_variable", {"values": {variable: source}}, {"next": at})
        tests = []
        for conditions, target in matches:
            made = [test for each in conditions if (test := self._condition(variable, each)) is not None]
            if made and len(made) == len(conditions):
                tests.append((made[0] if len(made) == 1 else {"all": made[:20]}, target))
        if tests:
            branches(self.drawing, at, tests, otherwise, position=self.position)
        else:
            tags = {"tags": [self.name]}
            self.drawing.add(at, "tag", tags, {"next": otherwise}, position=self.position)

    def _add(self, kind: str, settings: dict[str, Any], exits: dict[str, str | None]) -> None:
        self.drawing.add(self.name, kind, settings, exits, position=self.position)

    def _condition(self, variable: str, condition: Mapping[str, Any]) -> dict[str, Any] | None:
        """One condition as a test of `variable`; None, with a note, for one that is not known here."""
        kind = str(condition.get("type"))
        value = self.text.translate(self.name, str(condition.get("value", "")))
        listed = [each.strip() for each in value.split(",") if each.strip()][:100]
        made: dict[str, dict[str, Any]] = {
            "equal_to": {"is": "equal", "value": value},
            "not_equal_to": {"is": "not_equal", "value": value},
            "matches_any_of": {"is": "one_of", "value": listed},
            "contains": {"is": "contains", "value": value},
            "starts_with": {"is": "starts_with", "value": value},
            "less_than": {"is": "less_than", "value": value},
            "greater_than": {"is": "more_than", "value": value},
            "is_before_date": {"is": "less_than", "value": value},
            "is_after_date": {"is": "more_than", "value": value},
            "is_before_time": {"is": "less_than", "value": value},
            "is_after_time": {"is": "more_than", "value": value},
            "is_blank": {"is": "not_set"},
            "is_not_blank": {"is": "set"},
        }
        if kind in _OPPOSITE:
            return {"not": {"variable": variable, **made[_OPPOSITE[kind]]}}
        if kind not in made:
            what = f"the condition {kind[:40]} {value[:60]!r} is not known here and left out"
            self.drawing.lost(self.name, what)
            return None
        if kind.startswith("is_") and kind.endswith("_time"):
            meant = "times are compared as texts here: a `date_time` step may be meant"
            self.drawing.changed(self.name, meant)
        return {"variable": variable, **made[kind]}


def _as_switch(matches: list[Match]) -> dict[str, str | None] | None:
    """The exits of a switch, if all conditions only compare with values."""
    exits: dict[str, str | None] = {}
    taken: set[str] = set()
    for conditions, target in matches:
        if len(conditions) != 1 or conditions[0].get("type") not in ("equal_to", "matches_any_of"):
            return None
        value = str(conditions[0].get("value", ""))
        several = conditions[0]["type"] == "matches_any_of"
        for each in value.split(",") if several else [value]:
            name = each.strip()
            if not 1 <= len(name) <= 100 or "{" in name or name.lower() == "default" or "\n" in name:
                return None
            if name.lower() not in taken:
                taken.add(name.lower())
                exits[name] = target
    return exits or None
