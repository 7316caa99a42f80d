"""What a walk shows: each line at the node that it is of."""

from outdial.flow.definition import Library, parse_flow
from outdial.flow.simulator import Simulator


def test_what_a_node_does_on_the_way_is_shown_at_that_node():
    nodes = {
        "event": {"type": "send_event", "settings": {"name": "began"}, "exits": {"next": "out"}},
        "out": {"type": "opt_out", "settings": {}, "exits": {"next": "say"}},
        "say": {"type": "play", "settings": {"prompt": "Goodbye."}, "exits": {"next": "again"}},
        "again": {"type": "send_event", "settings": {"name": "ended"}, "exits": {"next": "bye"}},
        "bye": {"type": "hang_up"},
    }
    walk = Simulator(Library.of(parse_flow({"schema_version": 1, "entry": "event", "nodes": nodes})))
    walk.begin()
    assert walk.advance()
    assert [(line.node, line.text) for line in walk.lines] == [
        ("event", "sends the event began"),
        ("out", "opts out from all"),
        ("say", "Goodbye."),
        ("again", "sends the event ended"),
        ("bye", "completed"),
    ]
