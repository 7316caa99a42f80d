"""The dialer's end of a media worker, on the event loop of servers and on asyncio's own."""

import asyncio
import os
import socket
from typing import Any

import pytest
import uvloop

from outdial.telephony.media.protocol import Configure
from outdial.telephony.media.worker_link import WorkerLink

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Process:
    """In the place of a worker: its end of the socket, in this process."""

    pid = 1

    def __init__(self, _command: list[str], pass_fds: tuple[int, ...], **_: Any) -> None:
        self.socket = socket.socket(fileno=os.dup(pass_fds[0]))

    def kill(self) -> None: ...

    def poll(self) -> int:
        return 0


@pytest.mark.parametrize("loop", LOOPS)
def test_a_worker_that_dies_with_words_on_both_sides_is_missed(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had sent something, and not read everything: the kernel says both, and libuv says so once."""
    monkeypatch.setattr("outdial.telephony.media.worker_link.subprocess.Popen", Process)

    async def main() -> None:
        lost = asyncio.Event()
        link = WorkerLink(
            Configure("127.0.0.1", 46, 30.0, 1.0, 5.0, 1_000),
            on_report=lambda *_: None,
            on_lost=lambda _: lost.set(),
            restart_delay_s=60.0,
            restart_delay_max_s=60.0,
            ready_timeout_s=60.0,
        )
        link.start()
        process: Any = link._process
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the configuration is sent, and stays unread
        process.socket.send(b"half a lin")
        process.socket.close()
        try:
            async with asyncio.timeout(10):
                await lost.wait()
        finally:
            link.stop()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
