"""Twilio Studio: https://www.twilio.com/docs/studio/widget-library, the JSON that Studio shows and takes.

A widget becomes a node of the same name, with its transitions as exits. What has no like here becomes a node
that tags the call and goes on, with a note.
"""

from collections.abc import Callable, Mapping
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow.importing.drawing import (
    Drawing,
    Exits,
    Imported,
    check_size,
    member,
    node_name,
    objects,
)
from outdial.flow.importing.studio_split import Split
from outdial.flow.importing.studio_text import StudioText
from outdial.flow.importing.studio_widgets import Widgets, position_of

_TRIGGERS = ("incomingRequest", "incomingCall", "incomingParent")
"""In the order in which they are an outgoing call's beginning."""
_ONWARD = (
    "next",
    "success",
    "sent",
    "completed",
    "audioComplete",
    "callComplete",
    "callCompleted",
    "answered",
)
"""By which transition it goes on from what cannot be done, the first that leads somewhere."""
_INSTEAD = {
    "enqueue-call": "there are no queues here: make it a `connect` to the numbers of your agents",
    "send-to-flex": "there is no Flex here: make it a `connect` to the numbers of your agents",
    "run-subflow": "it goes on in another flow: import that one, and make this a `jump` to it",
    "send-message": "no messages are sent from here: an `http_request` to who sends yours does",
    "send-and-wait-for-reply": "no messages are sent from here",
    "add-twiml-redirect": "there is no TwiML here",
    "fork-stream": "audio is not streamed elsewhere",
    "capture-payments": "card numbers are not taken here",
}


def from_twilio(exported: object, which: str | None = None) -> Imported:
    """Read the definition of a flow. Raises InvalidInput if it is none."""
    states = list(objects(member(exported, "states", list)))
    if not isinstance(exported, Mapping) or not states or "initial_state" not in exported:
        raise InvalidInput(
            "This is no Studio flow: its JSON has `states` and `initial_state` (Studio shows it at Flow"
            " Configuration, Show Flow JSON)."
        )
    check_size(len(states))
    return _Reader(exported, states).read()


class _Reader:
    def __init__(self, exported: Mapping[str, Any], states: list[Mapping[str, Any]]) -> None:
        self.drawing = Drawing()
        self.text = StudioText(self.drawing)
        self._exported = exported
        self._states = {node_name(state.get("name")): state for state in states}
        self.drawing.reserved = frozenset(self._states)
        self.text.kinds = {name: str(state.get("type")) for name, state in self._states.items()}
        self._widgets = Widgets(self.drawing, self.text)
        self._draw: Mapping[str, Callable[[str, Mapping[str, Any], Exits], None]] = {
            "say-play": self._widgets.say_play,
            "gather-input-on-call": self._widgets.gather,
            "split-based-on": self._split,
            "connect-call-to": self._widgets.connect,
            "record-voicemail": self._widgets.record,
            "make-http-request": self._widgets.request,
            "run-function": self._widgets.function,
            "set-variables": self._widgets.set,
        }

    def read(self) -> Imported:
        entry = self._entry()
        for name, state in self._states.items():
            kind = str(state.get("type"))
            properties, onward = member(state, "properties", dict), self._onward(state)
            if kind == "trigger":
                continue
            if kind.startswith("make-outgoing-call"):
                self._outgoing(name, properties, onward)
            elif kind in self._draw:
                self._draw[kind](name, properties, onward)
            else:
                reason = _INSTEAD.get(kind, f"a widget of the type {kind[:40]} is not known here")
                following = next((onward[each] for each in _ONWARD if onward.get(each)), None)
                self.drawing.add_missing(name, reason, following, position=position_of(properties))
        if entry is None:
            entry = self.drawing.free_name("bye")
            self.drawing.add(entry, "hang_up", {}, {})
            self.drawing.lost(None, "no widget follows the trigger of calls")
        name = str(self._exported.get("friendly_name") or self._exported.get("description") or "")
        return self.drawing.finish(name, entry, self._widgets.languages or ["en"])

    def _entry(self) -> str | None:
        initial = self._states.get(str(self._exported.get("initial_state")))
        if initial is None or initial.get("type") != "trigger":
            raise InvalidInput("The flow's initial_state is no trigger.")
        onward = self._onward(initial)
        wired = [each for each in _TRIGGERS if onward.get(each)]
        for other in wired[1:]:
            if onward[other] != onward[wired[0]]:
                self.drawing.lost(None, f"what follows {other} is not where calls begin: {wired[0]} is")
        if onward.get("incomingMessage"):
            self.drawing.lost(None, "what follows an incoming message is no part of a call")
        return onward[wired[0]] if wired else None

    def _onward(self, state: Mapping[str, Any]) -> Exits:
        """Where each transition leads; what is placed by Outdial itself is passed over."""
        return {
            str(each.get("event")): self._target(each.get("next"))
            for each in objects(state.get("transitions"))
            if each.get("event") != "match"
        }

    def _target(self, name: object) -> str | None:
        """The node that a transition leads to. Widgets that place the call lead to what follows an answer."""
        seen: set[str] = set()
        while isinstance(name, str) and name and name not in seen:
            seen.add(name)
            state = self._states.get(node_name(name))
            if state is None:
                raise InvalidInput(f"A transition leads to {name[:100]!r}, which is not there.")
            if not str(state.get("type")).startswith("make-outgoing-call"):
                return node_name(name)
            following = [
                each for each in objects(state.get("transitions")) if each.get("event") == "answered"
            ]
            name = following[0].get("next") if following else None
        return None

    def _outgoing(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        self.drawing.changed(
            name, "Outdial itself has placed the call: the flow begins with what follows the answer"
        )
        for event in ("busy", "noAnswer", "failed"):
            if onward.get(event):
                self.drawing.lost(
                    name, f"what follows {event} is not done: retries are asked for with a call"
                )
        if properties.get("detect_answering_machine"):
            self.drawing.lost(name, "answering machines are not detected")

    def _split(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        source = self.text.translate(name, properties.get("input")).strip()
        matches = [
            (list(objects(each.get("conditions"))), self._target(each.get("next")))
            for each in objects(self._states[name].get("transitions"))
            if each.get("event") == "match"
        ]
        Split(self.drawing, self.text, name, position_of(properties)).draw(
            source, matches, onward.get("noMatch")
        )
