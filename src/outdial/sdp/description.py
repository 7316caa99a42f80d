"""A session description as a value (RFC 4566): what we write, and what is left of what we read.

Lines that calls do not need (`b=`, `k=`, `i=`, times, …) are not kept; the trace of a call has the bytes.
"""

from dataclasses import dataclass, replace

from outdial.errors import LocalProtocolError
from outdial.sdp.direction import Direction

_DIRECTIONS: dict[str, Direction] = {direction.value: direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One `a=` line."""

    name: str
    value: str | None = None
    """What follows the colon; None for a flag."""

    def __str__(self) -> str:
        return f"a={self.name}" if self.value is None else f"a={self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line: who describes, and which version of the description this is."""

    session_id: int
    version: int
    address: str
    username: str = "-"

    def __str__(self) -> str:
        return f"o={self.username} {self.session_id} {self.version} {_typed(self.address)}"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One `m=` line and what belongs to it."""

    media: str
    """Lower case: `audio`, `video`, `image`, …"""
    port: int
    """0 to 65535; 0 means rejected."""
    protocol: str
    """Upper case: `RTP/AVP`, `RTP/SAVP`, …"""
    formats: tuple[str, ...]
    """Payload types as text, for other media may use words."""
    connection: str | None = None
    """The address of its own `c=` line, without TTL; empty when that line could not be read."""
    attributes: tuple[Attribute, ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the first value of an attribute, `""` for a flag, None without one."""
        return _first(self.attributes, name)

    def lines(self) -> list[str]:
        """Return its lines."""
        connection = [] if self.connection is None else [f"c={_typed(self.connection)}"]
        return [
            f"m={self.media} {self.port} {self.protocol} {' '.join(self.formats)}",
            *connection,
            *map(str, self.attributes),
        ]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description."""

    origin: Origin | None
    """None when it was missing or garbled: nothing depends on it."""
    connection: str | None
    """The session's `c=` address, which holds for every medium without its own."""
    media: tuple[MediaDescription, ...]
    attributes: tuple[Attribute, ...] = ()

    def attribute_of(self, media: MediaDescription, name: str) -> str | None:
        """Return the attribute of the medium, else of the session, else None."""
        own = media.attribute(name)
        return _first(self.attributes, name) if own is None else own

    def address_of(self, media: MediaDescription) -> str | None:
        """Return the `c=` address of the medium, else of the session, else None."""
        return self.connection if media.connection is None else media.connection

    def direction_of(self, media: MediaDescription) -> Direction:
        """Return the direction of the medium, else of the session, else sendrecv."""
        for attributes in (media.attributes, self.attributes):
            for attribute in attributes:
                direction = _DIRECTIONS.get(attribute.name)
                if direction is not None:
                    return direction
        return Direction.SENDRECV

    def following(self, previous: "SessionDescription | None") -> "SessionDescription":
        """Return this description with the version that has to follow `previous` (RFC 3264 §8).

        One more when anything changed, the same when nothing did; unchanged without a previous one.
        """
        if previous is None or previous.origin is None or self.origin is None:
            return self
        version = previous.origin.version
        same = replace(self, origin=replace(self.origin, version=version))
        return same if same == previous else replace(self, origin=replace(self.origin, version=version + 1))

    def to_bytes(self) -> bytes:
        """Return the body. Raises `LocalProtocolError` when a value would break out of its line."""
        session = [] if self.connection is None else [f"c={_typed(self.connection)}"]
        lines = [
            "v=0",
            str(self.origin or Origin(0, 0, self.connection or "0.0.0.0")),  # noqa: S104 - "no address", not a bind
            "s=-",
            *session,
            "t=0 0",
            *map(str, self.attributes),
            *(line for media in self.media for line in media.lines()),
        ]
        for line in lines:
            if "\r" in line or "\n" in line:
                raise LocalProtocolError(
                    f"a line of a session description cannot hold a line break: {line!r}"
                )
        return "".join([f"{line}\r\n" for line in lines]).encode()


def _typed(address: str) -> str:
    return f"IN IP6 {address}" if ":" in address else f"IN IP4 {address}"


def _first(attributes: tuple[Attribute, ...], name: str) -> str | None:
    for attribute in attributes:
        if attribute.name == name:
            return attribute.value or ""
    return None
