"""Puts received audio back into the order and the places its timestamps say, for a recording.

For codecs with one wire byte per RTP clock unit (PCMU, PCMA and G.722, RFC 3551 §4.5), so that a place on the
timeline is an offset in the recording.
"""

from outdial.rtp.clock import signed_32


class Timeline:
    """One recording's order. Bytes come out once, in order, with gaps filled by ``silence``.

    A packet is held until the timeline has passed it by ``hold`` bytes, which is how late another one may
    come. A new source, or timestamps that part from the clock on the wall by more than ``max_drift`` bytes,
    start anew at the place where the arrival time puts them, so that nobody can make the recording longer
    than the call.
    """

    def __init__(
        self, silence: bytes, *, hold: int = 480, max_drift: int = 16_000, rate: int = 8_000
    ) -> None:
        self._silence = silence
        self._hold = hold
        self._max_drift = max_drift
        self._rate = rate
        self._ssrc: int | None = None
        self._started_at = 0.0
        self._origin = 0
        """The RTP timestamp of place 0, which may lie before the first packet after a new start."""
        self._waiting: dict[int, bytes] = {}
        self._written = 0
        self._end = 0

    def receive(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> bytes:
        """Take a packet; returns what is ready to be written now, often nothing."""
        if self._ssrc is None:
            self._started_at = now
        elapsed = int((now - self._started_at) * self._rate)
        if ssrc != self._ssrc or abs(signed_32(timestamp - self._origin - elapsed)) > self._max_drift:
            self._ssrc = ssrc
            self._origin = timestamp - max(elapsed, self._end) & 0xFFFF_FFFF
        place = signed_32(timestamp - self._origin)
        if place < self._written or place in self._waiting:
            return b""  # it comes too late, or is a copy
        self._waiting[place] = payload
        self._end = max(self._end, place + len(payload))
        return self._ready(self._end - self._hold)

    def flush(self) -> bytes:
        """Everything that is still held: the leg has ended, or a second has passed."""
        return self._ready(self._end)

    def _ready(self, until: int) -> bytes:
        """Write the packets that start before ``until``."""
        parts: list[bytes] = []
        for place in sorted(place for place in self._waiting if place < until):
            payload = self._waiting.pop(place)
            if place > self._written:
                parts.append(self._silence * (place - self._written))
                self._written = place
            payload = payload[max(0, self._written - place) :]
            parts.append(payload)
            self._written += len(payload)
        return b"".join(parts)
