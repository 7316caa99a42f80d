"""A flow in the making: nodes by name, and notes on what could not be drawn as it was."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from outdial.errors import InvalidInput
from outdial.flow.definition import MAX_NODES, SCHEMA_VERSION
from outdial.flow.kinds import KEYS, shown
from outdial.flow.lint import lint

Exits = dict[str, str | None]
Severity = Literal["lost", "changed", "lint"]

NOT_IMPORTED = "not_imported"
"""The tag of a call that came to a node which stands for one that could not be read."""
_SILENCE = {"pause": 0.1}
"""The prompt of a question that another node asks."""
_MOST_LABEL = 60
LONGEST_TEXT = 10_000
"""Characters that are looked at; a prompt may have fewer."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that its author has to look at."""

    severity: Severity
    """``lost``: it is not there any more; ``changed``: it is done in another way; ``lint``: the flow that was
    made has this wrong with it."""
    node: str | None
    message: str

    def __str__(self) -> str:
        place = "" if self.node is None else f"node {self.node!r}: "
        return f"{self.severity}: {place}{self.message}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    name: str
    document: dict[str, Any]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class Drawing:
    """Nodes and notes, in the order in which they came."""

    reserved: frozenset[str] = frozenset()
    """Names that the other system's steps have, drawn already or not."""
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[Note, None] = field(default_factory=dict)
    """Each once, in order."""
    given: dict[str, None] = field(default_factory=dict)
    """Variables that the call has to bring."""

    def add(
        self,
        name: str,
        kind: str,
        settings: Mapping[str, Any],
        exits: Exits,
        *,
        position: Mapping[str, Any] | None = None,
        label: str = "",
    ) -> None:
        """Draw a node."""
        node: dict[str, Any] = {"type": kind, "settings": dict(settings), "exits": exits}
        if position:
            node["position"] = dict(position)
        if label:
            node["label"] = label[:_MOST_LABEL]
        self.nodes[name] = node

    def add_missing(
        self, name: str, what: str, onward: str | None, *, position: Mapping[str, Any] | None = None
    ) -> None:
        """Draw what cannot be done here as a node that only tags the call and goes on."""
        self.lost(name, f"{what}; the call is tagged {NOT_IMPORTED} and goes on")
        tags = [NOT_IMPORTED, f"{NOT_IMPORTED}:{name}"[:100]]
        self.add(name, "tag", {"tags": tags}, {"next": onward}, position=position)

    def lost(self, node: str | None, message: str) -> None:
        """Note what is not there any more."""
        self._note("lost", node, message)

    def changed(self, node: str | None, message: str) -> None:
        """Note what is done in another way."""
        self._note("changed", node, message)

    def free_name(self, wanted: str) -> str:
        """A name that no node has yet."""
        number, name = 2, wanted
        while name in self.nodes or name in self.reserved:
            name, number = f"{wanted[:90]}_{number}", number + 1
        return name

    def finish(self, name: str, entry: str, languages: list[str]) -> Imported:
        """The flow, with what lint says of it. Raises InvalidInput for one that is too large."""
        check_size(len(self.nodes))
        entry = self._fold_prompts(entry)
        document = {
            "schema_version": SCHEMA_VERSION,
            "name": name[:200] or "Imported",
            "languages": languages,
            "variables": {name: {"type": "text"} for name in list(self.given)[:200]},
            "entry": entry,
            "nodes": self.nodes,
        }
        for finding in lint(document):
            place = f"{finding.field}: " if finding.field else ""
            self._note("lint", finding.node, f"{finding.severity}: {place}{finding.message}")
        return Imported(name[:200] or "Imported", document, tuple(self.notes))

    def _note(self, severity: Severity, node: str | None, message: str) -> None:
        self.notes[Note(severity, node, message)] = None

    def _fold_prompts(self, entry: str) -> str:
        """Let a question be asked by the node that waits for the answer, so that keys stop it.

        Other systems often say it in a node before. That can be one only if nothing else leads to the
        question.
        """
        for name, node in list(self.nodes.items()):
            before = [each for each, other in self.nodes.items() if name in other["exits"].values()]
            if node["type"] not in ("menu", "input") or "prompt" in node["settings"]:
                continue
            speaker = self.nodes[before[0]] if len(before) == 1 and name not in (entry, before[0]) else None
            if speaker is None or speaker["type"] != "play" or "times" in speaker["settings"]:
                node["settings"] = {"prompt": _SILENCE, **node["settings"]}
                continue
            node["settings"] = {"prompt": speaker["settings"]["prompt"], **node["settings"]}
            del self.nodes[before[0]]
            for other in self.nodes.values():
                other["exits"] = {
                    exit_: name if target == before[0] else target for exit_, target in other["exits"].items()
                }
            entry = name if entry == before[0] else entry
            self.changed(name, f"the prompt of {before[0]!r} is its question now, which keys stop")
        return entry


def branches(
    drawing: Drawing,
    name: str,
    tests: list[tuple[dict[str, Any], str | None]],
    otherwise: str | None,
    *,
    position: Mapping[str, Any] | None = None,
) -> None:
    """Draw conditions, each with where it leads, as a row of ``branch`` nodes."""
    further = [drawing.free_name(f"{name[:90]}_{number}") for number in range(2, len(tests) + 1)]
    names = [name, *further]
    for at, following, (condition, target) in zip(names, [*further, otherwise], tests, strict=True):
        exits = {"yes": target, "no": following}
        drawing.add(at, "branch", {"condition": condition}, exits, position=position)


def check_size(nodes: int) -> None:
    """Raises InvalidInput where a flow has too many."""
    if nodes > MAX_NODES:
        raise InvalidInput(f"The flow has {nodes} nodes; {MAX_NODES} are accepted.")


def variable_name(text: str, usual: str = "value") -> str:
    """A name for a variable that is like a text."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:60]
    return name if name and not name[0].isdigit() else f"{usual}_{name}".strip("_")


def clamped(value: object, least: float, most: float, usual: float) -> float:
    """A number within bounds: a text that is one counts; the usual one where there is none."""
    try:
        number = float(value)  # type: ignore[arg-type]  # what is none raises
    except (TypeError, ValueError, OverflowError):
        return usual
    number = min(max(number, least), most) if number == number else usual
    return int(number) if number == int(number) else number


def keys_of(value: object, usual: str, most: int) -> str:
    """Keys of a telephone out of a setting."""
    if not isinstance(value, str):
        return usual
    return "".join(each for each in value if each in KEYS)[:most]


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; what else is in it is passed over."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))


def member(value: object, name: str, kind: type) -> Any:
    """A member of an object in one type, or the empty value of that type."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, kind) else kind()


def node_name(value: object) -> str:
    """The name of a node as it may stand in a flow. Raises InvalidInput."""
    name = str(value).strip().replace("/", "-").replace("\n", " ")[:100] if isinstance(value, str) else ""
    if not name:
        raise InvalidInput(f"A step has no name: {shown(value)}.")
    return name
