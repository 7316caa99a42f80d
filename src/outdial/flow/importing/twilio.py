"""Twilio Studio: https://www.twilio.com/docs/studio/widget-library, the JSON that Studio shows and takes.

A widget becomes a node of the same name, with its transitions as exits. What has no like here becomes a node
that tags the call and goes on, with a note.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow.importing.drawing import (
    Drawing,
    Imported,
    check_size,
    clamped,
    keys_of,
    member,
    node_name,
    objects,
    variable_name,
)
from outdial.flow.importing.studio_split import Split
from outdial.flow.importing.studio_text import StudioText
from outdial.flow.prompt_kind import LANGUAGE

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
        self._languages: list[str] = []
        self._draw: Mapping[str, Callable[[str, Mapping[str, Any], dict[str, str | None]], None]] = {
            "say-play": self._say_play,
            "gather-input-on-call": self._gather,
            "split-based-on": self._split,
            "connect-call-to": self._connect,
            "record-voicemail": self._record,
            "make-http-request": self._request,
            "run-function": self._function,
            "set-variables": self._set,
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
                self.drawing.add_missing(name, reason, following, position=_position(properties))
        if entry is None:
            entry = self.drawing.free_name("bye")
            self.drawing.add(entry, "hang_up", {}, {})
            self.drawing.lost(None, "no widget follows the trigger of calls")
        name = str(self._exported.get("friendly_name") or self._exported.get("description") or "")
        return self.drawing.finish(name, entry, self._languages or ["en"])

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

    def _onward(self, state: Mapping[str, Any]) -> dict[str, str | None]:
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

    def _outgoing(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
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

    def _prompt(self, name: str, properties: Mapping[str, Any]) -> list[Any]:
        if properties.get("digits"):
            self.drawing.lost(name, "tones are not played")
        voice = str(properties.get("voice") or "")
        if voice:
            self.drawing.changed(name, f"the voice {voice[:40]} is the usual one of the language here")
        if properties.get("play"):
            return [{"url": self.text.translate(name, properties["play"])}]
        text = re.sub(r"<[^>]{0,200}>", " ", self.text.translate(name, properties.get("say"))).strip()
        if text != self.text.translate(name, properties.get("say")).strip():
            self.drawing.lost(name, "the marks of SSML in its text are left out")
        language = str(properties.get("language") or "")
        if not re.fullmatch(LANGUAGE, language):
            return [text] if text else []
        if language not in self._languages:
            self._languages.append(language)
        usual = language == self._languages[0]
        return [text if usual else {"text": text, "language": language}] if text else []

    def _times(self, name: str, properties: Mapping[str, Any]) -> int:
        loop = int(clamped(properties.get("loop"), 0, 10, 1))
        if loop == 0:
            self.drawing.changed(name, "it was said for ever, and is said 10 times here")
        return loop or 10

    def _say_play(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        prompt, times = self._prompt(name, properties), self._times(name, properties)
        settings: dict[str, Any] = {"prompt": _single(prompt) or {"pause": 0.1}}
        if times > 1:
            settings["times"] = times
        self.drawing.add(
            name, "play", settings, {"next": onward.get("audioComplete")}, position=_position(properties)
        )

    def _gather(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        count = int(clamped(properties.get("number_of_digits"), 0, 64, 0))
        wait = clamped(properties.get("timeout"), 1, 60, 5)
        settings: dict[str, Any] = {
            "variable": variable_name(name),
            "min": 1,
            "max": count or 64,
            "terminator": keys_of(properties.get("finish_on_key"), "", 2),
            "first_timeout": wait,
            "digit_timeout": min(wait, 30),
            "repeats": 0,
            "barge_in": properties.get("stop_gather", True) is not False,
        }
        prompt = self._prompt(name, properties) * self._times(name, properties)
        if prompt:
            settings = {"prompt": _single(prompt), **settings}
        if onward.get("speech"):
            self.drawing.lost(name, "what the callee says is not understood: only keys are taken")
        exits = {
            "next": onward.get("keypress"),
            "invalid": onward.get("timeout"),
            "timeout": onward.get("timeout"),
        }
        self.drawing.add(name, "input", settings, exits, position=_position(properties))

    def _split(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        source = self.text.translate(name, properties.get("input")).strip()
        matches = [
            (list(objects(each.get("conditions"))), self._target(each.get("next")))
            for each in objects(self._states[name].get("transitions"))
            if each.get("event") == "match"
        ]
        Split(self.drawing, self.text, name, _position(properties)).draw(
            source, matches, onward.get("noMatch")
        )

    def _connect(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        noun, to = str(properties.get("noun") or "number"), self.text.translate(name, properties.get("to"))
        following = onward.get("callCompleted")
        position = _position(properties)
        if noun == "conference":
            exits = {"left": following, "failed": following}
            self.drawing.add(name, "conference", {"room": to or name}, exits, position=position)
            return
        if noun not in ("number", "number-multi") or not to.strip():
            what = f"a connection to {noun[:20]!r} is not made here: only to numbers"
            self.drawing.add_missing(name, what, following, position=position)
            return
        numbers = [each.strip().lstrip("+") for each in to.split(",") if each.strip()][:20]
        settings: dict[str, Any] = {
            "to": numbers,
            "ring_seconds": int(clamped(properties.get("timeout"), 5, 120, 30)),
            "variable": variable_name(name),
        }
        if len(numbers) > 1:
            settings["strategy"] = "parallel"
        if properties.get("record") in (True, "true"):
            settings["record"] = True
        caller = self.text.translate(name, properties.get("caller_id")).strip()
        if caller:
            settings["caller_id"] = caller.lstrip("+")
        if onward.get("hangup"):
            self.drawing.lost(
                name, "what follows when the callee hangs up is not done: the flow is over then"
            )
        exits = dict.fromkeys(("answered", "busy", "no_answer", "failed"), following)
        self.drawing.add(name, "connect", settings, exits, position=position)

    def _record(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        settings = {
            "variable": variable_name(name),
            "beep": properties.get("play_beep", "true") in (True, "true"),
            "max_seconds": int(clamped(properties.get("max_length"), 1, 3600, 3600)),
            "silence_seconds": int(clamped(properties.get("timeout"), 0, 60, 5)),
            "stop_keys": keys_of(properties.get("finish_on_key"), "0123456789*#", 16),
        }
        if properties.get("transcribe") in (True, "true"):
            self.drawing.lost(name, "what is recorded is not written down")
        for callback in ("recording_status_callback_url", "transcription_callback_url"):
            if properties.get(callback):
                self.drawing.lost(name, f"{callback} is not told: the webhook of the call has the recording")
        if onward.get("hangup"):
            self.drawing.lost(
                name, "what follows when the callee hangs up is not done: the flow is over then"
            )
        exits: dict[str, str | None] = {
            "next": onward.get("recordingComplete"),
            "empty": onward.get("noAudio"),
        }
        self.drawing.add(name, "record", settings, exits, position=_position(properties))

    def _request(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        method = str(properties.get("method") or "GET").upper()
        fields = {
            str(each.get("key")): self.text.translate(name, str(each.get("value", "")))
            for each in objects(properties.get("parameters"))
        }
        settings: dict[str, Any] = {
            "method": method if method in ("GET", "POST", "PUT", "PATCH", "DELETE") else "POST",
            "url": self.text.translate(name, properties.get("url")),
            "timeout": 10,
            "save": {variable_name(name): "$"},
            "status_variable": f"{variable_name(name)}_status",
        }
        body = self.text.translate(name, properties.get("body"))
        if fields and method == "GET":
            query = "&".join(f"{key}={_quoted(value)}" for key, value in fields.items())
            settings["url"] += ("&" if "?" in settings["url"] else "?") + query
        elif fields:
            settings["form"] = fields
        elif body.strip() and method != "GET":
            settings["body"] = body
            kind = str(properties.get("content_type") or "application/json")
            settings["headers"] = {"Content-Type": kind.replace(";charset", "; charset")[:200]}
        if properties.get("add_twilio_auth"):
            self.drawing.lost(name, "the request has no credentials of Twilio")
        exits = {
            "ok": onward.get("success"),
            "failed": onward.get("failed") if "failed" in onward else onward.get("fail"),
        }
        self.drawing.add(name, "http_request", settings, exits, position=_position(properties))

    def _function(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        if not str(properties.get("url") or "").strip():
            following = onward.get("success")
            what = "it runs a function of Twilio, whose address the flow does not say"
            self.drawing.add_missing(name, what, following, position=_position(properties))
            return
        self.drawing.changed(
            name, "a function is asked as any server is, without Twilio's signature: protected ones refuse"
        )
        self._request(name, {**properties, "method": "POST"}, onward)

    def _set(self, name: str, properties: Mapping[str, Any], onward: dict[str, str | None]) -> None:
        values = {
            variable_name(str(each.get("key"))): self.text.translate(name, str(each.get("value", "")))
            for each in objects(properties.get("variables"))
        }
        exits = {"next": onward.get("next")}
        position = _position(properties)
        if values:
            self.drawing.add(name, "set_variable", {"values": values}, exits, position=position)
        else:
            self.drawing.add_missing(name, "it sets no variable", exits["next"], position=position)


def _quoted(value: str) -> str:
    """A value within a query: its variables are encoded when they are known."""
    return re.sub(r"\{\{\s*(.*?)\s*\}\}", r"{{\1|url_encode}}", value)


def _single(prompt: list[Any]) -> Any:
    return prompt[0] if len(prompt) == 1 else prompt[:50]


def _position(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    offset = member(properties, "offset", dict)
    place = {axis: offset.get(axis) for axis in ("x", "y")}
    return place if all(type(each) in (int, float) for each in place.values()) else None
