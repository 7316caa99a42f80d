"""RapidPro, TextIt and goflow: https://docs.nyaruka.com/goflow/en-us/, flows of specification 13 and later.

A node there has actions, done in order, and perhaps a router that waits and chooses an exit; it becomes a row
of nodes here. Voice flows only: what is sent as a message is not said.
"""

from collections.abc import Callable, Mapping
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow.importing.drawing import Drawing, Imported, check_size, member, objects, variable_name
from outdial.flow.importing.expressions import Expressions
from outdial.flow.importing.routers import Router, draw_router, webhook_exits

_LANGUAGES = {
    "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "por": "pt", "deu": "de", "ger": "de", "ita": "it",
    "hin": "hi", "ara": "ar", "rus": "ru", "zho": "zh", "swa": "sw", "nld": "nl", "ben": "bn", "urd": "ur",
    "tam": "ta", "tel": "te", "mar": "mr", "guj": "gu", "pan": "pa", "nep": "ne", "kin": "rw", "amh": "am",
    "hau": "ha", "som": "so", "tur": "tr", "vie": "vi", "ind": "id", "ron": "ro", "pol": "pl", "ukr": "uk",
}  # fmt: skip
"""ISO 639-3 as it is there → the two letters of BCP 47, where there are two."""
_NOT_SPOKEN = (None, "base", "und", "mul")
_HERE_IS_NO = {
    "send_msg": "messages are not sent from here",
    "send_broadcast": "messages are not sent from here",
    "send_email": "mails are not sent from here",
    "open_ticket": "there are no tickets here",
    "call_classifier": "texts are not classified here",
    "call_llm": "no language model is asked from here",
    "call_resthook": "there are no resthooks here: a `send_event` or an `http_request` tells others",
    "transfer_airtime": "no airtime is transferred from here",
    "start_session": "other people's flows are not started from here",
    "remove_contact_groups": "there are no groups here",
    "add_contact_urn": "contacts are not kept here",
    "set_contact_channel": "contacts are not kept here",
    "set_contact_status": "contacts are not kept here",
    "set_contact_timezone": "contacts are not kept here",
    "request_optin": "nothing is opted into here",
}


def from_rapidpro(exported: object, which: str | None = None) -> Imported:
    """Read an export, or the definition of one flow; ``which`` is the name or uuid of one of several.

    Raises InvalidInput if there is none.
    """
    found = list(objects(member(exported, "flows", list))) or [
        each for each in objects([exported]) if "nodes" in each
    ]
    if not found:
        raise InvalidInput(
            "This is no export of RapidPro or goflow: its JSON has `flows`, each with `nodes`."
        )
    wanted = [each for each in found if which in (None, each.get("name"), each.get("uuid"))]
    voice = [each for each in wanted if each.get("type") == "voice"]
    if not wanted:
        names = ", ".join(repr(str(each.get("name"))[:60]) for each in found[:20])
        raise InvalidInput(f"There is no flow {which!r} in it; there are {names}.")
    flow = (voice or wanted)[0]
    if "action_sets" in flow or not list(objects(flow.get("nodes"))):
        raise InvalidInput(
            "The flow is of a specification before 13, or has no nodes: export it again from a new version."
        )
    check_size(len(list(objects(flow["nodes"]))))
    return _Reader(flow, [str(each.get("name"))[:60] for each in found if each is not flow]).read()


class _Reader:
    def __init__(self, flow: Mapping[str, Any], others: list[str]) -> None:
        self.drawing = Drawing()
        self.expressions = Expressions(self.drawing)
        self._flow = flow
        self._others = others
        self._nodes = {str(each.get("uuid")): each for each in objects(flow.get("nodes"))}
        self._names = {uuid: f"node {number}" for number, uuid in enumerate(self._nodes, 1)}
        self._language = _language(flow.get("language"))
        translated = member(flow, "localization", dict)
        self._translations = {
            _language(name): texts for name, texts in translated.items() if isinstance(texts, Mapping)
        }
        self._actions: Mapping[str, Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]] | None]] = {
            "say_msg": self._say,
            "play_audio": self._play,
            "set_run_result": self._set_result,
            "set_contact_name": self._set_name,
            "set_contact_field": self._set_field,
            "set_contact_language": self._set_language,
            "add_contact_groups": self._tag,
            "add_input_labels": self._tag,
        }

    def read(self) -> Imported:
        if self._flow.get("type") != "voice":
            kind = str(self._flow.get("type"))[:20]
            self.drawing.lost(None, f"the flow is of the type {kind}, not voice: its messages are not said")
        for other in self._others:
            self.drawing.lost(None, f"the flow {other!r} is in the export, too, and was not imported")
        for uuid, node in self._nodes.items():
            self._draw(self._names[uuid], node)
        languages = list(dict.fromkeys([self._language, *self._translations]))[:20]
        entry = next(iter(self._names.values()))
        return self.drawing.finish(str(self._flow.get("name") or ""), entry, languages)

    def _draw(self, name: str, node: Mapping[str, Any]) -> None:
        """A row of nodes: the actions, then the router. The first has the name of the node."""
        exits = {str(each.get("uuid")): self._target(each) for each in objects(node.get("exits"))}
        raw = node.get("router")
        router = Router(raw, exits) if isinstance(raw, Mapping) else None
        after = next(iter(exits.values()), None)
        position = self._position(node)
        at, rest = name, list(objects(node.get("actions")))
        for number, action in enumerate(rest, 1):
            kind = str(action.get("type"))
            is_last = number == len(rest)
            following = after if is_last and router is None else f"{name}, {number + 1}"
            if kind == "call_webhook":
                branch = webhook_exits(router) if is_last and router is not None else None
                self._request(at, action, branch or {"ok": following, "failed": following}, position)
                if branch is not None:
                    return
            elif kind == "enter_flow":
                flow = str(member(action, "flow", dict).get("name"))[:60]
                what = f"it goes on in the flow {flow!r}: import that one, and make this a `jump` to it"
                self.drawing.add_missing(at, what, following, position=position)
            else:
                made = self._actions[kind](at, action) if kind in self._actions else None
                if made is not None:
                    label = str(action.get("text") or "")
                    self.drawing.add(at, *made, {"next": following}, position=position, label=label)
                else:
                    if kind not in self._actions:
                        reason = _HERE_IS_NO.get(kind, f"the action {kind[:40]} is not known here")
                        self.drawing.lost(at, f"{reason}; it is left out")
                    tags = {"tags": [f"skipped:{kind[:40]}"]}
                    self.drawing.add(at, "tag", tags, {"next": following}, position=position)
            at, position = following if following is not None else at, None
        if router is not None:
            draw_router(self.drawing, self.expressions, at, router, position)
        elif not rest:
            self.drawing.add(at, "tag", {"tags": [name]}, {"next": after}, position=position)

    def _target(self, exit_: Mapping[str, Any]) -> str | None:
        uuid = exit_.get("destination_uuid")
        if not uuid:
            return None
        if str(uuid) not in self._names:
            raise InvalidInput(f"An exit leads to the node {str(uuid)[:60]!r}, which is not there.")
        return self._names[str(uuid)]

    def _position(self, node: Mapping[str, Any]) -> dict[str, Any] | None:
        drawn = member(member(member(self._flow, "_ui", dict), "nodes", dict), str(node.get("uuid")), dict)
        place = member(drawn, "position", dict)
        found = {"x": place.get("left"), "y": place.get("top")}
        return found if all(type(each) in (int, float) for each in found.values()) else None

    def _say(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        parts = {self._language: self._spoken(name, action.get("text"), action.get("audio_url"))}
        for language, texts in self._translations.items():
            mine = member(texts, str(action.get("uuid")), dict)
            text, audio = _first(mine.get("text")), _first(mine.get("audio_url"))
            parts[language] = self._spoken(name, text, audio) or parts[self._language]
        if not parts[self._language]:
            return None
        same = len(parts) == 1 or all(each == parts[self._language] for each in parts.values())
        return "play", {"prompt": parts[self._language] if same else {"by_language": parts}}

    def _spoken(self, name: str, text: object, audio: object) -> Any:
        address = self.expressions.translate(name, audio).strip()
        return {"url": address} if address else self.expressions.translate(name, text).strip()

    def _play(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        return self._say(name, {**action, "text": ""})

    def _set_result(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        value = self.expressions.translate(name, action.get("value"))
        values = {variable_name(str(action.get("name"))).lower(): value}
        if action.get("category"):
            values[f"{next(iter(values))}_category"] = self.expressions.translate(name, action["category"])
        return "set_variable", {"values": values}

    def _set_name(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        return self._of_contact(name, "name", action.get("name"))

    def _set_field(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = variable_name(str(member(action, "field", dict).get("key")))
        return self._of_contact(name, key, action.get("value"))

    def _of_contact(self, name: str, variable: str, value: object) -> tuple[str, dict[str, Any]]:
        self.drawing.changed(name, f"{variable} is set for this call, and in its results; no contact is kept")
        return "set_variable", {"values": {variable: self.expressions.translate(name, value)}}

    def _set_language(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        return "set_variable", {"values": {"language": _language(action.get("language"))}}

    def _tag(self, name: str, action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        named = [*objects(action.get("groups")), *objects(action.get("labels"))]
        tags = [str(each.get("name") or each.get("name_match"))[:100] for each in named][:20]
        if not tags:
            return None
        self.drawing.changed(name, "groups and labels are tags of the call here")
        return "tag", {"tags": [self.expressions.translate(name, each) for each in tags]}

    def _request(
        self, name: str, action: Mapping[str, Any], exits: dict[str, str | None], position: Any
    ) -> None:
        method = str(action.get("method") or "GET").upper()
        headers = member(action, "headers", dict)
        settings: dict[str, Any] = {
            "method": method if method in ("GET", "POST", "PUT", "PATCH", "DELETE") else "POST",
            "url": self.expressions.translate(name, action.get("url")),
            "timeout": 15,
            "save": {"webhook": "$"},
            "status_variable": "webhook_status",
        }
        if headers:
            settings["headers"] = {
                str(key): self.expressions.translate(name, value) for key, value in list(headers.items())[:20]
            }
        body = self.expressions.translate(name, action.get("body")).strip()
        if body and method != "GET":
            settings["body"] = body
        self.drawing.add(name, "http_request", settings, exits, position=position)


def _language(name: object) -> str:
    """A language as flows have it; English where there is none."""
    text = str(name).lower()
    if name in _NOT_SPOKEN or not (text.isascii() and text.isalpha() and 2 <= len(text) <= 3):
        return "en"
    return _LANGUAGES.get(text, text)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value
