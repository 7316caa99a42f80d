"""Texts of RapidPro and goflow: expressions behind an ``@``, as far as they are variables.

https://docs.nyaruka.com/goflow/en-us/: ``@results.age``, ``@(upper(contact.name))``, and ``@@`` for the sign.
"""

import re
from dataclasses import dataclass

from outdial.flow.importing.drawing import LONGEST_TEXT, Drawing, variable_name
from outdial.flow.templates import check

_EXPRESSION = re.compile(
    r"@@|@\((?P<inner>(?:[^()\"]|\"[^\"]*\"|\((?:[^()\"]|\"[^\"]*\"|\([^()]*\))*\))*)\)"
    r"|@(?P<path>(?:contact|fields|results|urns|input|webhook|globals|run|parent|child|node|resume|trigger"
    r"|legacy_extra)(?:\.[A-Za-z0-9_]+)*)"
)
_PATH = re.compile(r"[a-z_]+(?:\.[A-Za-z0-9_]+)*")
_CALL = re.compile(
    r"(?P<name>[a-z_]+)\((?P<path>[a-z_]+(?:\.[A-Za-z0-9_]+)*)(?:,\s*\"(?P<usual>[^\"']*)\")?\)"
)
_FILTERS = {"upper": "upcase", "lower": "downcase", "trim": "strip", "url_encode": "url_encode"}
_FIXED = {
    "contact": "name",
    "contact.name": "name",
    "contact.first_name": "name",
    "contact.language": "language",
    "contact.urn": "to",
    "contact.id": "customid",
    "urns.tel": "to",
    "contact.tel": "to",
}
_GIVEN = ("fields.", "contact.fields.", "globals.", "trigger.params.", "legacy_extra.")


@dataclass(slots=True)
class Expressions:
    """Translates texts, noting what is not known here."""

    drawing: Drawing
    last_input: str = "input"
    """The variable of what the callee entered last."""

    def translate(self, node: str, text: object) -> str:
        """A text as a prompt or setting may have it."""
        given = text[:LONGEST_TEXT] if isinstance(text, str) else ""
        made = _EXPRESSION.sub(lambda found: self._value(node, found), given)
        problem = check(made)
        if problem is not None:
            self.drawing.lost(node, f"a text looks like Liquid here: {problem}")
            return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", made, flags=re.DOTALL)
        return made

    def variable(self, node: str, operand: object) -> str | None:
        """The variable that an operand is; None, and noted, if it is more than that."""
        text = operand.strip()[:LONGEST_TEXT] if isinstance(operand, str) else ""
        found = _EXPRESSION.fullmatch(text)
        path = found and (found["path"] or found["inner"])
        call = path and _CALL.fullmatch(path.strip())
        if call and call["name"] == "default":
            path = call["path"]
        name = self._name(path.strip()) if path else None
        if name is None:
            self.drawing.lost(node, f"the expression {text[:100]!r} is not worked out here")
        return name

    def _value(self, node: str, found: re.Match[str]) -> str:
        if found[0] == "@@":
            return "@"
        path = (found["path"] or found["inner"] or "").strip()
        name = self._name(path)
        if name is not None:
            return f"{{{{{name}}}}}"
        call = _CALL.fullmatch(path)
        inner = call and self._name(call["path"])
        if call and inner and call["usual"] is not None and call["name"] == "default":
            return f'{{{{{inner}|default:"{call["usual"]}"}}}}'
        if call and inner and call["usual"] is None and call["name"] in _FILTERS:
            return f"{{{{{inner}|{_FILTERS[call['name']]}}}}}"
        self.drawing.lost(node, f"the expression {found[0][:100]!r} is not worked out here and left out")
        return ""

    def _name(self, path: str) -> str | None:
        if not _PATH.fullmatch(path):
            return None
        if path in _FIXED:
            if _FIXED[path] == "name":
                self.drawing.given["name"] = None
            return _FIXED[path]
        if path in ("input", "input.text", "input.value"):
            return self.last_input
        if path == "webhook" or path.startswith("webhook."):
            return path.replace("webhook.json", "webhook")
        for prefix in _GIVEN:
            if path.startswith(prefix):
                name = variable_name(path.removeprefix(prefix).split(".")[0])
                self.drawing.given[name] = None
                return name
        parts = path.split(".")
        if parts[0] in ("results", "run") and len(parts) > 1:
            parts = parts[2:] if parts[:2] == ["run", "results"] else parts[1:]
            if len(parts) == 1 or (len(parts) == 2 and parts[1] in ("value", "input")):
                return variable_name(parts[0])
        return None
