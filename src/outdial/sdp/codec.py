"""The codecs that we can send and what their names and numbers are on the wire (RFC 3551)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """An audio codec."""

    name: str
    """As in `a=rtpmap`, upper case."""
    payload_type: int
    """The number that we offer it with."""
    clock_rate: int
    """Of the RTP timestamp, as in `a=rtpmap`; for G.722 this is 8000 by a mistake that became the standard
    (RFC 3551 §4.5.2)."""
    sample_rate: int
    """Of the audio itself, in Hz."""


PCMU = Codec("PCMU", 0, 8000, 8000)
PCMA = Codec("PCMA", 8, 8000, 8000)
G722 = Codec("G722", 9, 8000, 16000)

CODECS = (PCMU, PCMA, G722)
"""All that we can send and receive. Opus (RFC 7587) has a place here once it is encoded."""
