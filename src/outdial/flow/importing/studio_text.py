"""Texts of Twilio Studio: its Liquid, with the names of variables as they are here."""

import re
from dataclasses import dataclass, field

from outdial.flow.importing.drawing import LONGEST_TEXT, Drawing, variable_name
from outdial.flow.templates import check

_PATH = re.compile(r"\b(?:widgets|flow|trigger|contact)(?:\.[A-Za-z0-9_-]+|\[[^\]]*\])+")
_FIXED = {
    "contact.channel.address": "to",
    "flow.channel.address": "from",
    "trigger.call.From": "to",
    "trigger.call.Caller": "to",
    "trigger.call.To": "from",
    "trigger.call.Called": "from",
    "trigger.call.CallSid": "id",
    "trigger.call.FromCountry": "caller.country",
    "trigger.request.to": "to",
    "trigger.request.from": "from",
}
_SET = "flow.variables."
_GIVEN = ("flow.data.", "trigger.request.parameters.", "trigger.parent.parameters.")
_OF_KIND = {
    "gather-input-on-call": {"Digits": ""},
    "record-voicemail": {"RecordingUrl": "", "RecordingSid": "", "RecordingDuration": "_seconds"},
    "make-http-request": {"status_code": "_status"},
    "run-function": {"status_code": "_status"},
    "connect-call-to": {"DialCallDuration": "_seconds"},
}
"""By the type of a widget: what it knows afterwards, as what stands behind the name of its variable."""


@dataclass(slots=True)
class StudioText:
    """Translates texts, noting what is not known here."""

    drawing: Drawing
    kinds: dict[str, str] = field(default_factory=dict)
    """The types of the widgets by name."""

    def translate(self, node: str, text: object) -> str:
        """A text as a prompt or setting may have it."""
        given = text[:LONGEST_TEXT] if isinstance(text, str) else ""
        made = _PATH.sub(lambda found: self._variable(node, found[0]), given)
        problem = check(made)
        if problem is not None:
            self.drawing.lost(node, f"a text holds Liquid that is not known here: {problem}")
            return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", made, flags=re.DOTALL)
        return made

    def variable_of(self, node: str, text: str) -> str | None:
        """The variable that a text is, and nothing else."""
        found = re.fullmatch(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\s*\}\}", text.strip())
        return found[1] if found else None

    def _variable(self, node: str, path: str) -> str:
        known = _FIXED.get(path)
        if known is not None:
            if path.startswith("trigger.call."):
                self.drawing.changed(node, f"{path} is {known} here: the callee is who was called")
            return known
        for prefix in (_SET, *_GIVEN):
            if path.startswith(prefix):
                names = [variable_name(each) for each in path.removeprefix(prefix).split(".")]
                if prefix != _SET:
                    self.drawing.given[names[0]] = None
                return ".".join(names)
        parts = path.split(".")
        if parts[0] == "widgets" and len(parts) > 2:
            base, rest = variable_name(parts[1]), ".".join(parts[2:])
            kind = self.kinds.get(parts[1], "")
            if rest in _OF_KIND.get(kind, {}):
                return base + _OF_KIND[kind][rest]
            if kind in ("make-http-request", "run-function") and parts[2] == "parsed":
                return ".".join([base, *parts[3:]])
            if kind == "set-variables":
                return variable_name(parts[-1])
        self.drawing.lost(node, f"the variable {path[:100]} is not known here and is empty")
        return "_".join(variable_name(each) for each in parts)
