"""The engine itself: bounds on circles, actions kept in order, state as a value."""

import json
from dataclasses import dataclass, fields
from typing import Any

import pytest

from outdial.errors import InvalidFlow
from outdial.flow.actions import CancelTimer, HangUp, Play, StartTimer
from outdial.flow.announcement import announcement
from outdial.flow.definition import Flow, Library, Node, parse_flow
from outdial.flow.engine import BUDGET_TIMER, MAX_VISITS, MAX_VISITS_BETWEEN_WAITS, Turn, resume, start
from outdial.flow.events import DigitPressed, Event, LegEnded, PlayFinished, TimerFired
from outdial.flow.foreseen import foreseen
from outdial.flow.report import report
from outdial.flow.speakable import Beep, Sound
from outdial.flow.state import Frame, Passage, State, restore, snapshot
from outdial.flow.step import End, Leave, Outcome, Step, Visit, Wait

KEY = DigitPressed(0, "1")


@dataclass(frozen=True)
class Jump(Step):
    """A step for these tests: asks for an action and goes on at once."""

    def enter(self, visit: Visit) -> Outcome:
        return Leave(actions=(Play(f"{visit.node}/{visit.number}", (Beep(),)),))


@dataclass(frozen=True)
class Pause(Step):
    """A step for these tests: waits for any event, then goes on."""

    def enter(self, visit: Visit) -> Outcome:
        return Wait()

    def resume(self, visit: Visit, event: Event) -> Outcome:
        return Leave()


@dataclass(frozen=True)
class Remember(Step):
    """A step for these tests: adds its visit to what it finds in its memory, and waits."""

    def enter(self, visit: Visit) -> Outcome:
        return Wait(memory={**visit.memory, visit.node: visit.number})

    def resume(self, visit: Visit, event: Event) -> Outcome:
        return Leave()


@dataclass(frozen=True)
class Timed(Step):
    """A step for these tests: waits for any event with a timer that it does not cancel itself."""

    outcome: Outcome

    def enter(self, visit: Visit) -> Outcome:
        return Wait((StartTimer(f"{visit.node}/{visit.number}", 1_000),))

    def resume(self, visit: Visit, event: Event) -> Outcome:
        return self.outcome


@dataclass(frozen=True)
class Complain(Step):
    """A step for these tests: notes its visit so often, and goes on."""

    times: int

    def enter(self, visit: Visit) -> Outcome:
        for each in range(self.times):
            visit.note(f"{visit.number}.{each}")
        return Leave()


def library(**nodes: tuple[Any, str]) -> Library:
    """Steps with the node that each leads to; the first is the entry."""
    steps = {name: Node(step, {"next": to}) for name, (step, to) in nodes.items()}
    return Library.of(Flow(next(iter(nodes)), steps))


def test_memory_is_of_one_visit():
    flow = library(a=(Remember(), "b"), b=(Remember(), "a"))
    first = start(flow, {}).state
    second = resume(flow, first, KEY).state
    third = resume(flow, second, KEY).state
    assert [state.memory for state in (first, second, third)] == [{"a": 1}, {"b": 2}, {"a": 3}]


def test_an_announcement_is_played_then_hung_up():
    flow = announcement("sound-1")
    first = start(flow, {})
    assert first.actions == (Play("announcement/1/1", (Sound("sound-1"),)),)
    last = resume(flow, first.state, PlayFinished(0, "announcement/1/1", 5_400, completed=True))
    assert last.actions == (HangUp("completed"),)
    assert last.state.finished
    assert last.state.result == "completed"


def test_a_circle_without_a_wait_is_stopped():
    turn = start(library(a=(Jump(), "b"), b=(Jump(), "a")), {})
    assert turn.state.visits == MAX_VISITS_BETWEEN_WAITS
    assert turn.actions[-1] == HangUp("too_many_steps")
    assert len(turn.actions) == MAX_VISITS_BETWEEN_WAITS + 1


def test_a_circle_that_waits_is_stopped_in_the_end():
    flow = library(a=(Pause(), "a"))
    turn = start(flow, {})
    while not turn.state.finished:
        turn = resume(flow, turn.state, KEY)
    assert turn.state.visits == MAX_VISITS
    assert turn.actions == (HangUp("too_many_steps"),)


def test_actions_on_the_way_keep_their_order():
    flow = library(a=(Jump(), "b"), b=(Jump(), "c"), c=(Pause(), "a"))
    assert [action.play_id for action in start(flow, {}).actions] == ["a/1", "b/2"]


def test_a_second_visit_has_ids_of_its_own():
    flow = library(a=(Jump(), "wait"), wait=(Pause(), "a"))
    first = start(flow, {})
    second = resume(flow, first.state, KEY)
    assert first.actions != second.actions


def test_states_are_values_that_stay_as_they_were():
    flow = announcement("sound-1")
    before = start(flow, {}).state
    event = PlayFinished(0, "announcement/1/1", 1, completed=True)
    assert resume(flow, before, event) == resume(flow, before, event)
    assert not before.finished


@pytest.mark.parametrize("reason", ["callee_hung_up", "rtp_timeout"])
def test_the_end_of_the_leg_ends_the_flow_with_its_reason(reason):
    flow = announcement("sound-1")
    turn = resume(flow, start(flow, {}).state, LegEnded(0, reason))
    assert (turn.actions, turn.state.result) == ((), reason)


def test_a_snapshot_keeps_the_variables():
    state = start(announcement("sound-1"), {"to": "12025550100"}).state
    assert restore(snapshot(state)) == state
    assert restore(snapshot(state)).variables == {"to": "12025550100"}


def test_a_snapshot_keeps_every_member_of_a_state():
    passage = Passage("main", "a", 1_000, "next", 2_000)
    state = State(
        flow="sub",
        node="b",
        started_at=1_000,
        now=3_000,
        seed=7,
        visits=4,
        memory={"typed": "12", "tries": 1},
        timer="b/4/wait",
        variables={"to": "12025550100", "answer": {"n": [1, None]}},
        collected=("answer",),
        masked=("pin",),
        tags=("late",),
        path=(passage, Passage("sub", "b", 2_000)),
        frames=(Frame("main", "a", 0),),
        problems=("a: nothing",),
        result="success",
    )
    untouched = State("", "", 0, 0)
    same = [each.name for each in fields(State) if getattr(state, each.name) == getattr(untouched, each.name)]
    assert same == [], "each member of this state has to differ from what a new one has"
    assert restore(json.loads(json.dumps(snapshot(state)))) == state


def test_nothing_happens_after_the_end():
    flow = announcement("sound-1")
    over = resume(flow, start(flow, {}).state, LegEnded(1_000, "callee_hung_up")).state
    late = PlayFinished(2_000, "announcement/1/1", 5_400, completed=True)
    assert resume(flow, over, late) == Turn(over, ())


def test_flows_come_back_to_each_that_jumped_in_turn():
    def nodes(target, after):
        exits = {"returned": "back", "failed": None}
        jump = {"type": "jump", "settings": {"flow": target}, "exits": exits}
        return {"jump": jump, "back": {"type": "tag", "settings": {"tags": [after]}, "exits": {}}}

    def a_flow(nodes, **more):
        return parse_flow({"schema_version": 1, "entry": next(iter(nodes)), "nodes": nodes, **more})

    leaf = {"leaf": {"type": "tag", "settings": {"tags": ["leaf"]}, "exits": {}}}
    variables = {"pin": {"type": "text", "masked": True}, "who": {"default": "nobody"}}
    flows = {
        "main": a_flow(nodes("middle", "main")),
        "middle": a_flow(nodes("leaf", "middle")),
        "leaf": a_flow(leaf, variables=variables),
    }
    state = start(Library("main", flows), {"who": "Ann"}).state
    assert state.tags == ("leaf", "middle", "main")
    assert state.frames == ()
    assert [(each.flow, each.node, each.exit) for each in state.path] == [
        *(("main", "jump", "returned"), ("middle", "jump", "returned"), ("leaf", "leaf", "next")),
        *(("middle", "back", "next"), ("main", "back", "next")),
    ]
    assert state.variables["who"] == "Ann", "what the call brought is not overwritten by a default"
    assert state.masked == ("pin",)


@pytest.mark.parametrize("outcome", [Leave(), End("success")])
def test_no_timer_outlives_its_visit(outcome):
    flow = library(a=(Timed(outcome), "b"), b=(Pause(), "a"))
    first = start(flow, {})
    assert first.state.timer == "a/1"
    turn = resume(flow, first.state, KEY)
    assert turn.actions[0] == CancelTimer("a/1")
    assert turn.state.timer is None


def test_a_snapshot_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 99"):
        restore({**snapshot(State("", "a", 0, 0)), "version": 99})


def test_an_event_at_a_step_that_never_waits_changes_nothing():
    state = State("", "hang_up", 0, 0, visits=2)
    assert resume(announcement("sound-1"), state, KEY).state == state


def test_a_flow_has_a_budget_of_seconds():
    nodes = {"a": {"type": "play", "settings": {"prompt": "Hello."}}}
    flow = parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes, "max_seconds": 60})
    first = start(Library.of(flow), {}, now=5_000)
    assert first.actions[0] == StartTimer(BUDGET_TIMER, 60_000)
    last = resume(Library.of(flow), first.state, TimerFired(65_000, BUDGET_TIMER))
    assert last.actions == (HangUp("too_long"),)


def test_time_never_goes_backwards():
    flow = announcement("sound-1")
    state = resume(flow, start(flow, {}, now=5_000).state, DigitPressed(4_000, "1")).state
    assert state.now == 5_000


def test_each_language_has_its_voice():
    definition = {
        "schema_version": 1,
        "languages": ["en", "de", "fr"],
        "voice": "usual",
        "voices": {"de": "deutsch"},
        "entry": "a",
        "nodes": {"a": {"type": "play", "settings": {"prompt": "Hi."}, "exits": {"next": None}}},
    }
    library = Library.of(parse_flow(definition))
    voices = {}
    for language in ("en", "de", "fr"):
        (play,) = [each for each in start(library, {"language": language}).actions if isinstance(each, Play)]
        voices[language] = (play.prompt[0].language, play.prompt[0].voice)
    assert voices == {"en": ("en", "usual"), "de": ("de", "deutsch"), "fr": ("fr", "usual")}
    with pytest.raises(InvalidFlow, match="no language of this flow"):
        parse_flow(definition | {"voices": {"it": "x"}})


def test_what_the_flow_declares_as_a_secret_is_one_from_the_start():
    values = {"pin": "{{pin}}{{pin}}", "said": "{{pin}}", "name": "{{name}}"}
    definition = {
        "schema_version": 1,
        "entry": "a",
        "variables": {"pin": {"masked": True}, "name": {}},
        "nodes": {
            "a": {"type": "set_variable", "settings": {"values": values}, "exits": {"next": "b"}},
            "b": {"type": "play", "settings": {"prompt": "Hi."}, "exits": {}},
        },
    }
    state = start(Library.of(parse_flow(definition)), {"pin": "47", "name": "Ann"}).state
    assert (state.variables["pin"], state.masked) == ("4747", ("pin", "said"))
    assert report(state).variables == {"pin": "****", "said": "****", "name": "Ann"}


def test_problems_are_bounded_and_the_first_are_kept():
    state = start(library(a=(Complain(15), "b"), b=(Complain(15), "c"), c=(Pause(), "c")), {}).state
    wanted = [*(("a", f"1.{each}") for each in range(15)), *(("b", f"2.{each}") for each in range(5))]
    assert len(state.problems) == len(wanted)
    assert all(
        node in said and words in said for (node, words), said in zip(wanted, state.problems, strict=True)
    )


def test_a_tag_is_cut_to_its_length():
    nodes = {"a": {"type": "tag", "settings": {"tags": [" {{long}}", "{{nothing}}", "b"]}, "exits": {}}}
    flow = parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes})
    assert start(Library.of(flow), {"long": "x" * 99 + "yz"}).state.tags == ("x" * 99 + "y", "b")


@pytest.mark.parametrize("given", ["it", "", None, 7, ["de"], {"de": 1}])
def test_a_language_that_the_flow_does_not_speak_is_its_first(given):
    definition = {
        "schema_version": 1,
        "languages": ["en", "de"],
        "voices": {"en": "english", "de": "deutsch"},
        "entry": "a",
        "nodes": {
            "a": {
                "type": "play",
                "settings": {"prompt": {"by_language": {"en": "Hi.", "de": "Tag."}}},
                "exits": {},
            }
        },
    }
    actions = start(Library.of(parse_flow(definition)), {"language": given}).actions
    (play,) = [each for each in actions if isinstance(each, Play)]
    assert [(each.text, each.language, each.voice) for each in play.prompt] == [("Hi.", "en", "english")]


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        ("hi-IN", "hi-IN"),
        ("hi", "hi-IN"),
        ("HI_in", "hi-IN"),
        ("en", "en-US"),
        ("en-AU", "en-US"),
        ("en-GB", "en-GB"),
        ("pt-BR", "en-US"),
        ("h", "en-US"),
    ],
)
def test_a_call_speaks_the_language_of_the_flow_that_is_meant(given, spoken):
    nodes = {"a": {"type": "play", "settings": {"prompt": "Hi."}, "exits": {}}}
    languages = ["en-US", "en-GB", "hi-IN"]
    flow = parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes, "languages": languages})
    library = Library.of(flow)
    (play,) = [each for each in start(library, {"language": given}).actions if isinstance(each, Play)]
    assert [each.language for each in play.prompt] == [spoken]
    assert [each.language for each in foreseen(library, {"language": given})] == [spoken], (
        "and is made before"
    )
