"""Test cases of a flow: what the callee does and the world answers, and what has to come of it.

::

    flow: otp.json
    cases:
      - name: the code is heard twice
        variables: {otp: "1234"}
        at: 2026-03-02T10:00:00+05:30
        press: ["1", "2"]
        http: [{status: 200, json: {"state": "paid"}}]
        connect: [answered]
        expect:
          path: [welcome, code, bye]
          result: success

``press`` has an entry for each time that the flow waits for keys: the keys, null for none, or ``hang_up``.
When it has no entry left, the callee presses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow import actions as act
from outdial.flow.definition import Library
from outdial.flow.kinds import shown
from outdial.flow.simulator import Simulator
from outdial.flow.spoken import as_read
from outdial.flow.told import (
    read_given,
    read_keys,
    read_seed,
    read_start,
    takes_keys,
    tell_conference,
    tell_connect,
    tell_http,
    tell_record,
    waits_for,
)

_MOST_MOMENTS = 10_000
_MEMBERS = (
    "name",
    "variables",
    "at",
    "seed",
    "press",
    "http",
    "connect",
    "record",
    "conference",
    "expect",
)
_EXPECTED = ("path", "variables", "result", "said", "tags", "events")
_LISTS = ("press", "http", "connect", "record", "conference")
_USUAL_MESSAGE_S = 5
_HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case."""

    name: str
    problems: tuple[str, ...]
    """What was not as expected; none: it passed."""
    simulator: Simulator = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def try_case(library: Library, case: Any) -> Verdict:
    """Run one case. Raises InvalidInput if it is none."""
    _check(case)
    walk = Simulator(
        library,
        read_given(case.get("variables")),
        now=read_start(case.get("at")),
        seed=read_seed(case.get("seed")),
    )
    press = [keys if keys in (None, _HANG_UP) else read_keys(keys) for keys in case.get("press") or []]
    answers = {name: list(case.get(name) or []) for name in _LISTS}
    walk.begin()
    for _ in range(_MOST_MOMENTS):
        if walk.finished:
            break
        if walk.asked is not None and _answer(walk, answers):
            continue
        if press and takes_keys(walk):
            keys = press.pop(0)
            match keys:
                case None:
                    _pass_by(walk)
                case "hang_up":
                    walk.hang_up()
                case _:
                    walk.press(keys)
            continue
        if not walk.advance():
            walk.hang_up()
    return Verdict(str(case.get("name", "a case")), tuple(_differences(walk, case.get("expect") or {})), walk)


def _pass_by(walk: Simulator) -> None:
    """Press nothing until the flow does something about it."""
    said, node = len(walk.said), walk.state.visits
    while not walk.finished and len(walk.said) == said and walk.state.visits == node:
        if not walk.advance():
            return


def _answer(walk: Simulator, answers: Mapping[str, list[Any]]) -> bool:
    match waits_for(walk):
        case "http":
            tell_http(walk, answers["http"].pop(0) if answers["http"] else {"fails": "unreachable"})
        case "connect":
            tell_connect(walk, answers["connect"].pop(0) if answers["connect"] else "failed")
        case "record":
            tell_record(walk, answers["record"].pop(0) if answers["record"] else _USUAL_MESSAGE_S)
        case "conference":
            tell_conference(walk, answers["conference"].pop(0) if answers["conference"] else "ended")
        case _:
            return False
    return True


def _check(case: object) -> None:
    if not isinstance(case, Mapping):
        raise InvalidInput(f"A case must have {', '.join(_MEMBERS)}.")
    for name in case:
        if name not in _MEMBERS:
            raise InvalidInput(f"A case has no {shown(name)}; it may have {', '.join(_MEMBERS)}.")
    for name in _LISTS:
        if not isinstance(case.get(name) or [], list):
            raise InvalidInput(f"{name} must be a list, not {shown(case[name])}.")
    expected = case.get("expect") or {}
    if not isinstance(expected, Mapping):
        raise InvalidInput(f"expect must have {', '.join(_EXPECTED)}, not {shown(expected)}.")
    for name, value in expected.items():
        if name not in _EXPECTED:
            raise InvalidInput(f"There is no {shown(name)} to expect; there are {', '.join(_EXPECTED)}.")
        if name == "variables" and not isinstance(value, Mapping):
            raise InvalidInput(f"The variables to expect must be an object, not {shown(value)}.")
        if name == "said" and not isinstance(value, list):
            raise InvalidInput(f"What is to be said must be a list of texts, not {shown(value)}.")


def _differences(walk: Simulator, expected: Mapping[str, Any]) -> list[str]:
    made = walk.report
    actual: dict[str, Any] = {
        "path": [passage.node for passage in made.path],
        "result": made.result,
        "tags": list(made.tags),
        "said": [as_read(each.prompt) for each in walk.actions if isinstance(each, act.Play)],
        "events": [each.name for each in walk.actions if isinstance(each, act.SendEvent)],
    }
    problems = [
        f"{name}: expected {wanted!r}, got {actual[name]!r}"
        for name, wanted in expected.items()
        if name in ("path", "result", "tags", "events") and wanted != actual[name]
    ]
    for name, wanted in (expected.get("variables") or {}).items():
        value = made.variables.get(name, walk.state.variables.get(name))
        if value != wanted:
            problems.append(f"variables.{name}: expected {wanted!r}, got {value!r}")
    problems += [
        f"said: nothing with {text!r} was said, but {actual['said']!r}"
        for text in expected.get("said") or []
        if not any(str(text).lower() in each.lower() for each in actual["said"])
    ]
    return problems
