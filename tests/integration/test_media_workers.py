"""Worker processes that die, hang, or outlive their dialer."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.helpers.media_far_end import FarEnd, until

from outdial.errors import MediaWorkerLost
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.events import Latched, MediaEvent, PlayFinished, WorkerLost
from outdial.telephony.media.options import MediaOptions

PORTS = iter(range(18_000, 20_900, 40))


def options(**changes: object) -> MediaOptions:
    first = next(PORTS)
    defaults: dict[str, object] = {
        "port_min": first,
        "port_max": first + 39,
        "rtcp_interval_s": 0.2,
        "quarantine_s": 0.05,
        "restart_delay_s": 0.05,
    }
    return MediaOptions(**(defaults | changes))  # type: ignore[arg-type]


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1]
    except FileNotFoundError:
        return False
    return not state.startswith("Z")


async def test_a_killed_worker_takes_only_its_own_streams_and_comes_back(tmp_path: Path) -> None:
    client = MediaClient(options(workers=2, fill_to=1))
    await client.start()
    first_pids = client.worker_pids
    with FarEnd() as one, FarEnd() as two:
        events_one: list[MediaEvent] = []
        events_two: list[MediaEvent] = []
        recording = tmp_path / "one.ulaw"
        stream_one = await client.open(events_one.append, record_to=recording)
        stream_two = await client.open(events_two.append)
        stream_one.connect(one.agreed())
        stream_two.connect(two.agreed())
        await one.hear(1)
        for _ in range(5):
            one.say(stream_one.port)
        await until(lambda: recording.stat().st_size > 0)
        await until(lambda: stream_one.quality.packets_sent > 0)

        os.kill(first_pids[0], signal.SIGKILL)
        await until(lambda: WorkerLost() in events_one)
        await two.hear(5)
        assert WorkerLost() not in events_two
        quality = await stream_one.close()
        assert quality.packets_sent > 0, "what was last known"
        assert quality == await stream_one.close()
        assert recording.stat().st_size > 0
        stream_one.play("never", [])
        stream_one.connect(one.agreed())

        await until(lambda: len(client.worker_pids) == 2 and client.worker_pids[0] != first_pids[0])
        assert client.worker_pids[1] == first_pids[1]
        await until(lambda: client.ready_workers == 2)
        again = await client.open(events_one.append)
        again.connect(one.agreed())
        one.take()
        await one.hear(2)
        await two.hear(2)
        await asyncio.gather(again.close(), stream_two.close())
    await until(lambda: client.free_ports == 20)
    await client.stop()


async def test_while_no_worker_runs_nothing_can_be_opened_but_the_client_goes_on() -> None:
    client = MediaClient(options(restart_delay_s=0.2))
    await client.start()
    (pid,) = client.worker_pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: client.ready_workers == 0)
    with pytest.raises(MediaWorkerLost, match="no media worker"):
        await client.open(lambda event: None)
    assert await client.stats() == []
    await until(lambda: client.ready_workers == 1)
    await (await client.open(lambda event: None)).close()
    await client.stop()


async def test_who_is_opening_or_closing_when_the_worker_dies_gets_an_answer() -> None:
    client = MediaClient(options())
    await client.start()
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    (pid,) = client.worker_pids
    os.kill(pid, signal.SIGSTOP)
    opening = asyncio.gather(client.open(events.append), return_exceptions=True)
    closing = asyncio.gather(stream.close())
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    (error,) = await opening
    assert isinstance(error, MediaWorkerLost)
    await closing
    assert events == [], "they learnt it where they waited"
    await client.stop()


async def test_a_worker_that_hangs_is_replaced() -> None:
    client = MediaClient(options(reply_timeout_s=2.0))
    await client.start()
    (pid,) = client.worker_pids
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(MediaWorkerLost):
        await client.open(lambda event: None)
    await until(lambda: client.ready_workers == 1)
    assert client.worker_pids != [pid]
    await client.stop()


async def test_a_cancelled_open_leaves_nothing_behind() -> None:
    client = MediaClient(options())
    await client.start()
    opening = asyncio.gather(client.open(lambda event: None))
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await until(lambda: client.free_ports == 20)
    (figures,) = await client.stats()
    assert figures["streams"] == 0
    await client.stop()


async def test_a_second_worker_has_streams_when_the_first_has_a_few_and_then_they_share() -> None:
    client = MediaClient(options(workers=2, fill_to=2))
    await client.start()
    streams = [await client.open(lambda event: None) for _ in range(6)]
    links = [stream.link for stream in streams]
    first, second = links[0], links[2]
    assert first is not second
    assert links == [first, first, second, second, first, second]
    await streams[0].close()
    again = await client.open(lambda event: None)
    assert again.link is first
    await client.stop()


async def test_stopping_ends_processes_and_tells_open_streams() -> None:
    client = MediaClient(options(workers=2, fill_to=1))
    await client.start()
    pids = client.worker_pids
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    await client.stop()
    assert events == [WorkerLost()]
    await stream.close()
    assert not any(running(pid) for pid in pids)


async def test_a_fault_in_one_legs_callback_does_not_cost_another_leg_its_events(tmp_path: Path) -> None:
    client = MediaClient(options())
    await client.start()
    clip = tmp_path / "a.clip"
    clip.write_bytes(bytes(160))
    events: list[MediaEvent] = []

    def fails(event: MediaEvent) -> None:
        raise RuntimeError("a fault")

    # Captured, because the log of a test draws a traceback with all that it knows: seconds of a busy machine,
    # in which nobody reads what the worker says.
    with FarEnd() as one, FarEnd() as two, capture_logs() as lines:
        faulty, sound = await client.open(fails), await client.open(events.append)
        for stream, far in ((faulty, one), (sound, two)):
            stream.connect(far.agreed())
            stream.play("a", [clip])
        await until(lambda: any(isinstance(event, PlayFinished) for event in events))
        await until(lambda: len(lines) >= 2)
        await faulty.close()
    assert {line["event"] for line in lines} == {"media_report_failed"}
    await client.stop()


async def test_a_dead_dialer_silences_its_calls(tmp_path: Path) -> None:
    """A dialer process that is killed in the middle of a call: the far end hears nothing any more."""
    program = textwrap.dedent(
        """
        import asyncio, sys
        from outdial.sdp.agreement import AgreedMedia
        from outdial.sdp.codec import PCMU
        from outdial.sdp.direction import Direction
        from outdial.telephony.media.client import MediaClient
        from outdial.telephony.media.options import MediaOptions

        async def main(first, port):
            client = MediaClient(MediaOptions(port_min=first, port_max=first + 39))
            await client.start()
            stream = await client.open(lambda event: None)
            there = ("127.0.0.1", port)
            stream.connect(AgreedMedia(*there, *there, PCMU, 0, 20, None, 8000, Direction.SENDRECV))
            print(*client.worker_pids, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
        """
    )
    with FarEnd() as far:
        dialer = subprocess.Popen(
            [sys.executable, "-c", program, str(next(PORTS)), str(far.address[1])], stdout=subprocess.PIPE
        )
        assert dialer.stdout is not None
        with dialer.stdout:
            worker = int(dialer.stdout.readline())
            await far.hear(3)
            dialer.kill()
            dialer.wait()
        await until(lambda: not running(worker))
        far.take()
        assert far.take() == []


async def test_a_ctrl_c_for_the_group_leaves_the_worker_to_its_dialer() -> None:
    client = MediaClient(options())
    await client.start()
    (pid,) = client.worker_pids
    with FarEnd() as far:
        events: list[MediaEvent] = []
        stream = await client.open(events.append)
        stream.connect(far.agreed())
        await far.hear(1)
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
        far.say(stream.port)
        await until(lambda: Latched(*far.address) in events)
        await far.hear(2)
        await stream.close()
    await client.stop()
