"""What is offered to the callees of flows."""

from typing import Any

import pytest

from outdial.dispatch.flow_library import why_not_offered
from outdial.flow.announcement import announcement
from outdial.flow.definition import Library, parse_flow

END = {"type": "hang_up", "settings": {"result": "end"}}
RECORD: dict[str, Any] = {
    "schema_version": 1,
    "entry": "record",
    "nodes": {"record": {"type": "record", "exits": {"next": "end", "empty": "end"}}, "end": END},
}
RECORDS = Library.of(parse_flow(RECORD))


@pytest.mark.parametrize(
    ("codecs", "words"),
    [
        (("G722", "PCMA", "PCMU"), "It was offered PCMA and PCMU and not G722, because"),
        (("PCMU", "G722"), "It was offered PCMU and not G722, because"),
        (("G722",), "It was offered PCMU and PCMA and not G722, because"),
    ],
)
def test_a_flow_that_records_says_which_codecs_were_left_out(codecs: tuple[str, ...], words: str) -> None:
    assert (why_not_offered(RECORDS, codecs) or "").startswith(words)


def test_nothing_is_said_where_nothing_was_left_out() -> None:
    assert why_not_offered(RECORDS, ("PCMA", "PCMU")) is None
    assert why_not_offered(announcement("1"), ("G722",)) is None
