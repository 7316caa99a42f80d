"""Offer and answer for one audio stream (RFC 3264)."""

from dataclasses import dataclass

from outdial.errors import SdpError
from outdial.sdp.agreement import AUDIO_PROTOCOL, AgreedMedia, choose_formats, read_stream
from outdial.sdp.codec import CODECS, Codec
from outdial.sdp.description import Attribute, MediaDescription, Origin, SessionDescription
from outdial.sdp.direction import Direction
from outdial.sdp.formats import PayloadFormat, read_formats
from outdial.sdp.parser import parse_description

__all__ = ["AgreedMedia", "Direction", "LocalMedia", "answer_offer", "make_offer", "read_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMedia:
    """Our side of a stream."""

    address: str
    """The IP address that the far end sends to: the public one behind NAT."""
    port: int
    """RTP; RTCP is the next one."""
    session_id: int
    """The same for the life of the session, 63 bits at most."""
    codecs: tuple[Codec, ...] = CODECS
    """By preference."""
    ptime_ms: int = 20
    """What we want to receive, and what we send to a far end that does not say."""
    telephone_event_payload_type: int = 101


def make_offer(
    local: LocalMedia,
    version: int = 1,
    direction: Direction = Direction.SENDRECV,
    previous: SessionDescription | None = None,
) -> SessionDescription:
    """Offer every codec of `local`, with telephone-event.

    All lines of the `previous` description of ours keep their places (§8), refused ones as such.
    """
    formats = [PayloadFormat(codec.payload_type, codec.name, codec.clock_rate) for codec in local.codecs]
    formats.append(PayloadFormat(local.telephone_event_payload_type, "telephone-event", 8000))
    audio = _audio_line(local, formats, direction)
    if previous is None:
        return _describe(local, version, (audio,))
    place = _place_of_audio(previous)
    lines = (audio if at == place else _refused(media) for at, media in enumerate(previous.media))
    return _describe(local, version, tuple(lines))


def read_answer(offer: SessionDescription, answer: bytes) -> AgreedMedia:
    """Read the answer to `offer`, our own.

    The first payload type that means a codec we offered counts, whatever number it has; so does the far end's
    telephone-event. Raises `SdpError` with a sentence when the answer cannot be used.
    """
    description = parse_description(answer)
    place = _place_of_audio(offer)
    offered = offer.media[place]
    known = read_formats(offered)
    # Whoever left out what we refused has it in another place.
    candidates = (*description.media[place : place + 1], *description.media)
    media = next((media for media in candidates if media.media == "audio"), None)
    if media is None:
        raise SdpError("the answer has no audio line")
    if media.port == 0:
        raise SdpError("the far end rejected our audio line (port 0)")
    if media.protocol != AUDIO_PROTOCOL:
        raise SdpError(f"the answer wants {media.protocol}; we offered {AUDIO_PROTOCOL}")
    codecs = [codec for entry in known for codec in CODECS if entry.is_codec(codec)]
    return read_stream(
        description,
        media,
        choose_formats(read_formats(media, known), codecs),
        default_ptime_ms=int(offer.attribute_of(offered, "ptime") or 20),
        ours=offer.direction_of(offered),
        local_address=offer.connection or "",
    )


def answer_offer(
    offer: bytes, local: LocalMedia, version: int = 1, want_direction: Direction = Direction.SENDRECV
) -> tuple[SessionDescription, AgreedMedia]:
    """Answer the far end's offer, first or later.

    Takes the first usable audio line, in it the offerer's first codec that we have, and refuses every other
    line with port 0. Raises `SdpError` with a sentence when no line is usable: then the request gets a 488.
    """
    description = parse_description(offer)
    chosen, formats = _choose_line(description, local)
    choice = choose_formats(formats, local.codecs)
    agreed = read_stream(
        description,
        description.media[chosen],
        choice,
        default_ptime_ms=local.ptime_ms,
        ours=want_direction,
        local_address=local.address,
    )
    # A codec is answered under the name and clock that it was offered with: G.722 at 16000 too.
    answered = [choice.audio, *([choice.telephone_event] if choice.telephone_event else [])]
    # On hold in the old way we keep answering that we receive; what we may send is in the agreement.
    direction = description.direction_of(description.media[chosen]).reversed().limited_to(want_direction)
    lines = tuple(
        _audio_line(local, answered, direction) if index == chosen else _refused(media)
        for index, media in enumerate(description.media)
    )
    return _describe(local, version, lines), agreed


def _place_of_audio(ours: SessionDescription) -> int:
    """Return the index of the one line of ours that is open."""
    return next(at for at, media in enumerate(ours.media) if media.port)


def _choose_line(description: SessionDescription, local: LocalMedia) -> tuple[int, list[PayloadFormat]]:
    """Return the index of the first audio line with a codec of ours, and its formats."""
    lines = [
        (index, media)
        for index, media in enumerate(description.media)
        if media.media == "audio" and media.port
    ]
    if not lines:
        raise SdpError("the offer has no audio line that is open")
    plain = [(index, read_formats(media)) for index, media in lines if media.protocol == AUDIO_PROTOCOL]
    if not plain:
        wanted = ", ".join(media.protocol for _, media in lines)
        raise SdpError(f"the offer wants audio over {wanted}; we support {AUDIO_PROTOCOL}")
    for index, formats in plain:
        if any(entry.is_codec(codec) for entry in formats for codec in local.codecs):
            return index, formats
    return plain[0]


def _audio_line(local: LocalMedia, formats: list[PayloadFormat], direction: Direction) -> MediaDescription:
    attributes = [Attribute("rtpmap", entry.rtpmap) for entry in formats]
    attributes += [
        Attribute("fmtp", f"{entry.payload_type} 0-15") for entry in formats if entry.is_telephone_event
    ]
    attributes += [Attribute("ptime", str(local.ptime_ms)), Attribute(direction.value)]
    return MediaDescription(
        "audio",
        local.port,
        AUDIO_PROTOCOL,
        tuple(str(entry.payload_type) for entry in formats),
        None,
        tuple(attributes),
    )


def _refused(media: MediaDescription) -> MediaDescription:
    """Answer a line with port 0; it keeps its protocol and formats, which mean nothing then (RFC 3264 §6)."""
    return MediaDescription(media.media, 0, media.protocol, media.formats or ("0",))


def _describe(local: LocalMedia, version: int, media: tuple[MediaDescription, ...]) -> SessionDescription:
    return SessionDescription(Origin(local.session_id, version, local.address), local.address, media)
