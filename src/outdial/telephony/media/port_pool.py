"""Which RTP ports are free. No sockets: the owner says when one turned out to be used by somebody else."""

from collections import deque

from outdial.errors import NoFreePort


class PortPool:
    """Pairs of ports, named by the even one (RTP); RTCP has the odd one above it (RFC 3550 §11).

    The port that has rested longest is taken next. ``now`` is in seconds, monotonic.

    ``start``, from 0 to below 1, says where in the range to begin. It should be random: the far ends of a
    process that died still send to its ports for a while, a new process knows nothing of them, and a leg on
    such a port would follow their packets and play its prompt to them.
    """

    def __init__(self, port_min: int, port_max: int, quarantine_s: float, *, start: float = 0.0) -> None:
        first = port_min + port_min % 2
        self._free = deque(range(first, port_max, 2))
        self._free.rotate(-int(start * len(self._free)))
        self._used: set[int] = set()
        self._resting: deque[tuple[float, int]] = deque()
        self._quarantine_s = quarantine_s
        self._range = f"{port_min} to {port_max}"

    def take(self, now: float) -> int:
        """An even port that nobody of ours uses; raises :class:`NoFreePort`."""
        self._wake(now)
        if not self._free:
            raise NoFreePort(
                f"every RTP port of {self._range} is taken: {len(self._used)} pairs in use,"
                f" {len(self._resting)} resting after a call"
            )
        port = self._free.popleft()
        self._used.add(port)
        return port

    def release(self, port: int, now: float) -> None:
        """Let a taken port rest, then be free. A port that is not taken is left alone."""
        if port in self._used:
            self._used.remove(port)
            self._resting.append((now + self._quarantine_s, port))

    def free(self, now: float) -> int:
        """How many pairs can be taken now."""
        self._wake(now)
        return len(self._free)

    @property
    def used(self) -> int:
        """How many pairs are taken."""
        return len(self._used)

    def _wake(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
