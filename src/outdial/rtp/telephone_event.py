"""DTMF digits as telephone-event, both ways (RFC 4733 §2).

A pressed key is one event: many packets with the event's first RTP timestamp and a growing duration, the last
one three times with the E bit. Any of them can be lost, duplicated or late. What identifies an event is its
source, timestamp and code, never its packets; so a digit is reported once, when it ended or has to be assumed
to have ended.
"""

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from outdial.errors import RtpParseError
from outdial.rtp.clock import signed_32

DIGITS = "0123456789*#ABCD"
"""The events 0 to 15 (RFC 4733 §3.2); the others (flash, tones) are no digits and are passed over."""

SILENT_AFTER_S = 0.2
"""An event whose updates stop for this long has ended: senders repeat it every 50 ms or more often
(RFC 4733 §2.5.1.2), so four of them are missing."""

_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
_VOLUME = 10
"""-10 dBm0, a usual level of a sent digit."""
_LONGEST_SEGMENT = 0xFFFF
_END_PACKETS = 3
_REMEMBERED = 16
"""Finished events that a late or repeated packet is compared with. At 50 ms a digit, which no human reaches,
they cover most of a second of reordering."""


@dataclass(frozen=True, slots=True)
class DigitStarted:
    """A key went down (or the first packet that arrived of it did): where a prompt may stop at once."""

    digit: str


@dataclass(frozen=True, slots=True)
class Digit:
    """A whole key press, exactly once."""

    digit: str
    duration_ms: int
    """As far as it was heard; too short if packets at its end were lost."""


Signal = DigitStarted | Digit


@dataclass(slots=True)
class _Event:
    ssrc: int
    timestamp: int
    """Of the newest segment."""
    code: int
    heard_at: float
    earlier: int = 0
    """Duration of the segments before the newest one, in clock units."""
    duration: int = 0
    """Of the newest segment."""
    ended: bool = False
    """The E bit was seen."""


class TelephoneEventReceiver:
    """Makes digits of the telephone-event packets of one leg.

    ``rate`` is the clock rate that SDP agreed on for the payload type. Call :meth:`expire` now and then, at
    least at :attr:`deadline`, because an event without an end ends by time.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._current: _Event | None = None
        self._finished: deque[_Event] = deque(maxlen=_REMEMBERED)

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` would finish the running event; None if no key is down."""
        return None if self._current is None else self._current.heard_at + SILENT_AFTER_S

    def receive(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> list[Signal]:
        """Take one packet; returns what it says that was not known. Raises :class:`RtpParseError`."""
        if len(payload) < _PAYLOAD.size:
            raise RtpParseError(f"a telephone-event has 4 bytes, this one {len(payload)}")
        code, flags, duration = _PAYLOAD.unpack_from(payload)
        if code >= len(DIGITS) or self._is_finished(ssrc, timestamp, code):
            return []
        signals: list[Signal] = []
        event = self._current
        if event is None or not _continues(event, ssrc, timestamp, code):
            if event is not None and _is_older(event, ssrc, timestamp):
                # Overtaken by the event after it: nothing in order can follow, so it ends now.
                return self._finish(_Event(ssrc, timestamp, code, now, duration=duration, ended=True), [])
            if event is not None:
                self._finish(event, signals)
            event = self._current = _Event(ssrc, timestamp, code, now)
            signals.append(DigitStarted(DIGITS[code]))
        elif timestamp != event.timestamp:
            event.earlier += _LONGEST_SEGMENT
            event.timestamp = timestamp
            event.duration = 0
        event.heard_at = now
        event.duration = max(event.duration, duration)
        if flags & _END:
            event.ended = True
            self._current = None
            self._finish(event, signals)
        return signals

    def expire(self, now: float) -> list[Signal]:
        """Finish an event whose packets have stopped."""
        event = self._current
        if event is None or now < event.heard_at + SILENT_AFTER_S:
            return []
        return self.flush()

    def flush(self) -> list[Signal]:
        """Finish the running event: nothing will follow."""
        event, self._current = self._current, None
        return [] if event is None else self._finish(event, [])

    def _finish(self, event: _Event, signals: list[Signal]) -> list[Signal]:
        self._finished.append(event)
        signals.append(Digit(DIGITS[event.code], (event.earlier + event.duration) * 1000 // self._rate))
        return signals

    def _is_finished(self, ssrc: int, timestamp: int, code: int) -> bool:
        """Whether the packet belongs to a digit that was reported, be it by a segment that followed later."""
        for event in self._finished:
            if event.ssrc == ssrc and event.code == code:
                if event.timestamp == timestamp:
                    return True
                if not event.ended and timestamp == event.timestamp + _LONGEST_SEGMENT & 0xFFFF_FFFF:
                    event.timestamp = timestamp
                    return True
        return False


def _continues(event: _Event, ssrc: int, timestamp: int, code: int) -> bool:
    """Same event, or the next segment of one longer than the duration field holds (RFC 4733 §2.5.1.3)."""
    return (
        event.ssrc == ssrc
        and event.code == code
        and (timestamp - event.timestamp & 0xFFFF_FFFF) in (0, _LONGEST_SEGMENT)
    )


def _is_older(event: _Event, ssrc: int, timestamp: int) -> bool:
    return event.ssrc == ssrc and signed_32(timestamp - event.timestamp) < 0


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One packet of a digit to send."""

    at_ms: int
    """When, from the start of the digit."""
    marker: bool
    timestamp_offset: int
    """To be added to the RTP timestamp of the digit's start."""
    payload: bytes


def telephone_event_packets(
    digit: str, duration_ms: int, *, rate: int = 8000, ptime_ms: int = 20
) -> Iterator[EventPacket]:
    """The packets of one key press: one each ``ptime_ms``, then the end three times (RFC 4733 §2.5.1.4).

    A digit longer than 65,535 clock units is sent in segments (§2.5.1.3). ``digit`` is one of
    :data:`DIGITS`; raises :class:`ValueError` for another.
    """
    code = DIGITS.index(digit)
    total = max(1, duration_ms * rate // 1000)
    step = ptime_ms * rate // 1000
    segment, elapsed, at_ms = 0, 0, 0
    while elapsed + step < total:
        elapsed += step
        if elapsed - segment > _LONGEST_SEGMENT:
            yield EventPacket(at_ms, False, segment, _PAYLOAD.pack(code, _VOLUME, _LONGEST_SEGMENT))
            segment += _LONGEST_SEGMENT
        yield EventPacket(at_ms, at_ms == 0, segment, _PAYLOAD.pack(code, _VOLUME, elapsed - segment))
        at_ms += ptime_ms
    if total - segment > _LONGEST_SEGMENT:
        segment += _LONGEST_SEGMENT
    end = _PAYLOAD.pack(code, _VOLUME | _END, total - segment)
    for repeat in range(_END_PACKETS):
        yield EventPacket(at_ms + repeat * ptime_ms, at_ms + repeat == 0, segment, end)
