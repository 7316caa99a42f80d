"""Run a flow: from an event to the next wait.

The engine knows no step type. It enters nodes and follows their outcomes until one of them waits or ends, and
it keeps three bounds on a flow that goes in circles, so that a mistake in a drawing cannot hold a call or a
processor: nodes between two waits, nodes in a call, seconds in a call.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from outdial.flow.actions import Action, CancelTimer, HangUp, StartTimer
from outdial.flow.declarations import typed, with_defaults
from outdial.flow.definition import Flow, Library, Node
from outdial.flow.events import Event, LegEnded, TimerFired
from outdial.flow.secrets import blotted, secrets_in
from outdial.flow.state import COMPLETED, TOO_LONG, TOO_MANY_STEPS, Frame, Passage, State
from outdial.flow.step import End, Enter, Leave, Outcome, Visit, Wait
from outdial.flow.values import Value, Variables, clean

MAX_VISITS_BETWEEN_WAITS = 100
"""Nodes that may be entered without the flow waiting for anything: more is a circle."""
MAX_VISITS = 1_000
"""Nodes that may be entered in one call: a circle that waits still ends."""
MAX_DEPTH = 10
"""Flows that may be on their way back to another."""
BUDGET_TIMER = "budget"
"""Fires when the seconds of the main flow are used up."""
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a start or an event: the state to keep, and what the leg has to do now, in order."""

    state: State
    actions: tuple[Action, ...]
    nodes: tuple[str, ...] = ()
    """Which node asked for each of the actions, for those who show a walk."""


def start(library: Library, variables: Variables, *, now: int = 0, seed: int = 0) -> Turn:
    """Enter the main flow and run to the first wait or to the end.

    ``now`` is Unix milliseconds; ``seed`` is where random splits get their chance from.
    """
    flow = library.flows[library.main]
    state = State(
        flow=library.main,
        node=flow.entry,
        started_at=now,
        now=now,
        seed=seed,
        variables=with_defaults(flow.variables, variables),
        masked=tuple(name for name, each in flow.variables.items() if each.masked),
    )
    budget: tuple[Action, ...] = ()
    if flow.max_seconds is not None:
        budget = (StartTimer(BUDGET_TIMER, flow.max_seconds * 1_000),)
    return _Run(library, state, budget).enter(flow.entry)


def resume(library: Library, state: State, event: Event) -> Turn:
    """Go on from ``state`` with what the world said; an event that nobody waits for changes nothing but the
    time."""
    if state.finished:
        return Turn(state, ())
    state = replace(state, now=max(state.now, event.at))
    run = _Run(library, state)
    match event:
        case LegEnded(reason=reason):
            return Turn(replace(state, result=reason), ())
        case TimerFired(timer_id=timer_id) if timer_id == BUDGET_TIMER:
            return run.follow(End(TOO_LONG))
        case TimerFired(timer_id=timer_id) if timer_id != state.timer:
            return Turn(state, ())
        case TimerFired():
            run.state = replace(state, timer=None)
        case _:
            pass
    return run.go_on(event)


class _Run:
    """One turn in the making."""

    def __init__(self, library: Library, state: State, actions: tuple[Action, ...] = ()) -> None:
        self._library = library
        self.state = state
        self._actions = list(actions)
        self._nodes = [state.node for _ in actions]
        self._last_visit = min(state.visits + MAX_VISITS_BETWEEN_WAITS, MAX_VISITS)

    @property
    def node(self) -> Node:
        return self._flow.nodes[self.state.node]

    @property
    def _flow(self) -> Flow:
        return self._library.flows[self.state.flow]

    def enter(self, node: str) -> Turn:
        """Go to a node of the flow that runs, and on."""
        return self.follow(self._enter(node))

    def go_on(self, event: Event) -> Turn:
        """Tell the node where the flow waits; a key that is not for it is told the next one, each once."""
        told: set[str] = set()
        while True:
            told.add(self.state.node)
            visit = self.visit()
            outcome = self.node.step.resume(visit, event)
            self.keep_problems(visit)
            if outcome is None:
                return self._turn()
            turn = self.follow(outcome)
            passes_on = isinstance(outcome, Leave) and outcome.passes_key
            if turn.state.finished or not passes_on or self.state.node in told:
                return turn

    def follow(self, outcome: Outcome) -> Turn:
        """Do what an outcome says until one of them waits or ends."""
        while True:
            match outcome:
                case Wait():
                    self._set(outcome.set)
                    self._act(outcome.actions)
                    self.state = replace(self.state, memory=outcome.memory)
                    return self._turn()
                case End():
                    self._act(outcome.actions)
                    self._cancel_timer()
                    self._ask(HangUp(outcome.result))
                    self.state = replace(self.state, memory={}, result=outcome.result)
                    return self._turn()
                case Leave():
                    self._act(outcome.actions)
                    self._cancel_timer()
                    self._set(outcome.set, outcome.masked)
                    self._tag(outcome.tags)
                    outcome = self._leave(outcome.exit)
                case Enter():
                    outcome = self._enter_flow(outcome)
                case _:
                    assert_never(outcome)

    def visit(self) -> Visit:
        """The stay at the node where the state is."""
        state, flow = self.state, self._flow
        language = flow.language_meant(state.variables.get("language"))
        following = flow.nodes.get(self.node.exits.get("next") or "")
        return Visit(
            node=state.node,
            number=state.visits,
            memory=state.memory,
            variables=state.variables,
            now=state.now,
            masked=state.masked,
            seed=state.seed,
            exits=frozenset(self.node.exits),
            secret_follows=following is not None and following.step.asks_for_secret(),
            language=language,
            voice=flow.voice_in(language),
        )

    def keep_problems(self, visit: Visit) -> None:
        """Keep what a step noted for the author, as far as there is room, without its secrets."""
        if visit.problems:
            secrets = [visit.variables.get(name) for name in visit.masked]
            noted = (blotted(each, secrets) for each in visit.problems)
            self.state = replace(self.state, problems=(*self.state.problems, *noted)[:_MOST_PROBLEMS])

    def _enter(self, node: str) -> Outcome:
        state = self.state
        if state.visits == self._last_visit:
            return End(TOO_MANY_STEPS)
        passage = Passage(state.flow, node, state.now)
        self.state = replace(
            state, node=node, visits=state.visits + 1, memory={}, path=(*state.path, passage)
        )
        visit = self.visit()
        outcome = self.node.step.enter(visit)
        self.keep_problems(visit)
        return outcome

    def _leave(self, exit_: str) -> Outcome:
        self._close_passage(len(self.state.path) - 1, exit_)
        target = self.node.exits.get(exit_)
        while target is None:
            if not self.state.frames:
                return End(COMPLETED)
            *frames, frame = self.state.frames
            self.state = replace(self.state, flow=frame.flow, node=frame.node, frames=tuple(frames))
            self._close_passage(frame.passage, "returned")
            target = self.node.exits.get("returned")
        return self._enter(target)

    def _enter_flow(self, jump: Enter) -> Outcome:
        state = self.state
        flow = self._library.flows.get(jump.flow)
        if flow is None or len(state.frames) >= MAX_DEPTH:
            reason = "is not there" if flow is None else f"is over {MAX_DEPTH} flows deep"
            visit = self.visit()
            visit.note(f"the flow {jump.flow} cannot be entered: it {reason}")
            self.keep_problems(visit)
            return Leave("failed")
        here = len(state.path) - 1
        if not jump.returns:
            self._close_passage(here, None)
        frames = (*state.frames, Frame(state.flow, state.node, here)) if jump.returns else state.frames
        declared = {name: each for name, each in flow.variables.items() if name not in state.variables}
        self.state = replace(
            self.state,
            flow=jump.flow,
            node=flow.entry,
            frames=frames,
            variables={**state.variables, **with_defaults(declared, {})},
            masked=_with(state.masked, *(name for name, each in flow.variables.items() if each.masked)),
        )
        return self._enter(flow.entry)

    def _close_passage(self, position: int, exit_: str | None) -> None:
        path = list(self.state.path)
        path[position] = replace(path[position], exit=exit_, left_at=self.state.now)
        self.state = replace(self.state, path=tuple(path))

    def _act(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case StartTimer(timer_id=timer_id):
                    self._cancel_timer()
                    self.state = replace(self.state, timer=timer_id)
                case CancelTimer(timer_id=timer_id) if timer_id == self.state.timer:
                    self.state = replace(self.state, timer=None)
                case _:
                    pass
            self._ask(action)

    def _ask(self, action: Action) -> None:
        self._actions.append(action)
        self._nodes.append(self.state.node)

    def _turn(self) -> Turn:
        return Turn(self.state, tuple(self._actions), tuple(self._nodes))

    def _cancel_timer(self) -> None:
        """A step has one timer at a time, and none outlives its visit."""
        if self.state.timer is not None:
            self._ask(CancelTimer(self.state.timer))
            self.state = replace(self.state, timer=None)

    def _set(self, values: Mapping[str, Value], masked: Collection[str] = ()) -> None:
        """Set variables: ``masked`` are secrets, and so are those that the step knows to be."""
        if not values:
            return
        state, declared, step = self.state, self._flow.variables, self.node.step
        made = (name for name, templates in step.made_of().items() if secrets_in(templates, state.masked))
        secrets = {*masked, *step.masks(), *made}
        new = {
            name: typed(declared[name].type, clean(value)) if name in declared else clean(value)
            for name, value in values.items()
        }
        self.state = replace(
            state,
            variables={**state.variables, **new},
            collected=_with(state.collected, *new),
            masked=_with(state.masked, *(name for name in new if name in secrets)),
        )

    def _tag(self, tags: tuple[str, ...]) -> None:
        if tags:
            self.state = replace(self.state, tags=_with(self.state.tags, *tags))


def _with(words: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*words, *more)))
