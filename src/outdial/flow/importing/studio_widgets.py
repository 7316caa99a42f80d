"""Widgets of Twilio Studio that have a like here, each as one node of its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outdial.flow.importing.drawing import (
    Drawing,
    Exits,
    clamped,
    keys_of,
    member,
    objects,
    variable_name,
)
from outdial.flow.importing.studio_text import StudioText
from outdial.flow.prompt_kind import LANGUAGE


@dataclass(frozen=True, slots=True)
class Widgets:
    """Draws widgets: of each its name, its properties, and where its transitions lead."""

    drawing: Drawing
    text: StudioText
    languages: list[str] = field(default_factory=list)
    """Those that prompts named, in the order in which they came."""

    def say_play(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """Something said or played, perhaps several times."""
        prompt, times = self._prompt(name, properties), self._times(name, properties)
        settings: dict[str, Any] = {"prompt": _single(prompt) or {"pause": 0.1}}
        if times > 1:
            settings["times"] = times
        self.drawing.add(
            name, "play", settings, {"next": onward.get("audioComplete")}, position=position_of(properties)
        )

    def gather(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """Keys that are asked for."""
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
        self.drawing.add(name, "input", settings, exits, position=position_of(properties))

    def connect(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """A call to somebody else, or a conference."""
        noun, to = str(properties.get("noun") or "number"), self.text.translate(name, properties.get("to"))
        following = onward.get("callCompleted")
        position = position_of(properties)
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
        self._ends_with_the_callee(name, onward)
        exits = dict.fromkeys(("answered", "busy", "no_answer", "failed"), following)
        self.drawing.add(name, "connect", settings, exits, position=position)

    def record(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """A message."""
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
        self._ends_with_the_callee(name, onward)
        exits: Exits = {
            "next": onward.get("recordingComplete"),
            "empty": onward.get("noAudio"),
        }
        self.drawing.add(name, "record", settings, exits, position=position_of(properties))

    def request(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """A request to a server."""
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
        self.drawing.add(name, "http_request", settings, exits, position=position_of(properties))

    def function(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """A function of Twilio's, which is a server like any other here."""
        if not str(properties.get("url") or "").strip():
            following = onward.get("success")
            what = "it runs a function of Twilio, whose address the flow does not say"
            self.drawing.add_missing(name, what, following, position=position_of(properties))
            return
        self.drawing.changed(
            name, "a function is asked as any server is, without Twilio's signature: protected ones refuse"
        )
        self.request(name, {**properties, "method": "POST"}, onward)

    def set(self, name: str, properties: Mapping[str, Any], onward: Exits) -> None:
        """Variables."""
        values = {
            variable_name(str(each.get("key"))): self.text.translate(name, str(each.get("value", "")))
            for each in objects(properties.get("variables"))
        }
        exits = {"next": onward.get("next")}
        position = position_of(properties)
        if values:
            self.drawing.add(name, "set_variable", {"values": values}, exits, position=position)
        else:
            self.drawing.add_missing(name, "it sets no variable", exits["next"], position=position)

    def _ends_with_the_callee(self, name: str, onward: Exits) -> None:
        if onward.get("hangup"):
            sentence = "what follows when the callee hangs up is not done: the flow is over then"
            self.drawing.lost(name, sentence)

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
        if language not in self.languages:
            self.languages.append(language)
        usual = language == self.languages[0]
        return [text if usual else {"text": text, "language": language}] if text else []

    def _times(self, name: str, properties: Mapping[str, Any]) -> int:
        loop = int(clamped(properties.get("loop"), 0, 10, 1))
        if loop == 0:
            self.drawing.changed(name, "it was said for ever, and is said 10 times here")
        return loop or 10


def _quoted(value: str) -> str:
    """A value within a query: its variables are encoded when they are known."""
    return re.sub(r"\{\{\s*(.*?)\s*\}\}", r"{{\1|url_encode}}", value)


def _single(prompt: list[Any]) -> Any:
    return prompt[0] if len(prompt) == 1 else prompt[:50]


def position_of(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where a widget stands in the drawing; None where it does not say."""
    offset = member(properties, "offset", dict)
    place = {axis: offset.get(axis) for axis in ("x", "y")}
    return place if all(type(each) in (int, float) for each in place.values()) else None
