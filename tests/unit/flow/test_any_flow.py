"""Whatever flow and whatever the world says: the engine waits or ends, and never raises."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.flow import actions as act
from outdial.flow import events as ev
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import MAX_VISITS, resume, start
from outdial.flow.state import restore, snapshot
from outdial.flow.steps import STEP_TYPES

NAMES = ["a", "b", "c", "d"]


@st.composite
def flows(draw, first):
    """Nodes of any types, the first of one; each has its example's exits, and perhaps the others that it may
    have."""
    nodes = {}
    for name in NAMES:
        step = STEP_TYPES[first] if name == "a" else draw(st.sampled_from(list(STEP_TYPES.values())))
        more = [each.name for each in step.EXITS if each.pattern is None and draw(st.booleans())]
        exits = [*step.EXAMPLE.get("exits", {}), *more]
        targets = {each: draw(st.sampled_from([*NAMES, None])) for each in exits}
        nodes[name] = {**step.EXAMPLE, "exits": targets}
    return parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes})


@st.composite
def event_for(draw, action):
    at = draw(st.integers(0, 10**13))
    match action:
        case act.Play(play_id=id_):
            finished = [ev.PlayFinished(at, id_, 900, completed=each) for each in (True, False)]
            return draw(st.sampled_from([ev.PlayFailed(at, id_), *finished]))
        case act.StartTimer(timer_id=id_):
            return ev.TimerFired(at, id_)
        case act.Record(recording_id=id_):
            return ev.RecordingFinished(at, id_, draw(st.integers(0, 9_000)), draw(st.text(max_size=3)))
        case act.HttpRequest(request_id=id_):
            body = draw(st.text(max_size=5) | st.sampled_from(['{"order": {"status": 1}}', "9" * 400]))
            answered = ev.HttpAnswered(at, id_, draw(st.integers(100, 599)), body)
            return draw(st.sampled_from([answered, ev.HttpFailed(at, id_, "timeout")]))
        case act.Connect(connect_id=id_):
            ended = ev.ConnectEnded(at, id_, draw(st.sampled_from(["answered", "busy", "failed"])))
            return draw(st.sampled_from([ended, ev.ConnectAnswered(at, id_, "12025550100")]))
        case act.JoinConference(conference_id=id_):
            return ev.ConferenceLeft(at, id_, draw(st.sampled_from(["left", "ended", "full"])))
        case act.RequestCallback(callback_id=id_):
            return ev.CallbackSet(at, id_, draw(st.sampled_from(["", "no credit"])))
        case "hang_up":
            return ev.LegEnded(at, "callee_hung_up")
        case _:
            return ev.DigitPressed(at, draw(st.sampled_from("0123456789*#ABCD")))


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@pytest.mark.parametrize("first", sorted(STEP_TYPES))
@settings(max_examples=25, deadline=None)
@given(data=st.data(), variables=st.dictionaries(st.sampled_from(["to", "otp", "plan", "amount"]), VALUES))
def test_the_engine_waits_or_ends(first, data, variables):
    """Whatever step begins, whatever follows, whatever the world says; and it goes on alike from a snapshot
    that was taken at any moment."""
    library = Library("23", {"23": data.draw(flows(first))})
    turn = start(library, variables, now=1_000, seed=data.draw(st.integers()))
    asked = list(turn.actions)
    assert turn.state.path[0].node == "a"
    for _ in range(25):
        assert turn.state.visits <= MAX_VISITS
        if turn.state.finished:
            break
        action = data.draw(st.sampled_from([*asked[-5:], *asked[-5:], None, "hang_up"]))
        event = data.draw(event_for(action))
        restored = restore(json.loads(json.dumps(snapshot(turn.state))))
        before, turn = turn, resume(library, restored, event)
        assert turn == resume(library, before.state, event)
        asked += turn.actions
    ended = [action for action in asked if isinstance(action, act.HangUp)]
    hung_up = turn.state.result == "callee_hung_up"
    assert len(ended) == (1 if turn.state.finished and not hung_up else 0)
