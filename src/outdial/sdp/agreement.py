"""What both sides agreed on for one audio stream, read from the far end's audio line."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from outdial.errors import SdpError
from outdial.sdp.codec import Codec
from outdial.sdp.description import MediaDescription, SessionDescription
from outdial.sdp.direction import Direction
from outdial.sdp.formats import PayloadFormat
from outdial.sdp.packet_time import agree_packet_time

AUDIO_PROTOCOL = "RTP/AVP"
"""SRTP (`RTP/SAVP`) has its place here once a trunk is TLS."""

_HOLD_ADDRESSES = {"0.0.0.0", "::"}  # noqa: S104 - the hold of RFC 2543, nothing is bound to it
_RTCP = re.compile(r"([0-9]{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AgreedMedia:
    """Where to send audio, and in which form."""

    remote_address: str
    """IP address; `0.0.0.0` while the far end holds the call in the old way: then nothing may be sent."""
    remote_port: int
    remote_rtcp_address: str
    remote_rtcp_port: int
    codec: Codec
    payload_type: int
    """What our packets carry. The far end's may differ, for dynamic types: it uses the number that we
    announced."""
    ptime_ms: int
    """Audio per packet that we send, 10 to 60 ms."""
    telephone_event_payload_type: int | None
    """None when no DTMF events were agreed."""
    telephone_event_rate: int
    """The clock of the events' durations in Hz; 8000 when there are none."""
    direction: Direction
    """What we may do."""
    remarks: tuple[str, ...] = ()
    """A sentence for each thing that was not as it should be and was forgiven; for the call's trace."""


@dataclass(frozen=True, slots=True)
class AudioChoice:
    """The payload types that were agreed on an audio line."""

    codec: Codec
    audio: PayloadFormat
    telephone_event: PayloadFormat | None


def choose_formats(formats: Iterable[PayloadFormat], codecs: Iterable[Codec]) -> AudioChoice:
    """Take the first format that is one of `codecs`, and the telephone-event that goes with it.

    The events should share the codec's clock (RFC 4733 §2.1); another clock is taken if it is the only one.
    Raises `SdpError`.
    """
    formats, codecs = list(formats), list(codecs)
    for entry in formats:
        codec = next((codec for codec in codecs if entry.is_codec(codec)), None)
        if codec is not None:
            events = [other for other in formats if other.is_telephone_event]
            same_clock = [event for event in events if event.clock_rate == entry.clock_rate]
            return AudioChoice(codec, entry, next(iter(same_clock or events), None))
    theirs = (
        ", ".join(str(entry) for entry in formats if not entry.is_telephone_event)
        or "no audio codec that is known"
    )
    ours = ", ".join(codec.name for codec in codecs)
    raise SdpError(f"no codec in common: the far end has {theirs}; we have {ours}")


def read_stream(
    description: SessionDescription,
    media: MediaDescription,
    choice: AudioChoice,
    *,
    default_ptime_ms: int,
    ours: Direction,
    local_address: str,
) -> AgreedMedia:
    """Read the far end's addresses, packet time and direction. `ours` limits what we may do.

    Raises `SdpError` for an address that packets cannot be sent to.
    """
    remarks: list[str] = []
    address = description.address_of(media)
    if address is None and description.origin is not None:
        address = description.origin.address
        remarks.append("the description has no c= line; its o= line's address is used")
    address = _checked_address(address, local_address)
    rtcp_address, rtcp_port = _read_rtcp(media, address, local_address)
    ptime_ms, bent = agree_packet_time(description, media, default_ptime_ms)
    theirs = description.direction_of(media)
    if address in _HOLD_ADDRESSES:
        theirs = Direction.of(send=theirs.sends, receive=False)
    return AgreedMedia(
        remote_address=address,
        remote_port=media.port,
        remote_rtcp_address=rtcp_address,
        remote_rtcp_port=rtcp_port,
        codec=choice.codec,
        payload_type=choice.audio.payload_type,
        ptime_ms=ptime_ms,
        telephone_event_payload_type=choice.telephone_event.payload_type if choice.telephone_event else None,
        telephone_event_rate=choice.telephone_event.clock_rate if choice.telephone_event else 8000,
        direction=theirs.reversed().limited_to(ours),
        remarks=(*remarks, *bent),
    )


def _checked_address(address: str | None, local_address: str) -> str:
    if not address:
        raise SdpError(
            "the description does not say to which address audio goes: its c= line is missing or unreadable"
        )
    found = _read_address(address)
    if found is None:
        raise SdpError(f"audio would go to {address!r}, which is not an IP address")
    if (found.version == 6) != (":" in local_address):
        raise SdpError(
            f"audio would go to the IPv{found.version} address {address}, but we send from {local_address}"
        )
    return str(found)


@lru_cache(maxsize=256)  # a trunk has a handful of media addresses, and ipaddress is slow
def _read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; one of IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is one of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _read_rtcp(media: MediaDescription, address: str, local_address: str) -> tuple[str, int]:
    """Read `a=rtcp` (RFC 3605); without one that is usable it is the next port of the same address."""
    match = _RTCP.fullmatch(media.attribute("rtcp") or "")
    if match is None or not 0 < int(match.group(1)) <= 65535:
        return address, min(media.port + 1, 65535)
    try:
        return _checked_address(match.group(2) or address, local_address), int(match.group(1))
    except SdpError:
        return address, int(match.group(1))
