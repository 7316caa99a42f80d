"""Symmetric RTP: which source a leg listens to, and where it sends (telephony.md "Media"; RFC 7362).

Many far ends sit behind NAT, so that their RTP comes from another address than SDP said. The leg sends to the
SDP address first (some border controllers wait for that), follows the first valid packet, and locks to its
source. Until ``window_s`` later the address from SDP itself may still claim the leg: somebody who guessed the
port before the far end spoke does not keep the call. Nor does who falls silent before that, as the gateway of
an early media does whose last packet came after the answer: then the leg follows the next one.
"""

from enum import Enum, auto

Address = tuple[str, int]
"""IPv4 address and port."""


class Latching(Enum):
    """What to do with a valid packet."""

    FOREIGN = auto()
    """Ignore it and count it."""
    KEEP = auto()
    """Take it; nothing changes."""
    MOVE = auto()
    """Take it, and send to its source from now on, but go on listening to everybody."""
    LOCK = auto()
    """Take it, send to its source, and hear nobody else from now on."""


class Latch:
    """One leg's choice. ``now`` is in seconds, monotonic."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._named: Address = ("", 0)
        self._proven: Address | None = None
        """Whom it was locked to before the same address was named again."""
        self._window_until: float | None = None
        self.locked = False
        self.target: Address = ("", 0)
        """Where to send."""

    def expect(self, named: Address) -> None:
        """SDP named this address, for the first time or again (re-INVITE): the leg latches anew.

        If it is the same address as before, the source that was latched to stays the target, because the
        packets behind NAT still come from there; it is as trusted as the address itself, even where a
        stranger is heard first.
        """
        if named != self._named:
            self._named = self.target = named
            self._proven = None
        elif self.locked:
            self._proven = self.target
        self._window_until = None
        self.locked = False

    def packet_from(self, source: Address, now: float) -> Latching:
        """Decide about a packet that is valid in version and payload type."""
        if self.locked:
            return Latching.KEEP if source == self.target else Latching.FOREIGN
        known = source in (self._named, self._proven)
        if known or (self._window_until is None and source == self.target):
            return self._lock(source)
        if self._window_until is not None and source == self.target:
            return self._lock(source) if now >= self._window_until else Latching.KEEP
        # Who goes on sending is locked to with the first packet after the window: a window later, it is gone.
        if self._window_until is not None and now < self._window_until + self._window_s:
            return Latching.FOREIGN
        self._window_until = now + self._window_s
        self.target = source
        return Latching.MOVE

    def _lock(self, source: Address) -> Latching:
        self.target = source
        self.locked = True
        return Latching.LOCK
