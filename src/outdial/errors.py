"""Every error that Outdial raises on purpose, as one tree.

::

    OutdialError
    ├── ConfigurationError       a setting is missing or wrong: the person who runs the server can mend it
    ├── InvalidInput             a value that a user gave is unusable: the caller can mend it
    │   ├── InvalidPhoneNumber
    │   ├── InvalidFlow
    │   ├── InvalidReference
    │   ├── InUse
    │   └── AudioError
    │       ├── UndecodableAudio
    │       └── AudioTooLong
    ├── LocalProtocolError       our own code asked for something that the protocol forbids
    ├── RemoteProtocolError      the far end sent something that cannot be used
    │   ├── SipParseError
    │   │   └── KeepAlive
    │   ├── SdpError
    │   └── RtpParseError
    ├── MediaError               the media side of a leg cannot go on
    │   ├── NoFreePort
    │   └── MediaWorkerLost
    ├── EgressError              a URL that a customer gave cannot be used, or was not answered as it should
    │   ├── EgressRefused
    │   ├── EgressUnreachable
    │   ├── EgressTimeout
    │   ├── EgressTooLarge
    │   └── EgressBadAnswer
    └── StorageError             the database or blob store refused
        ├── NotFound
        ├── DatabaseUnavailable
        │   └── DatabaseFull
        └── BlobsUnavailable

Our fault and the peer's fault are different classes, so that a log line says whom to ask.
"""

# ruff: noqa: N818 - a name says what is wrong; that it is an error is said by the tree
from collections.abc import Mapping, Sequence


class OutdialError(Exception):
    """The root: catching it catches what Outdial raises on purpose and nothing else."""


class ConfigurationError(OutdialError):
    """A setting is missing or wrong; the message names the setting, its value and what would be right."""


class InvalidInput(OutdialError):
    """A value given by a user is unusable; the message says which and what would be right."""


class InvalidPhoneNumber(InvalidInput):
    """Not a phone number with country code."""


class InvalidFlow(InvalidInput):
    """A flow definition that cannot run.

    ``problems`` are all that is wrong with it: (node or None, field or None, sentence).
    """

    def __init__(self, problems: Sequence[tuple[str | None, str | None, str]]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class InvalidReference(InvalidInput):
    """Parameters name things that are not there: `problems` has a sentence by the name of each."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class InUse(InvalidInput):
    """A name is taken, or something cannot be changed or removed because other things need it.

    ``parameter`` names the value that it is about, if it is one.
    """

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class AudioError(InvalidInput):
    """A sound cannot be used."""


class UndecodableAudio(AudioError):
    """The bytes are not audio in any known format, or decoding them exceeded a bound."""


class AudioTooLong(AudioError):
    """The sound is longer than the limit."""


class LocalProtocolError(OutdialError):
    """Our own code asked for something that the protocol forbids in this state."""


class RemoteProtocolError(OutdialError):
    """The far end sent something that cannot be used."""


class SipParseError(RemoteProtocolError):
    """Bytes that are not a SIP message, or a header that cannot be read."""


class KeepAlive(SipParseError):
    """A datagram without a message, sent to keep a NAT binding open: nothing to answer, no error to count."""


class SdpError(RemoteProtocolError):
    """A session description that cannot be read or agreed on."""


class RtpParseError(RemoteProtocolError):
    """Bytes that are not RTP or RTCP."""


class MediaError(OutdialError):
    """The media side of a leg cannot go on."""


class NoFreePort(MediaError):
    """Every RTP port of the configured range is in use or in quarantine."""


class MediaWorkerLost(MediaError):
    """The media worker process of this leg died."""


class EgressError(OutdialError):
    """A URL that a customer gave cannot be used, or was not answered as it should.

    The message is a sentence that names the host, and neither credentials nor the rest of the URL.
    """

    temporary = False
    """Whether the same request may succeed a little later."""


class EgressRefused(EgressError):
    """We do not ask there: not HTTP, not a public address, a redirect that may not be followed."""


class EgressUnreachable(EgressError):
    """No connection, or it broke off."""

    temporary = True


class EgressTimeout(EgressError):
    """No answer, or not all of it, in the time that it may take."""

    temporary = True


class EgressTooLarge(EgressError):
    """The answer is larger than the limit, as it was sent or decompressed."""


class EgressBadAnswer(EgressError):
    """What came is not HTTP that can be used: garbled, without a valid certificate, redirects in a circle."""


class SpeechError(OutdialError):
    """A text could not be spoken. The message is a sentence without the text, which may be private."""

    temporary = False
    """Whether the same text may be spoken a little later."""


class SpeechUnavailable(SpeechError):
    """The engine is not there: a program or a package is missing, or a server is not set up."""


class Unspeakable(SpeechError):
    """This voice cannot say this text, or there is no such voice."""


class SpeechFailed(SpeechError):
    """The engine broke down, or took too long."""

    temporary = True


class SpeechAway(SpeechError):
    """The server of an engine is out of order, or refuses us: nothing is wrong with the text."""

    temporary = True


class StorageError(OutdialError):
    """The database or the blob store refused."""


class NotFound(StorageError):
    """No row of that name."""


class DatabaseUnavailable(StorageError):
    """The database could not be reached in time; whether a write in its commit holds is unknown."""


class DatabaseFull(DatabaseUnavailable):
    """The database's disk has no room."""


class BlobsUnavailable(StorageError):
    """The blob store could not be reached in time, refused, or has no room."""
