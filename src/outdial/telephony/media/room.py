"""Legs that hear each other: two that were connected, or a conference.

What a member says is put in order and kept for each other member for a moment, and taken from there when the
other one's next packet is due: so that every stream keeps its own even pace, packet length and timestamps,
whatever arrives. Between members of one codec bytes are copied; the two laws of G.711 are translated; where
more than one speaks, mu-law frames are added.
"""

from collections.abc import Iterator

from outdial.rtp.timeline import Timeline
from outdial.telephony.media.clip_cache import BYTES_PER_MS
from outdial.telephony.media.g711_mix import LAWS, SILENT_LEVEL, add, level, translate

MOST_MEMBERS = 32
"""Each member hears each other one by itself, so the work grows with the square: at 32, with a few who speak,
a tenth of a core."""

_REORDER = 20 * BYTES_PER_MS
"""How late a packet may come behind its successor, in bytes."""
_PREFILL = 40 * BYTES_PER_MS
"""Kept before a member is heard: jitter up to this is not."""
_MOST = 160 * BYTES_PER_MS
"""More than this is not kept: after a burst, or with a sender's clock that is fast, the oldest goes."""


class CannotJoin(Exception):  # noqa: N818 - reads as what it is; nobody but the worker sees it
    """Why a stream cannot be in a room, as a sentence."""


class _Ear:
    """What one member has not yet heard of another one."""

    __slots__ = ("_bytes", "_primed")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._primed = False

    def keep(self, audio: bytes) -> None:
        self._bytes += audio
        if len(self._bytes) > _MOST:
            del self._bytes[: len(self._bytes) - _PREFILL]

    def take(self, count: int) -> bytes | None:
        """The next frame; None while there is not enough."""
        kept = self._bytes
        if len(kept) < (count if self._primed else max(count, _PREFILL)):
            self._primed = False
            return None
        self._primed = True
        frame = bytes(kept[:count])
        del kept[:count]
        return frame


class Member(Iterator[bytes]):
    """A stream in a room: it takes what is heard of the stream, and its frames are what the stream hears."""

    def __init__(self, room: "Room", codec: str, ptime_ms: int, silence: int, *, muted: bool) -> None:
        self.codec = codec
        self.muted = muted
        """Hears, and is not heard."""
        self._room = room
        self._timeline = Timeline(bytes((silence,)), hold=_REORDER)
        self._silence = silence
        self._ears: dict[Member, _Ear] = {}
        self.pace(ptime_ms)

    def pace(self, ptime_ms: int) -> None:
        """Make frames of this length from now on."""
        self._count = ptime_ms * BYTES_PER_MS
        self._silent = bytes((self._silence,)) * self._count

    def receive(self, ssrc: int, timestamp: int, payload: bytes, _silence: int, now: float) -> None:
        """Take a packet of audio that came from the stream's far end."""
        audio = self._timeline.receive(ssrc, timestamp, payload, now)
        if audio and not self.muted:
            for other in self._room.members:
                if other is not self:
                    other.hear(self, audio)

    def hear(self, speaker: "Member", audio: bytes) -> None:
        """Keep what another member says until it is this one's turn."""
        ear = self._ears.get(speaker)
        if ear is None:
            ear = self._ears[speaker] = _Ear()
        ear.keep(audio)

    def forget(self, speaker: "Member") -> None:
        """Another member has left."""
        self._ears.pop(speaker, None)

    def __next__(self) -> bytes:
        """The next frame for the stream's far end."""
        heard = [
            (speaker.codec, frame)
            for speaker, ear in self._ears.items()
            if (frame := ear.take(self._count)) is not None
        ]
        if not heard:
            return self._silent
        if len(heard) > 1:
            heard = [each for each in heard if level(each[1], each[0]) > SILENT_LEVEL] or heard[:1]
        if len(heard) == 1:
            codec, frame = heard[0]
            return translate(frame, codec, self.codec)
        mixed = translate(heard[0][1], heard[0][0], "PCMU")
        for codec, frame in heard[1:]:
            mixed = add(mixed, translate(frame, codec, "PCMU"))
        return translate(mixed, "PCMU", self.codec)

    def close(self) -> None:
        """Leave the room; the iterator gives silence from now on. Idempotent."""
        if self in self._room.members:
            self._room.members.remove(self)
            for other in self._room.members:
                other.forget(self)
        self._ears.clear()


class Room:
    """The members of one room."""

    def __init__(self) -> None:
        self.members: list[Member] = []

    def enter(self, codec: str, ptime_ms: int, silence: int, *, muted: bool = False) -> Member:
        """Let a stream in; raises :class:`CannotJoin`."""
        if len(self.members) >= MOST_MEMBERS:
            raise CannotJoin(f"{MOST_MEMBERS} are in the room already")
        others = {member.codec for member in self.members}
        if codec not in LAWS and (others - {codec} or len(self.members) > 1):
            raise CannotJoin(f"{codec} can only be joined to one other leg in {codec}")
        if others - LAWS and (others != {codec} or len(self.members) > 1):
            raise CannotJoin(
                f"the room has a leg in {', '.join(sorted(others))}: {codec} cannot be mixed with it"
            )
        member = Member(self, codec, ptime_ms, silence, muted=muted)
        self.members.append(member)
        return member
