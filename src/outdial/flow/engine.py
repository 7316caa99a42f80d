"""Run a flow: from an event to the next wait.

The engine knows no step type. It enters nodes and follows their outcomes until one of them waits or ends, and
it keeps two bounds on a flow that goes in circles, so that a mistake in a drawing cannot hold a call or a
processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from outdial.flow.actions import Action, HangUp
from outdial.flow.definition import Flow
from outdial.flow.events import Event, LegEnded
from outdial.flow.state import COMPLETED, TOO_MANY_STEPS, State
from outdial.flow.step import End, GoTo, Outcome, Visit, Wait

MAX_VISITS_BETWEEN_WAITS = 100
"""Nodes that may be entered without the flow waiting for anything: more is a circle."""
MAX_VISITS = 1_000
"""Nodes that may be entered in one call: a circle that waits still ends."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a start or an event: the state to keep, and what the leg has to do now, in order."""

    state: State
    actions: tuple[Action, ...]


def start(flow: Flow, variables: Mapping[str, str]) -> Turn:
    """Enter the first node of ``flow`` and run to the first wait or to the end."""
    before = State(node=flow.start, variables=dict(variables))
    return _follow(flow, before, GoTo(flow.start))


def resume(flow: Flow, state: State, event: Event) -> Turn:
    """Go on from ``state`` with what the world said; an event that nobody waits for changes nothing."""
    if state.finished:
        return Turn(state, ())
    if isinstance(event, LegEnded):
        return Turn(replace(state, result=event.reason), ())
    outcome = flow.steps[state.node].resume(_visit(state), event)
    return Turn(state, ()) if outcome is None else _follow(flow, state, outcome)


def _follow(flow: Flow, state: State, outcome: Outcome) -> Turn:
    actions: list[Action] = []
    last_visit = min(state.visits + MAX_VISITS_BETWEEN_WAITS, MAX_VISITS)
    while True:
        match outcome:
            case Wait():
                actions += outcome.actions
                return Turn(replace(state, memory=outcome.memory), tuple(actions))
            case End():
                actions.append(HangUp(outcome.result))
                return Turn(replace(state, memory={}, result=outcome.result), tuple(actions))
            case GoTo(node=node):
                actions += outcome.actions
                if node is None:
                    outcome = End(COMPLETED)
                elif state.visits == last_visit:
                    outcome = End(TOO_MANY_STEPS)
                else:
                    state = replace(state, node=node, visits=state.visits + 1, memory={})
                    outcome = flow.steps[node].enter(_visit(state))
            case _:
                assert_never(outcome)


def _visit(state: State) -> Visit:
    return Visit(node=state.node, number=state.visits, memory=state.memory, variables=state.variables)
