"""What one stream sends: which frame is next, and its header fields. No sockets, no clock.

The pacing loop takes the next element of ``frames`` for each packet, which is as cheap as it gets: in the
middle of a clip that is a list's iterator, in silence a ``repeat``. Only where something changes are the
frames at their end, and :meth:`Sender.turn` says how it goes on. (Measured in bench/media_packet.py against
slicing, a preallocated bytearray and ``sendmsg``.)
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from operator import length_hint
from typing import Protocol

from outdial.rtp.packet import MARKER, PLAIN
from outdial.rtp.telephone_event import EventPacket, telephone_event_packets
from outdial.telephony.media.clip_cache import BYTES_PER_MS


class SenderEvents(Protocol):
    """Who is told what happened; called from within the pacing loop."""

    def audio_began(self) -> None:
        """The first frame of the stream's first clip is being sent."""

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None:
        """A play is over: the time of its last frame has passed, or it was stopped, or a clip is unusable."""


class _Nobody:
    def audio_began(self) -> None:
        pass

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None:
        pass


_NOBODY = _Nobody()

_MOST_KEYS = 20
"""Keys that wait to be sent: a far end that never stops pressing must not fill the memory."""
_NOTHING: Iterator[bytes] = iter(())

LoadFrames = Callable[[str, int, int], list[bytes]]
"""``ClipCache.frames``."""


class _Play:
    __slots__ = ("clips", "play_id", "played_ms")

    def __init__(self, play_id: str, clips: Sequence[str]) -> None:
        self.play_id = play_id
        self.clips = deque(clips)
        self.played_ms = 0
        """Of the clips before the running one."""


class _Key:
    """A key press that is being sent: its packets take the place of audio, and all have one timestamp."""

    __slots__ = ("first_word", "offset", "packets", "sent")

    def __init__(self, packets: Iterator[EventPacket], first_word: int, offset: int) -> None:
        self.packets = packets
        self.first_word = first_word
        self.offset = offset
        """The sender's own, to go back to."""
        self.sent = 0


class Sender:
    """One stream's outbound side. The pacing loop reads and writes the public attributes."""

    __slots__ = (
        "_audio_began",
        "_clip",
        "_clip_frames",
        "_events",
        "_how",
        "_idle",
        "_key",
        "_keys",
        "_load",
        "_paused",
        "_plays",
        "_ptime_ms",
        "_rest",
        "_silence",
        "_silent",
        "first_sequence",
        "first_word",
        "frames",
        "send",
        "send_errors",
        "sequence",
        "slot",
        "ssrc",
        "timestamp_offset",
    )

    def __init__(
        self, *, ssrc: int, sequence: int, timestamp_offset: int, load: LoadFrames, events: SenderEvents
    ) -> None:
        self.ssrc = ssrc
        self.sequence = self.first_sequence = sequence
        """Not wrapped: the header takes the lower 16 bits, the difference counts packets."""
        self.timestamp_offset = timestamp_offset
        """Added to the pacing loop's clock. Kept where the sum is below 2^30, Python's small integers, for as
        long as a call lasts."""
        self.first_word = PLAIN
        self.send: Callable[[bytes], object] = len
        self.send_errors = 0
        self.slot: list[Sender] | None = None
        """The pacing slot that it is in; None while it sends nothing."""
        self.frames: Iterator[bytes] = _NOTHING
        """What to send; where it ends, :meth:`turn` has the next frame."""
        self._how: Callable[[], bytes] = self._first_frame
        """What :meth:`turn` does."""
        self._load = load
        self._paused = True
        self._events = events
        self._plays: deque[_Play] = deque()
        self._clip: str | None = None
        """The running clip; None in silence."""
        self._clip_frames: list[bytes] = []
        self._rest: Iterator[bytes] = iter(self._clip_frames)
        self._ptime_ms = 20
        self._silence = 0xFF
        self._silent = b""
        self._idle: Iterator[bytes] | None = None
        """What is sent while nothing is played; None for silence."""
        self._audio_began = False
        self._keys: deque[tuple[str, int, int]] = deque(maxlen=_MOST_KEYS)
        """Keys to send: digit, milliseconds, payload type."""
        self._key: _Key | None = None

    @property
    def packets_sent(self) -> int:
        """Packets that the kernel took."""
        return self.sequence - self.first_sequence - self.send_errors

    @property
    def octets_sent(self) -> int:
        """Payload bytes sent, for RTCP; of a stream that changed its ptime, as if the last one had held."""
        return self.packets_sent * self._ptime_ms * BYTES_PER_MS

    def configure(self, payload_type: int, ptime_ms: int, silence: int) -> None:
        """Take what SDP agreed on. A running clip goes on where it is, cut anew if the ptime has changed."""
        self._drop_keys()
        position_ms = self._position_ms()
        self.first_word = PLAIN | payload_type | (self.first_word & MARKER)
        if (ptime_ms, silence) == (self._ptime_ms, self._silence) and self._silent:
            return
        self._ptime_ms = ptime_ms
        self._silence = silence
        self._silent = bytes((silence,)) * (ptime_ms * BYTES_PER_MS)
        if self._clip is not None:
            self._cue(self._clip, position_ms)
        if self._paused:
            return
        if self._clip is None and self._plays:
            self._turn_by(self._first_of_play)
        else:
            self._go_on()

    def idle_with(self, frames: Iterator[bytes] | None) -> None:
        """Send these frames, which never end, wherever nothing is played; None for silence."""
        self._drop_keys()
        self._idle = frames
        if self._clip is None and not self._paused and self._how == self._clip_over:
            self._go_on()

    def pause(self) -> None:
        """Called when packets stop. A running clip keeps its place, and goes on with the next packet."""
        self._drop_keys()
        self._paused = True
        self.first_word &= ~MARKER
        self._turn_by(self._first_frame)

    def play(self, play_id: str, clips: Sequence[str]) -> None:
        """Queue a play."""
        self._drop_keys()
        self._plays.append(_Play(play_id, clips))
        if len(self._plays) == 1 and not self._paused:
            self._turn_by(self._first_of_play)

    def stop_playing(self) -> None:
        """End the running play and drop the queued ones; silence follows."""
        self._drop_keys()
        position_ms = self._position_ms()
        self._clip = None
        if not self._paused:
            self._go_on()
        plays, self._plays = self._plays, deque()
        for play in plays:
            self._events.play_ended(play.play_id, play.played_ms + position_ms, completed=False, problem=None)
            position_ms = 0

    def press(self, digit: str, duration_ms: int, payload_type: int) -> None:
        """Send a key (RFC 4733), after those that wait; nothing happens while packets stop or a clip runs."""
        if self._paused or self._plays:
            return
        self._keys.append((digit, duration_ms, payload_type))
        if self._key is None and self._how != self._between_keys:
            self._turn_by(self._begin_key)

    def close(self) -> None:
        """Stop, and break the reference cycles: the worker runs without a garbage collector."""
        self.stop_playing()
        self._events = _NOBODY
        self._idle = None
        self._turn_by(bytes)
        self.send = len

    def turn(self) -> bytes:
        """The frame to send where ``frames`` has ended; it points ``frames`` at what follows."""
        return self._how()

    def _begin_key(self) -> bytes:
        digit, duration_ms, payload_type = self._keys.popleft()
        packets = telephone_event_packets(digit, duration_ms, ptime_ms=self._ptime_ms)
        self._key = _Key(packets, self.first_word & ~MARKER, self.timestamp_offset)
        self.first_word = PLAIN | payload_type
        self._turn_by(self._key_packet)
        return self._key_packet()

    def _key_packet(self) -> bytes:
        key = self._key
        packet = None if key is None else next(key.packets, None)
        if key is None or packet is None:
            self._end_key()
            self._turn_by(self._between_keys)
            return self._idle_frame()
        # The pacing loop adds the time; an event's packets all say when it began.
        passed = key.sent * self._ptime_ms * BYTES_PER_MS
        self.timestamp_offset = key.offset - passed + packet.timestamp_offset
        self.first_word = self.first_word | MARKER if packet.marker else self.first_word & ~MARKER
        key.sent += 1
        return packet.payload

    def _between_keys(self) -> bytes:
        """At least two frames of what is sent otherwise: a key that is pressed again is another one."""
        if self._keys:
            self._turn_by(self._begin_key)
        else:
            self._go_on()
        return self._idle_frame()

    def _end_key(self) -> None:
        if self._key is not None:
            self.first_word, self.timestamp_offset = self._key.first_word, self._key.offset
            self._key = None

    def _drop_keys(self) -> None:
        """Something else is to be sent: what is left of the keys is not."""
        self._end_key()
        self._keys.clear()

    def _position_ms(self) -> int:
        """How much of the running clip has been sent."""
        if self._clip is None:
            return 0
        return (len(self._clip_frames) - length_hint(self._rest)) * self._ptime_ms

    def _turn_by(self, how: Callable[[], bytes]) -> None:
        """Let the next packet come from ``how``."""
        self.frames = _NOTHING
        self._how = how

    def _first_frame(self) -> bytes:
        """The first packet after a pause opens a talk spurt, even if it is silence (RFC 3551 §4.1)."""
        self._paused = False
        if self._clip is None:
            return self._advance(marker=True)
        self._mark()
        return next(self._rest, None) or self._idle_frame()

    def _clip_over(self) -> bytes:
        """The running clip has been sent: the first frame of the next one, or silence."""
        play = self._plays[0]
        play.played_ms += len(self._clip_frames) * self._ptime_ms
        play.clips.popleft()
        return self._advance(marker=False)

    def _first_of_play(self) -> bytes:
        return self._advance(marker=True)

    def _advance(self, *, marker: bool) -> bytes:
        """Start the next clip that there is, ending plays that have none left; else silence."""
        frame = self._next_clip()
        self._go_on()
        if marker:
            self._mark()
        return self._idle_frame() if frame is None else frame

    def _next_clip(self) -> bytes | None:
        """The first frame of the next clip; None if nothing is left to play."""
        while self._plays:
            play = self._plays[0]
            problem = None
            if play.clips:
                problem = self._cue(play.clips[0], 0)
                frame = next(self._rest, None)
                if frame is not None:
                    if not self._audio_began:
                        self._audio_began = True
                        self._events.audio_began()
                    return frame
                play.clips.popleft()
            self._clip = None
            if problem is not None or not play.clips:
                self._plays.popleft()
                completed = problem is None
                self._events.play_ended(play.play_id, play.played_ms, completed=completed, problem=problem)
        return None

    def _cue(self, path: str, position_ms: int) -> str | None:
        """Make the clip the running one; returns what is wrong with it, if anything."""
        problem = None
        try:
            self._clip_frames = self._load(path, self._ptime_ms, self._silence)
        except OSError as error:
            self._clip_frames = []
            problem = f"clip {path}: {error.strerror}"
        self._clip = path
        skipped = position_ms // self._ptime_ms
        self._rest = iter(self._clip_frames[skipped:] if skipped else self._clip_frames)
        return problem

    def _go_on(self) -> None:
        """Point ``frames`` at the running clip, or at what is sent without one."""
        self.first_word &= ~MARKER
        self.frames = self._rest if self._clip is not None else self._idle or repeat(self._silent)
        self._how = self._clip_over

    def _idle_frame(self) -> bytes:
        return self._silent if self._idle is None else next(self._idle)

    def _mark(self) -> None:
        """Set the marker bit for the packet that is being made; the next one takes it away."""
        self.first_word |= MARKER
        self._turn_by(self._unmark)

    def _unmark(self) -> bytes:
        self._go_on()
        frame = next(self.frames, None)
        return self._clip_over() if frame is None else frame
