"""A flow as its author writes it, in JSON, and as it runs.

::

    {"schema_version": 1,
     "name": "Welcome",
     "languages": ["en-US"],
     "variables": {"name": {"type": "text", "default": "friend"}},
     "entry": "welcome",
     "nodes": {"welcome": {"type": "play", "settings": {"prompt": "Hello {{name}}."},
                           "exits": {"next": "bye"}},
               "bye":     {"type": "hang_up", "settings": {"result": "success"}}}}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from outdial.errors import InvalidFlow
from outdial.flow.declarations import Declaration
from outdial.flow.kinds import VARIABLE_NAME, Many, Plain, Table, Whole, meant, shown
from outdial.flow.problem import Place, Problem
from outdial.flow.prompt_kind import LANGUAGE, LANGUAGE_KIND
from outdial.flow.settings import Object, read_settings, setting
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES

SCHEMA_VERSION = 1
MAX_NODES = 1_000
"""The largest flow; a graph that people draw stays far below."""
MOST_SECONDS = 4 * 3600
USUAL_SECONDS = 3600

SCHEMA_MEMBER = "$schema"
"""A document may say where the schema of its format is: editors look there, and nothing else does."""
_NODE_NAME = re.compile(r"[^\s/][^/\n]{0,99}")
_NODE_MEMBERS = ("type", "settings", "exits", "label", "position")


@dataclass(frozen=True, slots=True)
class Node:
    """A step in its place."""

    step: Step
    exits: Mapping[str, str | None] = field(default_factory=dict)
    """Exit → node; None: the flow is through."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that can run: every node is of a known type and leads to nodes that exist."""

    entry: str
    nodes: Mapping[str, Node]
    name: str = ""
    languages: tuple[str, ...] = ("en",)
    """The first is the one that a call begins in, unless its variable ``language`` says another of them."""
    voice: str | None = None
    voices: Mapping[str, str] = field(default_factory=dict)
    """By language; others have the one above."""
    variables: Mapping[str, Declaration] = field(default_factory=dict)
    max_seconds: int | None = None
    """A run that takes longer is ended; None: never."""

    def language_meant(self, wanted: object) -> str:
        """The language of this flow that is meant: that very one, one of another region, or the first."""
        tag = wanted.replace("_", "-").lower() if isinstance(wanted, str) else ""
        base = tag.partition("-")[0]
        very = (each for each in self.languages if each.lower() == tag)
        alike = (each for each in self.languages if each.partition("-")[0] == base)
        return next(chain(very, alike, self.languages))

    def voice_in(self, language: str) -> str | None:
        """The voice of texts in a language; None: the usual one."""
        return self.voices.get(language, self.voice)


@dataclass(frozen=True, slots=True)
class Library:
    """The flow of a call with all flows that it may jump to, as they were when the call began."""

    main: str
    flows: Mapping[str, Flow]
    """By what a jump calls them: the id, as a text."""

    @classmethod
    def of(cls, flow: Flow) -> "Library":
        """A library of one flow."""
        return cls("", {"": flow})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The members of a flow beside its nodes."""

    schema_version: int = setting(Whole(SCHEMA_VERSION, SCHEMA_VERSION), "The version of this format.")
    name: str = setting(Plain(longest=200), "What people call it.", None)
    description: str = setting(Plain(), "What it is for.", None)
    languages: tuple[str, ...] = setting(
        Many(LANGUAGE_KIND, most=20),
        "The languages that it speaks; the first is the usual one. A call begins in the language that its"
        " variable `language` names; `hi` means `hi-IN` where the flow has that one only.",
        ["en"],
    )
    voice: str = setting(Plain(), "The voice for texts; by default the usual one of the language.", None)
    voices: Mapping[str, str] = setting(
        Table(Plain(), LANGUAGE, "languages such as en or en-US", most=20),
        "The voices of single languages, by language; others have the one above.",
        {},
    )
    variables: Mapping[str, Declaration] = setting(
        Table(Object(Declaration), VARIABLE_NAME.pattern, "names of variables", most=200),
        "The variables that it is called with or sets, by name.",
        {},
    )
    max_seconds: int = setting(Whole(1, MOST_SECONDS), "A run that takes longer is ended.", USUAL_SECONDS)
    entry: str = setting(Plain(), "The node where a call begins.")


HEAD = _Head
"""The declaration of these members."""


def parse_flow(data: object) -> Flow:
    """Read a definition that came out of ``json.loads``.

    Raises :class:`InvalidFlow` with every problem, each naming its node and field.
    """
    try:
        return _parse(data)
    except RecursionError:
        raise InvalidFlow([Problem(None, None, "is nested too deeply")]) from None


def _parse(data: object) -> Flow:
    problems: list[Problem] = []
    if not isinstance(data, Mapping):
        raise InvalidFlow([Problem(None, None, "a flow must be a JSON object")])
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        wanted = f"must be {SCHEMA_VERSION}, which is the version of the format, not {shown(version)}"
        raise InvalidFlow([Problem(None, "schema_version", wanted)])
    nodes = data.get("nodes")
    if not isinstance(nodes, Mapping) or not 1 <= len(nodes) <= MAX_NODES:
        wanted = f"must be an object of 1 to {MAX_NODES} nodes by name"
        raise InvalidFlow([Problem(None, "nodes", wanted)])
    top = Place(problems)
    members = {name: value for name, value in data.items() if name not in ("nodes", SCHEMA_MEMBER)}
    if not isinstance(data.get(SCHEMA_MEMBER, ""), str):
        top.member(SCHEMA_MEMBER).note(f"must be a text, not {shown(data[SCHEMA_MEMBER])}")
    head = HEAD(**read_settings(HEAD, members, top))
    if head.entry and head.entry not in nodes:
        wanted = f"must be the name of a node of this flow, not {shown(head.entry)}"
        top.member("entry").note(f"{wanted}{meant(head.entry, nodes)}")
    if len(set(head.languages)) != len(head.languages):
        top.member("languages").note("must name each language once")
    for language in head.voices:
        if language not in head.languages:
            top.member("voices").member(language).note("is no language of this flow")
    parsed = {name: _parse_node(name, values, frozenset(nodes), problems) for name, values in nodes.items()}
    if problems:
        raise InvalidFlow(problems)
    return Flow(
        entry=head.entry,
        nodes={name: node for name, node in parsed.items() if node is not None},
        name=head.name or "",
        languages=head.languages,
        voice=head.voice,
        voices=head.voices,
        variables=head.variables,
        max_seconds=head.max_seconds,
    )


def _parse_node(name: object, values: Any, nodes: frozenset[str], problems: list[Problem]) -> Node | None:
    place = Place(problems, str(name))
    if not isinstance(name, str) or not _NODE_NAME.fullmatch(name):
        place.note("must have a name of 1 to 100 characters without a slash that begins with no space")
        return None
    if not isinstance(values, Mapping):
        place.note(f"must be an object, not {shown(values)}")
        return None
    for member in values:
        if member not in _NODE_MEMBERS:
            place.member(str(member)).note(f"is unknown; a node has {', '.join(_NODE_MEMBERS)}")
    _check_drawing(values, place)
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in STEP_TYPES:
        known = ", ".join(sorted(STEP_TYPES))
        place.member("type").note(f"must be one of {known}, not {shown(kind)}{meant(kind, STEP_TYPES)}")
        return None
    settings = values.get("settings", {})
    if not isinstance(settings, Mapping):
        place.member("settings").note(f"must be an object, not {shown(settings)}")
        return None
    exits = _parse_exits(values.get("exits", {}), STEP_TYPES[kind], nodes, place)
    before = len(problems)
    step = STEP_TYPES[kind](**read_settings(STEP_TYPES[kind], settings, place))
    if len(problems) == before:
        step.check(frozenset(exits), place)
    return Node(step, exits)


def _check_drawing(values: Mapping[str, Any], place: Place) -> None:
    if not isinstance(values.get("label", ""), str):
        place.member("label").note(f"must be a text, not {shown(values['label'])}")
    position = values.get("position")
    if position is None:
        return
    right = isinstance(position, Mapping) and set(position) == {"x", "y"}
    if not right or not all(type(each) in (int, float) for each in position.values()):
        place.member("position").note(f"must be an object with the numbers x and y, not {shown(position)}")


def _parse_exits(values: Any, step: type[Step], nodes: frozenset[str], place: Place) -> dict[str, str | None]:
    inside = place.member("exits")
    if not isinstance(values, Mapping):
        inside.note(f"must be an object of exits, each with the name of a node, not {shown(values)}")
        return {}
    for name, target in values.items():
        if not isinstance(name, str) or not is_exit(step, name):
            known = ", ".join(each.name for each in step.EXITS) or "none"
            inside.member(str(name)).note(f"is no exit of this step; its exits: {known}")
        elif target is not None and (not isinstance(target, str) or target not in nodes):
            wanted = f"must be the name of a node of this flow, or null, not {shown(target)}"
            inside.member(name).note(f"{wanted}{meant(target, nodes)}")
    return dict(values)


def is_exit(step: type[Step], name: str) -> bool:
    """Whether steps of this type can be left by ``name``."""
    return any(
        name == each.name if each.pattern is None else re.fullmatch(each.pattern, name) for each in step.EXITS
    )
