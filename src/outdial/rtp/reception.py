"""What arrived of a stream: loss and jitter (RFC 3550 §6.4.1, appendices A.1, A.3 and A.8).

Exact where every packet is seen. A leg behind a kernel filter shows only the packets whose sequence number
has :func:`is_sampled`, 8 in a row of each 256, and the kernel's count of those it dropped:

- Loss: the sampled packets tell how many packets were sent up to them (their sequence numbers), seen plus
  dropped tell how many arrived. Where the kernel has no count, the sample stands for the whole: of the
  sampled sequence numbers up to the highest one, how many came.
- Jitter: the estimator of A.8 over neighbours within a run of 8; the step between two runs is left out,
  because 248 packets of drift between two clocks are no jitter.
"""

from outdial.rtp.clock import signed_16, signed_32

SAMPLE_MASK = 0xF8
"""A packet is in the sample if its sequence number has none of these bits."""

_RUN, _PERIOD = 8, 256
_MAX_DROPOUT, _MAX_MISORDER = 3000, 100
"""A sequence number further ahead or behind is a restarted sender, not loss (RFC 3550 A.1)."""
_DISCONTINUITY_S = 1.0
"""A transit time that changes by more is a sender that reset its timestamps."""


def is_sampled(sequence_number: int) -> bool:
    """Whether a filtered leg sees this packet."""
    return not sequence_number & SAMPLE_MASK


def sampled_below(sequence: int) -> int:
    """How many of the extended sequence numbers 0 … ``sequence`` - 1 are in the sample."""
    return sequence // _PERIOD * _RUN + min(sequence % _PERIOD, _RUN)


class Reception:
    """Counts one leg's inbound packets. ``clock_rate`` is the RTP clock in Hz; ``now`` is in seconds.

    With ``sampled`` every packet that is not in the sample may be missing.
    """

    def __init__(self, clock_rate: int, *, sampled: bool = False) -> None:
        self._clock_rate = clock_rate
        self._sampled = sampled
        self._ssrc: int | None = None
        self._seen = 0
        """Packets given to `receive`, all sources."""
        self._dropped: int | None = 0
        """The kernel's count of filtered packets; None if it has none."""
        self._earlier_expected = self._earlier_lost = 0
        """Of the sources before a restart."""
        self._base = self._highest = 0
        self._arrived_before = self._arrived_at_highest = 0
        self._sample_received = 0
        self._unexpected: int | None = None
        self._last_sequence = 0
        self._transit: int | None = None
        self.jitter_s = 0.0
        self._reported_expected = self._reported_lost = 0

    def receive(
        self, ssrc: int, sequence_number: int, timestamp: int | None, now: float, dropped: int | None = 0
    ) -> None:
        """Count a packet. ``timestamp`` is None where it says nothing about timing (telephone-event repeats
        one). ``dropped`` is the kernel's running count of filtered packets, None if it is not to be had.
        """
        self._seen += 1
        self._dropped = dropped
        if ssrc != self._ssrc:
            self._restart(ssrc, sequence_number)
        elif not self._advance(ssrc, sequence_number):
            return
        if is_sampled(sequence_number):
            self._sample_received += 1
        if timestamp is not None:
            self._measure_jitter(sequence_number, timestamp, now)
        self._last_sequence = sequence_number

    def note_dropped(self, dropped: int | None) -> bool:
        """Take the kernel's count without a packet; True if it has grown, which means that RTP comes in."""
        grown = dropped is not None and dropped > (self._dropped or 0)
        self._dropped = dropped
        return grown

    @property
    def ssrc(self) -> int | None:
        """The source heard last; None before the first packet."""
        return self._ssrc

    @property
    def packets_received(self) -> int:
        """Packets that arrived, those that the filter dropped included."""
        return self._seen + (self._dropped or 0)

    @property
    def highest_sequence(self) -> int:
        """Extended highest sequence number received, 32 bits."""
        return self._highest & 0xFFFF_FFFF

    @property
    def expected(self) -> int:
        """Packets that were sent, as far as sequence numbers tell."""
        return self._earlier_expected + self._expected_now()

    @property
    def lost(self) -> int:
        """Packets that did not arrive; negative after duplicates, as RFC 3550 wants it."""
        return self._earlier_lost + self._lost_now()

    @property
    def jitter(self) -> int:
        """Interarrival jitter in clock units, as a report holds it."""
        return int(self.jitter_s * self._clock_rate)

    def fraction_lost(self) -> int:
        """Loss since the last call of this method in 1/256 (A.3); duplicates cannot make it negative."""
        expected, lost = self.expected, self.lost
        new, missing = expected - self._reported_expected, lost - self._reported_lost
        self._reported_expected, self._reported_lost = expected, lost
        return min(255, (missing << 8) // new) if new > 0 and missing > 0 else 0

    def _expected_now(self) -> int:
        return 0 if self._ssrc is None else self._highest - self._base + 1

    def _lost_now(self) -> int:
        expected = self._expected_now()
        if not self._sampled or self._dropped is not None:
            return expected - (self._arrived_at_highest - self._arrived_before)
        of_sample = sampled_below(self._highest + 1) - sampled_below(self._base)
        missing = of_sample - self._sample_received
        return round(expected * missing / of_sample) if of_sample else 0

    def _restart(self, ssrc: int, sequence_number: int) -> None:
        self._earlier_expected, self._earlier_lost = self.expected, self.lost
        self._ssrc = ssrc
        self._base = self._highest = sequence_number
        self._arrived_before = self.packets_received - 1
        self._arrived_at_highest = self.packets_received
        self._sample_received = 0
        self._unexpected = None
        self._transit = None
        self._last_sequence = sequence_number

    def _advance(self, ssrc: int, sequence_number: int) -> bool:
        """Move the highest sequence number; False for a lone packet with an absurd one (A.1)."""
        step = signed_16(sequence_number - self._highest)
        if -_MAX_MISORDER < step <= 0:
            self._arrived_at_highest += 1
        elif 0 < step < _MAX_DROPOUT:
            self._highest += step
            self._arrived_at_highest = self.packets_received
        elif sequence_number == self._unexpected:
            self._restart(ssrc, sequence_number)
        else:
            self._unexpected = sequence_number + 1 & 0xFFFF
            self._arrived_before += 1
            self._arrived_at_highest += 1
            return False
        return True

    def _measure_jitter(self, sequence_number: int, timestamp: int, now: float) -> None:
        transit = int(now * self._clock_rate) - timestamp
        before, self._transit = self._transit, transit
        if before is None or (self._sampled and (sequence_number - self._last_sequence & 0xFFFF) >= _RUN):
            return
        change = abs(signed_32(transit - before)) / self._clock_rate
        if change < _DISCONTINUITY_S:
            self.jitter_s += (change - self.jitter_s) / 16
