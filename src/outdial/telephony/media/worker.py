"""The media worker: one process, one plain loop, nothing in it but pacing (performance.md).

Started by ``client.MediaClient`` as ``python -m outdial.telephony.media.worker FD`` with one end of a Unix
socket pair. It ends when the other end is closed, which is when the dialer is gone: nobody hears a call that
nobody controls.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from outdial.telephony.media.clip_cache import ClipCache
from outdial.telephony.media.kernel import prefer_this_process, set_timer_slack
from outdial.telephony.media.lateness import LatenessHistogram
from outdial.telephony.media.pacing import Schedule, SlotWheel
from outdial.telephony.media.protocol import (
    AskStats,
    Close,
    Closed,
    Command,
    Configure,
    Connect,
    Join,
    Leave,
    LineReader,
    NotRecorded,
    Open,
    Opened,
    Play,
    PortUnusable,
    PressKey,
    Ready,
    RecordMessage,
    Report,
    Stats,
    StopMessage,
    StopPlaying,
    StreamCommand,
    encode,
)
from outdial.telephony.media.recording import Recording
from outdial.telephony.media.room import Room
from outdial.telephony.media.stream import Stream
from outdial.telephony.media.timers import Timers
from outdial.telephony.media.udp_pair import bind_pair

_Input = TypeVar("_Input")

_MAX_EVENTS = 512
_IDLE_POLL_S = 1.0
_RETRY_S = 0.01
"""A report that the dialer's socket had no room for is tried again after this."""
_SLEEP_BELOW_S = 0.002
"""epoll counts whole milliseconds; what is nearer than this is slept to, by the nanosecond clock."""
_WORK_SLICE_S = 0.000_2
"""What timers, and commands, get of a tick."""


class Worker:
    """The loop and its streams. Implements :class:`outdial.telephony.media.host.Host`."""

    def __init__(self, config: Configure, commands: socket.socket, reader: LineReader[Command]) -> None:
        self.config = config
        self.wheel = SlotWheel()
        self.timers = Timers()
        self.clips = ClipCache(config.clip_cache_bytes)
        self._commands = commands
        self._reader = reader
        self._waiting: deque[Command] = deque()
        self._outbox = bytearray()
        self._streams: dict[int, Stream] = {}
        self._rooms: dict[str, Room] = {}
        self._readable: dict[int, Callable[[float], None]] = {}
        self._epoll = select.epoll()
        self._now = time.monotonic()
        self._schedule = Schedule(self._now)
        self._tick = 1
        self._lateness = LatenessHistogram()
        self._problems: Counter[str] = Counter()
        self._opened = 0
        self.scheduling = "default"
        """What the kernel has granted; for the figures."""
        self._running = True
        commands.setblocking(False)
        self._listen(commands.fileno(), self._take_commands)

    def run(self) -> None:
        """Work until the dialer is gone."""
        self.emit(Ready(os.getpid()))
        self._flush()
        while self._running:
            began = self._now
            if len(self.wheel):
                self._wait_for_tick()
                began = self._now
                self._send_ticks()
            else:
                self._read(self._idle_timeout_s())
                self._tick = max(self._tick, self._schedule.tick_at(self._now) + 1)
            self._work(max(_WORK_SLICE_S, (self._now - began) / 4))
            self._flush()
        self.close()

    def close(self) -> None:
        """Finish recordings and close every socket, without a word to anybody. Idempotent."""
        for stream in self._streams.values():
            stream.inbound.close()
            stream.rtp.close()
            stream.rtcp.close()
        self._streams.clear()
        self._epoll.close()

    def take(self, commands: list[Command]) -> None:
        """Queue commands that came with the configuration."""
        self._waiting.extend(commands)

    def now(self) -> float:
        """See :class:`Host`."""
        return self._now

    def unix_time(self) -> float:
        """See :class:`Host`."""
        return time.time()  # noqa: TID251 - the worker is a process of its own; NTP time is for RTCP only

    def next_tick(self) -> int:
        """See :class:`Host`."""
        return max(self._tick, self._schedule.tick_at(self._now) + 1)

    def random_bits(self, bits: int) -> int:
        """See :class:`Host`."""
        return int.from_bytes(os.urandom(8), "big") >> 64 - bits

    def emit(self, report: Report) -> None:
        """See :class:`Host`."""
        self._outbox += encode(report)

    def note_problem(self, name: str, error: OSError) -> None:
        """See :class:`Host`."""
        self._problems[f"{name}: {error.strerror}"] += 1

    def stats(self) -> dict[str, object]:
        """Figures since the last call: lateness (ms), packets, skipped ticks, CPU seconds since the start."""
        lateness, self._lateness = self._lateness, LatenessHistogram()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "pid": os.getpid(),
            "lateness": lateness.figures(),
            "skipped_ticks": self._schedule.skipped_ticks,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "streams": len(self._streams),
            "sending": len(self.wheel),
            "opened": self._opened,
            "clip_bytes": self.clips.size,
            "scheduling": self.scheduling,
            "problems": dict(self._problems),
        }

    def _wait_for_tick(self) -> None:
        """Sleep until the next tick in which somebody sends, or until something can be read before it."""
        self._now = time.monotonic()
        self._tick = self._schedule.without_backlog(self._tick, self._now)
        due_at = self._schedule.due_at(self.wheel.next_busy(self._tick))
        while True:
            wait_s = due_at - self._now
            if wait_s <= 0:
                return
            if wait_s < _SLEEP_BELOW_S:
                time.sleep(wait_s)
                self._now = time.monotonic()
                return
            self._read(wait_s - _SLEEP_BELOW_S / 2)
            if self._waiting or not self._running:
                return

    def _send_ticks(self) -> None:
        """Send every tick that is due, then look what has come in."""
        schedule, newest = self._schedule, self._schedule.tick_at(self._now)
        while self._tick <= newest:
            sent = self.wheel.send(self._tick)
            if sent:
                self._now = time.monotonic()
                self._lateness.add(self._now - schedule.due_at(self._tick), sent)
            self._tick += 1
        self._read(0)

    def _read(self, timeout_s: float) -> None:
        events = self._epoll.poll(timeout_s, _MAX_EVENTS)
        self._now = time.monotonic()
        for descriptor, _ in events:
            readable = self._readable.get(descriptor)
            if readable is not None:
                self._guard(readable, self._now)

    def _guard(self, action: Callable[[_Input], object], argument: _Input) -> object:
        """A fault in what concerns one stream is told on standard error, and is not to end all the others."""
        try:
            return action(argument)
        except Exception:  # noqa: BLE001 - as the docstring says
            self._problems["fault"] += 1
            traceback.print_exc()
            return True

    def _idle_timeout_s(self) -> float:
        if self._waiting:
            return 0
        if self._outbox:
            return _RETRY_S
        next_at = self.timers.next_at
        return _IDLE_POLL_S if next_at is None else min(max(0.0, next_at - time.monotonic()), _IDLE_POLL_S)

    def _work(self, slice_s: float) -> None:
        """Run timers and commands, each for a slice of time, so that a burst of them does not delay packets.

        At least one of each runs, and in overload a share of the time: calls end by a command.
        """
        until = self._now + slice_s
        while self._guard(self.timers.run_one, self._now) and time.monotonic() < until:
            pass
        until = time.monotonic() + slice_s
        while self._waiting:
            self._guard(self._obey, self._waiting.popleft())
            if time.monotonic() >= until and len(self.wheel):
                return

    def _take_commands(self, _now: float) -> None:
        try:
            data = self._commands.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._running = False
            return
        self._waiting.extend(self._reader.feed(data))

    def _obey(self, command: Command) -> None:
        if isinstance(command, Open):
            self._open(command)
        elif isinstance(command, AskStats):
            self.emit(Stats(command.stream, self.stats()))
        elif not isinstance(command, Configure) and (stream := self._streams.get(command.stream)) is not None:
            self._direct(stream, command)

    def _direct(self, stream: Stream, command: StreamCommand) -> None:
        match command:
            case Connect():
                stream.connect(command)
            case Play():
                stream.play(command.play_id, command.clips)
            case StopPlaying():
                stream.stop_playing()
            case RecordMessage():
                stream.record_message(command)
            case StopMessage():
                stream.stop_message()
            case Join():
                self._join(stream, command)
            case Leave():
                stream.leave()
                self._forget_empty_rooms()
            case PressKey():
                stream.press(command)
            case Close():
                self._close(stream)

    def _open(self, command: Open) -> None:
        try:
            rtp, rtcp = bind_pair(self.config.bind_address, command.port, self.config.dscp)
        except OSError as error:
            self.emit(PortUnusable(command.stream, f"port {command.port}: {error.strerror}"))
            return
        recording = problem = None
        if command.record_to is not None:
            try:
                recording = Recording(Path(command.record_to))
            except OSError as error:
                problem = error.strerror
        stream = Stream(command.stream, rtp, rtcp, self, recording)
        self._streams[command.stream] = stream
        self._opened += 1
        self._listen(rtp.fileno(), stream.rtp_readable)
        self._listen(rtcp.fileno(), stream.rtcp_readable)
        self.emit(Opened(command.stream))
        if problem is not None:
            self.emit(NotRecorded(command.stream, 0, problem))

    def _join(self, stream: Stream, command: Join) -> None:
        stream.join(command, self._rooms.setdefault(command.room, Room()))
        self._forget_empty_rooms()

    def _forget_empty_rooms(self) -> None:
        if self._rooms:
            self._rooms = {name: room for name, room in self._rooms.items() if room.members}

    def _close(self, stream: Stream) -> None:
        del self._streams[stream.number]
        for sock in (stream.rtp, stream.rtcp):
            self._epoll.unregister(sock.fileno())
            del self._readable[sock.fileno()]
        try:
            stream.close()
        finally:
            # Whatever went wrong: the dialer waits for this, and kills a worker that does not say it.
            stream.rtp.close()
            stream.rtcp.close()
            self._forget_empty_rooms()
            self.emit(Closed(stream.number))

    def _listen(self, descriptor: int, readable: Callable[[float], None]) -> None:
        self._epoll.register(descriptor, select.EPOLLIN)
        self._readable[descriptor] = readable

    def _flush(self) -> None:
        """Hand reports to the dialer; what its socket cannot take waits for the next turn."""
        if not self._outbox:
            return
        try:
            sent = self._commands.send(self._outbox)
        except BlockingIOError:
            return
        except OSError:
            self._running = False
            return
        del self._outbox[:sent]


def main() -> None:
    """Run on the socket whose descriptor is the first argument."""
    # A Ctrl-C or a service's stop reaches the whole group; the dialer decides when calls end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    set_timer_slack(1)
    scheduling = prefer_this_process()
    commands = socket.socket(fileno=int(sys.argv[1]))
    reader = LineReader[Command]()
    first: list[Command] = []
    while not first:
        data = commands.recv(65_536)
        if not data:
            return
        first = reader.feed(data)
    config, *early = first
    if not isinstance(config, Configure):
        raise TypeError(f"the first command is {type(config).__name__}, not Configure")
    worker = Worker(config, commands, reader)
    worker.scheduling = scheduling
    worker.take(early)
    gc.collect()
    gc.freeze()
    gc.disable()
    worker.run()


if __name__ == "__main__":
    main()
