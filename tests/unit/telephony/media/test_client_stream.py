"""What a worker is told of an agreement: what is sent, and all that is understood."""

from dataclasses import replace
from typing import Any, cast

import pytest

from outdial.sdp.agreement import AgreedMedia
from outdial.sdp.codec import G722, PCMA, PCMU
from outdial.sdp.direction import Direction
from outdial.telephony.media.client_stream import MediaStream
from outdial.telephony.media.protocol import Connect

THERE = ("192.0.2.7", 4000)
AGREED = AgreedMedia(*THERE, "192.0.2.7", 4001, PCMU, 0, 20, None, 8000, Direction.SENDRECV)


class Link:
    def __init__(self) -> None:
        self.sent: list[Connect] = []

    def send(self, command: Connect) -> None:
        self.sent.append(command)


def told(media: AgreedMedia, *, announced: int | None = 101) -> Connect:
    link = Link()
    MediaStream(cast("Any", None), cast("Any", link), 1, 10_000, lambda _: None).connect(
        media, announced_event_payload_type=announced
    )
    return link.sent[0]


@pytest.mark.parametrize(
    ("codec", "others"),
    [
        (PCMU, {"PCMA": 8, "G722": 9}),
        (PCMA, {"PCMU": 0, "G722": 9}),
        (G722, {"PCMU": 0, "PCMA": 8}),
    ],
)
def test_the_codecs_that_were_not_agreed_are_understood_as_well(codec, others):
    """Far ends that answer with several codecs send which they like, and some send what was offered first."""
    command = told(replace(AGREED, codec=codec, payload_type=codec.payload_type))
    assert (command.codec, command.payload_type) == (codec.name, codec.payload_type)
    assert command.accepted_payload_types == [codec.payload_type]
    assert command.other_codecs == others


def test_a_payload_type_that_was_agreed_for_something_else_is_no_other_codec():
    command = told(replace(AGREED, payload_type=8, telephone_event_payload_type=9))
    assert command.accepted_payload_types == [0, 8]
    assert command.event_payload_types == [9, 101]
    assert command.other_codecs == {}


def test_events_that_the_answer_left_out_are_understood_under_the_number_that_we_announced():
    assert told(AGREED).event_payload_types == [101]
    assert told(AGREED).event_sent_as is None
    assert told(replace(AGREED, payload_type=101)).event_payload_types == []
    assert told(AGREED, announced=None).event_payload_types == []
