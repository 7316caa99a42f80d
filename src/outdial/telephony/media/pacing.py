"""The pacing of every stream of a worker: an absolute schedule of 1 ms ticks, streams spread over the ticks.

A stream with a ptime of p ms has a slot: the ticks that leave a certain remainder when divided by p. What a
packet's timestamp says follows from the tick alone, so that timestamps, sequence numbers and time agree
however long a stream lives and whatever stalls the process.
"""

from struct import error as struct_error

from outdial.rtp.packet import pack_header
from outdial.telephony.media.sender import Sender

TICKS_PER_SECOND = 1000
CLOCK_PER_TICK = 8
"""RTP clock units per tick: PCMU, PCMA and G.722 all count 8,000 a second (RFC 3551 §4.5)."""

_LOOK_AHEAD = 10
"""A new stream gets the emptiest of the next so many ticks: its first packet leaves within 10 ms. All ptimes
are multiples of 10 ms, so that these ticks stand for all of them."""


class SlotWheel:
    """Which stream sends in which tick. Ticks are counted from any origin, but from the same one for ever."""

    def __init__(self) -> None:
        self._lanes: dict[int, list[list[Sender]]] = {}
        """Per ptime in use, its slots."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, sender: Sender, ptime_ms: int, tick: int) -> int:
        """Give a stream its slot; returns the tick of its first packet, from ``tick`` on."""
        slots = self._lanes.get(ptime_ms)
        if slots is None:
            slots = self._lanes[ptime_ms] = [[] for _ in range(ptime_ms)]
        first = min(
            range(tick, tick + _LOOK_AHEAD), key=lambda tick: (len(slots[tick % ptime_ms]), self.load(tick))
        )
        sender.slot = slots[first % ptime_ms]
        sender.slot.append(sender)
        self._count += 1
        return first

    def remove(self, sender: Sender) -> None:
        """Take a stream out; nothing happens if it is not in."""
        if sender.slot is not None:
            sender.slot.remove(sender)
            sender.slot = None
            self._count -= 1

    def load(self, tick: int) -> int:
        """How many packets the tick has."""
        return sum(len(slots[tick % ptime_ms]) for ptime_ms, slots in self._lanes.items())

    def next_busy(self, tick: int) -> int:
        """The first tick from ``tick`` on in which somebody sends. There has to be a stream."""
        while not self.load(tick):
            tick += 1
        return tick

    def send(self, tick: int) -> int:
        """Send what is due in the tick; returns the number of packets. This is the hot loop."""
        clock = tick * CLOCK_PER_TICK
        pack = pack_header
        count = 0
        for ptime_ms, slots in self._lanes.items():
            slot = slots[tick % ptime_ms]
            count += len(slot)
            for sender in slot:
                frame = next(sender.frames, None)
                if frame is None:
                    frame = sender.turn()
                sequence = sender.sequence
                sender.sequence = sequence + 1
                # A local, because Python 3.11 looks a method up the long way in an object with slots.
                put = sender.send
                try:
                    put(
                        pack(
                            sender.first_word,
                            sequence & 0xFFFF,
                            clock + sender.timestamp_offset,
                            sender.ssrc,
                        )
                        + frame
                    )
                except struct_error:
                    _send_wrapped(sender, sequence, clock, frame)
                except OSError:
                    # A full buffer, or an ICMP error for an earlier packet: only this one is lost.
                    sender.send_errors += 1
        return count


def _send_wrapped(sender: Sender, sequence: int, clock: int, frame: bytes) -> None:
    """Send a packet whose timestamp has outgrown its field; masking every timestamp would cost more than all
    else that Python does for a packet.
    """
    timestamp = clock + sender.timestamp_offset & 0xFFFF_FFFF
    sender.timestamp_offset = timestamp - clock
    try:
        sender.send(pack_header(sender.first_word, sequence & 0xFFFF, timestamp, sender.ssrc) + frame)
    except OSError:
        sender.send_errors += 1


class Schedule:
    """When ticks are due, and which of them may still be made up for. Times are seconds, monotonic."""

    CATCH_UP_TICKS = 20
    """A stall of up to 20 ms is made up for at once, which is one packet for most streams. What was missed
    before that is not sent in a burst: the stream goes on with what it would have sent, and its timestamps
    show the gap."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self.skipped_ticks = 0

    def due_at(self, tick: int) -> float:
        """When a tick is due."""
        return self._origin + tick / TICKS_PER_SECOND

    def tick_at(self, now: float) -> int:
        """The newest tick that is due."""
        return int((now - self._origin) * TICKS_PER_SECOND)

    def without_backlog(self, tick: int, now: float) -> int:
        """The tick to go on with instead of ``tick``, if the process has stalled for too long."""
        oldest = self.tick_at(now) - self.CATCH_UP_TICKS
        if tick >= oldest:
            return tick
        self.skipped_ticks += oldest - tick
        return oldest
