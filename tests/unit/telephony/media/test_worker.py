"""The worker's loop, turn by turn, in this process."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outdial.telephony.media.protocol import (
    AskStats,
    Close,
    Closed,
    Configure,
    LineReader,
    Measured,
    NotRecorded,
    Open,
    Opened,
    Play,
    PortUnusable,
    Report,
    Stats,
    encode,
)
from outdial.telephony.media.sender import Sender
from outdial.telephony.media.stream import Stream
from outdial.telephony.media.worker import Worker

CONFIG = Configure("127.0.0.1", 46, 30.0, 0.5, 5.0, 1 << 20)


class Nobody:
    def audio_began(self) -> None: ...

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None: ...


class Dialer:
    """The other end of the worker's socket."""

    def __init__(self) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.setblocking(False)
        self._theirs = theirs
        self.worker = Worker(CONFIG, theirs, LineReader())
        self._reader = LineReader[Report]()

    def say(self, *commands: Any) -> None:
        self.sock.sendall(b"".join(encode(command) for command in commands))

    def turn(self) -> list[Any]:
        """One turn of the loop without waiting; returns what the worker said."""
        self.worker._read(0)
        self.worker._work(1.0)
        self.worker._flush()
        try:
            return self._reader.feed(self.sock.recv(1 << 20))
        except BlockingIOError:
            return []

    def close(self) -> None:
        self.worker.close()
        self.sock.close()
        self._theirs.close()


@pytest.fixture
def dialer() -> Iterator[Dialer]:
    dialer = Dialer()
    yield dialer
    dialer.close()


def free_port() -> int:
    for port in range(53_000, 60_000, 2):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            try:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no port pair is free")


def test_a_fault_at_the_end_of_a_stream_does_not_cost_all_the_others(
    dialer: Dialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialer waits for the word that it is closed, and kills a worker that does not say it."""

    def fail(_: Stream) -> None:
        raise RuntimeError("a fault of ours")

    port = free_port()
    dialer.say(Open(1, port, None))
    assert dialer.turn() == [Opened(1)]
    monkeypatch.setattr(Stream, "close", fail)
    dialer.say(Close(1))
    assert dialer.turn() == [Closed(1)]
    monkeypatch.undo()
    dialer.say(Open(2, port, None))
    assert dialer.turn() == [Opened(2)], "the ports are free again"


def test_a_stream_is_opened_counted_and_closed(dialer: Dialer) -> None:
    dialer.say(Open(1, free_port(), None), AskStats(2), Close(1), AskStats(3))
    opened, first, measured, closed, second = dialer.turn()
    assert opened == Opened(1)
    assert isinstance(first, Stats)
    assert (first.stream, first.figures["streams"], first.figures["opened"]) == (2, 1, 1)
    assert isinstance(measured, Measured)
    assert closed == Closed(1)
    assert isinstance(second, Stats)
    assert second.figures["streams"] == 0


def test_ports_that_are_used_are_told_and_nothing_stays_open(dialer: Dialer) -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port + 1))
        dialer.say(Open(1, port, None))
        (answer,) = dialer.turn()
        assert isinstance(answer, PortUnusable)
    dialer.say(Open(2, port, None))
    assert dialer.turn() == [Opened(2)]


def test_a_recording_whose_file_cannot_be_made_costs_nothing_else(dialer: Dialer, tmp_path: Path) -> None:
    dialer.say(Open(1, free_port(), str(tmp_path / "none" / "x.ulaw")))
    assert dialer.turn() == [Opened(1), NotRecorded(1, 0, "No such file or directory")]


def test_commands_for_a_stream_that_is_gone_are_passed_over(dialer: Dialer) -> None:
    dialer.say(Play(99, "late", []), Close(99), CONFIG)
    assert dialer.turn() == []


def test_a_fault_in_one_stream_is_told_and_leaves_the_others(
    dialer: Dialer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dialer.say(Open(1, free_port(), None))
    dialer.turn()
    monkeypatch.setattr(dialer.worker._streams[1], "play", None)
    dialer.say(Play(1, "one", []), AskStats(2))
    (stats,) = dialer.turn()
    assert stats.figures["problems"] == {"fault": 1}
    assert "TypeError" in capsys.readouterr().err


def test_a_new_stream_does_not_wait_for_a_slow_one(dialer: Dialer) -> None:
    """A command comes while the only stream's next packet is far away: a new one begins at once."""
    worker = dialer.worker
    slow = Sender(ssrc=1, sequence=0, timestamp_offset=0, load=lambda *_: [], events=Nobody())
    slow.configure(0, 60, 0xFF)
    far_away = worker.wheel.add(slow, 60, worker.next_tick() + 40_000)
    assert far_away > worker.next_tick() + 30_000
    worker.wheel.next_busy = lambda tick: far_away  # type: ignore[method-assign]
    dialer.say(AskStats(1))
    worker._wait_for_tick()
    worker._send_ticks()
    assert worker.next_tick() == worker._schedule.tick_at(worker._now) + 1


def test_the_worker_ends_with_its_dialer(dialer: Dialer) -> None:
    dialer.sock.close()
    dialer.worker.run()


def test_what_the_dialer_has_no_room_for_is_kept(dialer: Dialer) -> None:
    count = 30_000
    for number in range(count):
        dialer.worker.emit(Opened(number))
    heard: list[Any] = []
    for _ in range(1000):
        heard += dialer.turn()
        if len(heard) == count:
            break
    assert heard == [Opened(number) for number in range(count)]
