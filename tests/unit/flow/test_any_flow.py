"""Whatever flow and whatever the world says: the engine waits or ends, and never raises."""

import json

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
def flows(draw):
    nodes = {}
    for name in NAMES:
        example = dict(draw(st.sampled_from([step.EXAMPLE for step in STEP_TYPES.values()])))
        exits = {each: draw(st.sampled_from([*NAMES, None])) for each in example.get("exits", {})}
        nodes[name] = {**example, "exits": exits}
    return parse_flow({"schema_version": 1, "entry": "a", "nodes": nodes})


@st.composite
def event_for(draw, action):
    at = draw(st.integers(0, 10**13))
    match action:
        case act.Play(play_id=id_):
            failed = ev.PlayFailed(at, id_)
            return draw(st.sampled_from([failed, ev.PlayFinished(at, id_, 900, completed=True)]))
        case act.StartTimer(timer_id=id_):
            return ev.TimerFired(at, id_)
        case act.Record(recording_id=id_):
            return ev.RecordingFinished(at, id_, draw(st.integers(0, 9_000)), draw(st.text(max_size=3)))
        case act.HttpRequest(request_id=id_):
            body = draw(st.text(max_size=5) | st.just('{"order": {"status": 1}}'))
            return ev.HttpAnswered(at, id_, draw(st.integers(100, 599)), body)
        case act.Connect(connect_id=id_):
            return ev.ConnectEnded(at, id_, draw(st.sampled_from(["answered", "busy", "failed"])))
        case act.JoinConference(conference_id=id_):
            return ev.ConferenceLeft(at, id_, draw(st.sampled_from(["left", "ended", "full"])))
        case _:
            return ev.DigitPressed(at, draw(st.sampled_from("0123456789*#ABCD")))


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@settings(max_examples=200, deadline=None)
@given(st.data(), flows(), st.dictionaries(st.sampled_from(["to", "otp", "plan", "amount"]), VALUES))
def test_the_engine_waits_or_ends(data, flow, variables):
    library = Library("23", {"23": flow})
    turn = start(library, variables, now=1_000, seed=data.draw(st.integers()))
    asked = list(turn.actions)
    for _ in range(25):
        assert turn.state.visits <= MAX_VISITS
        if turn.state.finished:
            break
        action = data.draw(st.sampled_from([*asked[-5:], None]))
        before = restore(json.loads(json.dumps(snapshot(turn.state))))
        event = data.draw(event_for(action))
        turn = resume(library, before, event)
        asked += turn.actions
    ended = [action for action in asked if isinstance(action, act.HangUp)]
    assert len(ended) == (1 if turn.state.finished else 0)
