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

``press`` has an entry for each time that the flow waits for keys: the keys, or null for none. When it has no
entry left, the callee presses nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from outdial.errors import InvalidInput
from outdial.flow import actions as act
from outdial.flow.definition import Library
from outdial.flow.simulator import Simulator
from outdial.flow.spoken import as_read

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
    "hang_up_after",
    "expect",
)
_EXPECTED = ("path", "variables", "result", "said", "tags", "events")
_USUAL_START = 1_772_445_600_000
"""2026-03-02 10:00 UTC, a Monday."""


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


def try_case(library: Library, case: Mapping[str, Any]) -> Verdict:
    """Run one case. Raises InvalidInput if it is none."""
    _check(case)
    walk = Simulator(
        library, case.get("variables") or {}, now=_start(case.get("at")), seed=case.get("seed", 0)
    )
    press = list(case.get("press") or [])
    answers = {name: list(case.get(name) or []) for name in ("http", "connect", "record", "conference")}
    walk.begin()
    for _ in range(_MOST_MOMENTS):
        if walk.finished:
            break
        if walk.asked is not None and _answer(walk, answers):
            continue
        if press and _takes_keys(walk):
            keys = press.pop(0)
            if keys is not None:
                walk.press(str(keys))
                continue
            _pass_by(walk)
            continue
        if not walk.advance():
            walk.hang_up()
    return Verdict(str(case.get("name", "a case")), tuple(_differences(walk, case.get("expect") or {})), walk)


def _takes_keys(walk: Simulator) -> bool:
    node = walk.library.flows[walk.state.flow].nodes[walk.state.node]
    return node.step.takes_keys(walk.state.memory) and (not walk.playing or walk.barge_in)


def _pass_by(walk: Simulator) -> None:
    """Press nothing until the flow does something about it."""
    said, node = len(walk.said), walk.state.visits
    while not walk.finished and len(walk.said) == said and walk.state.visits == node:
        if not walk.advance():
            return


def _answer(walk: Simulator, answers: Mapping[str, list[Any]]) -> bool:
    match walk.asked:
        case act.HttpRequest():
            _answer_http(walk, answers["http"])
        case act.Connect():
            answer = answers["connect"].pop(0) if answers["connect"] else "failed"
            told: dict[str, Any] = {"outcome": answer} if isinstance(answer, str) else dict(answer)
            seconds = told.get("seconds", 30)
            walk.connect(told.get("outcome", "answered"), to=told.get("to"), talked_ms=round(seconds * 1_000))
        case act.Record():
            walk.finish_recording(round(1_000 * (answers["record"].pop(0) if answers["record"] else 5)))
        case act.JoinConference():
            walk.leave_conference(answers["conference"].pop(0) if answers["conference"] else "ended")
        case _:
            return False
    return True


def _answer_http(walk: Simulator, answers: list[Any]) -> None:
    answer: dict[str, Any] = answers.pop(0) if answers else {"fails": "unreachable"}
    if "fails" in answer:
        walk.fail_http(answer["fails"])
        return
    body = json.dumps(answer["json"]) if "json" in answer else str(answer.get("body", ""))
    walk.answer_http(answer.get("status", 200), body)


def _start(value: object) -> int:
    if value is None:
        return _USUAL_START
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidInput(
                f"at must be a time such as 2026-03-02T10:00:00+05:30, not {value!r}."
            ) from None
    if not isinstance(value, datetime):
        raise InvalidInput(f"at must be a time such as 2026-03-02T10:00:00+05:30, not {value!r}.")
    return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1_000)


def _check(case: Mapping[str, Any]) -> None:
    if not isinstance(case, Mapping):
        raise InvalidInput(f"A case must have {', '.join(_MEMBERS)}.")
    for name in case:
        if name not in _MEMBERS:
            raise InvalidInput(f"A case has no {name}; it may have {', '.join(_MEMBERS)}.")
    for name in case.get("expect") or {}:
        if name not in _EXPECTED:
            raise InvalidInput(f"There is no {name} to expect; there are {', '.join(_EXPECTED)}.")


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
