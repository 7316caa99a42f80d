"""What the payload types of an audio line mean: rtpmap, static types, telephone-event (RFC 3551, RFC
4733)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from outdial.sdp.codec import Codec
from outdial.sdp.description import MediaDescription

_RTPMAP = re.compile(r"([0-9]{1,3})\s+([^\s/]+)\s*/\s*([0-9]{1,6})(?:\s*/\s*([0-9]{1,2}))?")
_MAX_PAYLOAD_TYPE = 127


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """One payload type of an audio line."""

    payload_type: int
    name: str
    """As written; compared without case."""
    clock_rate: int
    channels: int = 1

    def is_codec(self, codec: Codec) -> bool:
        """Say whether this is `codec`. G.722 announced with its sample rate, as some devices do, counts."""
        if self.name.upper() != codec.name or self.channels != 1:
            return False
        return self.clock_rate in {codec.clock_rate, codec.sample_rate}

    @property
    def is_telephone_event(self) -> bool:
        """Whether these are DTMF events (RFC 4733)."""
        return self.name.lower() == "telephone-event"

    @property
    def rtpmap(self) -> str:
        """The value of its `a=rtpmap`."""
        return f"{self.payload_type} {self}"

    def __str__(self) -> str:
        return f"{self.name}/{self.clock_rate}" + (f"/{self.channels}" if self.channels != 1 else "")


_STATIC = {
    str(entry.payload_type): entry
    for entry in (
        PayloadFormat(0, "PCMU", 8000),
        PayloadFormat(3, "GSM", 8000),
        PayloadFormat(4, "G723", 8000),
        PayloadFormat(5, "DVI4", 8000),
        PayloadFormat(6, "DVI4", 16000),
        PayloadFormat(7, "LPC", 8000),
        PayloadFormat(8, "PCMA", 8000),
        PayloadFormat(9, "G722", 8000),
        PayloadFormat(10, "L16", 44100, 2),
        PayloadFormat(11, "L16", 44100),
        PayloadFormat(12, "QCELP", 8000),
        PayloadFormat(13, "CN", 8000),
        PayloadFormat(14, "MPA", 90000),
        PayloadFormat(15, "G728", 8000),
        PayloadFormat(16, "DVI4", 11025),
        PayloadFormat(17, "DVI4", 22050),
        PayloadFormat(18, "G729", 8000),
    )
}
"""Payload types that need no `a=rtpmap` (RFC 3551 §6)."""


def read_formats(media: MediaDescription, known: Iterable[PayloadFormat] = ()) -> list[PayloadFormat]:
    """Return what the line's payload types mean, in its order.

    A type without `a=rtpmap` means what RFC 3551 says, else what it means in `known` (the offer that is being
    answered); types of which nobody knows anything are left out.
    """
    meanings = {str(entry.payload_type): entry for entry in known} | _STATIC | _read_rtpmaps(media)
    return [meanings[text] for text in media.formats if text in meanings]


def _read_rtpmaps(media: MediaDescription) -> dict[str, PayloadFormat]:
    found: dict[str, PayloadFormat] = {}
    for attribute in media.attributes:
        if attribute.name == "rtpmap":
            entry = _read_rtpmap(attribute.value or "")
            if entry is not None:
                found[str(entry.payload_type)] = entry
    return found


@lru_cache(maxsize=256)  # the field knows a handful of them, and each call reads six
def _read_rtpmap(value: str) -> PayloadFormat | None:
    match = _RTPMAP.fullmatch(value)
    if match is None:
        return None
    payload_type, name, clock_rate, channels = match.groups()
    if int(payload_type) > _MAX_PAYLOAD_TYPE:
        return None
    return PayloadFormat(int(payload_type), name, int(clock_rate), int(channels or 1))
