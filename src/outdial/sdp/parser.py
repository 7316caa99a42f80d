"""From bytes to a session description, tolerantly (RFC 4566 §5, §9).

Forgiven: LF or CR alone as line end, bytes that are not UTF-8, lines in the wrong order, lines that are no
lines, missing `v=`, `o=`, `s=`, `t=`, attribute names in any case, spaces around values. An `m=` line that
cannot be read is an error, because its place decides which answer belongs to it.
"""

import re

from outdial.errors import SdpError
from outdial.sdp.description import Attribute, MediaDescription, Origin, SessionDescription

_LINE_END = re.compile(r"\r\n|\n|\r")
_MEDIA = re.compile(r"(\S+)\s+([0-9]{1,5})(?:/[0-9]+)?\s+(\S+)((?:\s+\S+)*)\s*")
_ORIGIN = re.compile(r"(\S+)\s+([0-9]{1,30})\s+([0-9]{1,30})\s+IN\s+IP[46]\s+(\S+)\s*", re.IGNORECASE)
_CONNECTION = re.compile(r"IN\s+IP[46]\s+([^\s/]+)(?:/\S*)?\s*", re.IGNORECASE)

MAX_MEDIA = 64
"""A description with more media is not a call; an answer has to repeat each."""


def parse_description(body: bytes) -> SessionDescription:
    """Read a session description. Raises `SdpError`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    reader = _Reader()
    for line in _LINE_END.split(text):
        kind, equals, value = line.partition("=")
        if equals:
            reader.take(kind.strip().lower(), value.strip())
    return reader.description()


class _Reader:
    """Collects lines; the latest `m=` line owns what follows it."""

    def __init__(self) -> None:
        self.origin: Origin | None = None
        self.connection: str | None = None
        self.attributes: list[Attribute] = []
        self.finished: list[MediaDescription] = []
        self.media: re.Match[str] | None = None
        self.media_connection: str | None = None
        self.media_attributes: list[Attribute] = []

    def take(self, kind: str, value: str) -> None:
        match kind:
            case "a":
                name, colon, rest = value.partition(":")
                attribute = Attribute(name.strip().lower(), rest.strip() if colon else None)
                (self.attributes if self.media is None else self.media_attributes).append(attribute)
            case "m":
                self.finish_media()
                self.media = _MEDIA.fullmatch(value)
                if self.media is None or len(self.finished) >= MAX_MEDIA:
                    raise SdpError(f"a media line that cannot be read: {value[:80]!r}")
            case "c":
                self.take_connection(value)
            case "o":
                origin = _ORIGIN.fullmatch(value)
                if origin is not None:
                    username, session_id, version, address = origin.groups()
                    self.origin = Origin(int(session_id), int(version), address, username)
            case _:
                pass

    def take_connection(self, value: str) -> None:
        match = _CONNECTION.fullmatch(value)
        # Unreadable is kept as empty: it matters only if it belongs to the medium that we use.
        address = match.group(1) if match else ""
        # Several c= lines in one medium are multicast; the first one is as good as any.
        if self.media is None:
            self.connection = self.connection or address
        else:
            self.media_connection = self.media_connection or address

    def finish_media(self) -> None:
        if self.media is None:
            return
        media, port, protocol, formats = self.media.groups()
        if int(port) > 65535:
            raise SdpError(f"port {port} of the {media} line does not exist")
        self.finished.append(
            MediaDescription(
                media.lower(),
                int(port),
                protocol.upper(),
                tuple(formats.split()),
                self.media_connection,
                tuple(self.media_attributes),
            )
        )
        self.media_connection = None
        self.media_attributes = []

    def description(self) -> SessionDescription:
        self.finish_media()
        return SessionDescription(self.origin, self.connection, tuple(self.finished), tuple(self.attributes))
