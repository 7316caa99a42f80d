"""A simulation that is kept nowhere: what has happened so far is told again each time, and then the next.

The engine is deterministic, so the same steps always come to the same place. Whoever walks keeps the list of
steps; nothing in it is trusted, for it is only input. A step is an object with one member::

    {"press": "12#"}        keys
    {"wait": true}          until a prompt ends or a time is over
    {"http": {"status": 200, "json": {}}}   {"connect": "busy"}   {"record": 5}   {"conference": "ended"}
    {"play_fails": true}    the prompt cannot be played
    {"hang_up": true}       the callee does
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from outdial.domain.flow_run import shown_path
from outdial.errors import InvalidInput
from outdial.flow import actions as act
from outdial.flow.definition import Library
from outdial.flow.kinds import shown
from outdial.flow.simulator import Simulator
from outdial.flow.told import (
    read_keys,
    tell_conference,
    tell_connect,
    tell_http,
    tell_record,
    waits_for,
)
from outdial.flow.values import Variables

MOST_STEPS = 500
"""People who try a flow out come nowhere near it."""
_LONGEST_LINE = 500
"""Characters of what happened, for people."""

_TELL: Mapping[str, tuple[Callable[[Simulator, object], None], str]] = {
    "http": (tell_http, "no server is asked"),
    "connect": (tell_connect, "nobody is called"),
    "record": (tell_record, "nothing is recorded"),
    "conference": (tell_conference, "there is no conference"),
}


def walk_steps(library: Library, steps: object, *, variables: Variables, now: int, seed: int) -> Simulator:
    """Begin a flow and let the steps happen.

    Raises InvalidInput for a step that is none, or that cannot happen there, with its position.
    """
    if not isinstance(steps, list) or len(steps) > MOST_STEPS:
        raise InvalidInput(f"steps must be a list of at most {MOST_STEPS} steps.")
    walk = Simulator(library, variables, now=now, seed=seed)
    walk.begin()
    for position, step in enumerate(steps):
        walk.last_line, walk.last_action = len(walk.lines), len(walk.actions)
        try:
            _happen(walk, step)
        except InvalidInput as error:
            raise InvalidInput(f"steps[{position}]: {error}") from None
    return walk


def shown_walk(walk: Simulator, *, begun: int, time: Callable[[int | None], str | None]) -> dict[str, Any]:
    """Where a walk has come to, as values that ``json.dumps`` takes; `time` writes Unix milliseconds."""
    report = walk.report.to_json()
    return {
        "finished": walk.finished,
        "waits_for": waits_for(walk),
        "node": walk.state.node,
        "flow": walk.state.flow,
        "now": time(walk.now),
        "offset_ms": walk.now - begun,
        "lines": [
            {
                "at": time(line.at),
                "offset_ms": line.at - begun,
                "node": line.node,
                "kind": line.kind,
                "text": line.text[:_LONGEST_LINE],
            }
            for line in walk.lines
        ],
        "new_lines": len(walk.lines) - walk.last_line,
        "actions": [_action(each) for each in walk.actions[walk.last_action :]],
        "report": {**report, "path": shown_path(report["path"], time)},
    }


def _happen(walk: Simulator, step: object) -> None:
    if not isinstance(step, Mapping) or len(step) != 1:
        raise InvalidInput(
            f"a step is an object with one member, such as {{'press': '1'}}, not {shown(step)}."
        )
    if walk.finished:
        raise InvalidInput("the flow is over by then.")
    ((name, value),) = step.items()
    match name:
        case "press":
            walk.press(read_keys(value))
        case "wait":
            if not walk.advance():
                raise InvalidInput(f"nothing happens by itself there: the flow waits for {waits_for(walk)}.")
        case "play_fails":
            if not walk.playing:
                raise InvalidInput("no prompt is played there.")
            walk.fail_play()
        case "hang_up":
            walk.hang_up()
        case str() if name in _TELL:
            tell, sentence = _TELL[name]
            if waits_for(walk) != name:
                raise InvalidInput(f"{sentence} there.")
            tell(walk, value)
        case _:
            known = ", ".join(("press", "wait", *_TELL, "play_fails", "hang_up"))
            raise InvalidInput(f"{shown(name)} is no step; there are {known}.")


def _action(action: act.Action) -> dict[str, Any]:
    """``{"play": {"play_id": "…", "prompt": [{"text": {…}}]}}``."""
    name, fields = _named(action)
    return {name: fields}


def _named(value: Any) -> tuple[str, dict[str, Any]]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(value).__name__).lower()
    return name, {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        name, fields = _named(value)
        return {name: fields}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value
