"""What a stream needs of the worker that it lives in."""

from typing import Protocol

from outdial.telephony.media.clip_cache import ClipCache
from outdial.telephony.media.pacing import SlotWheel
from outdial.telephony.media.protocol import Configure, Report
from outdial.telephony.media.timers import Timers


class Host(Protocol):
    """The worker's side of the seam; a test has its own with a clock that it turns."""

    config: Configure
    wheel: SlotWheel
    timers: Timers
    clips: ClipCache

    def emit(self, report: Report) -> None:
        """Send a report to the dialer, with the next batch."""

    def now(self) -> float:
        """Seconds, monotonic, as of this turn of the loop."""

    def unix_time(self) -> float:
        """Seconds since 1970, for RTCP."""

    def next_tick(self) -> int:
        """The tick that is sent next."""

    def random_bits(self, bits: int) -> int:
        """An unpredictable number (RFC 3550 §8.1 for SSRCs)."""

    def note_problem(self, name: str, error: OSError) -> None:
        """Count something that should not happen and that the call survives."""
