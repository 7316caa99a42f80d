"""The dialer's side of media: one client, its worker processes, a stream for each leg."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outdial.errors import MediaWorkerLost
from outdial.telephony.media.client_stream import MediaStream, OnEvent
from outdial.telephony.media.options import MediaOptions
from outdial.telephony.media.port_pool import PortPool
from outdial.telephony.media.protocol import (
    AskStats,
    Close,
    Closed,
    Configure,
    Open,
    Opened,
    PortUnusable,
    Ready,
    Report,
    Stats,
)
from outdial.telephony.media.worker_link import WorkerLink

_SWEEP_S = 0.5


class MediaClient:
    """One per dialer. Events are callbacks and not queues: a call has a handful of them, and a queue and the
    task that waits on it would cost more than all of its messages.
    """

    def __init__(self, options: MediaOptions, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        """Seconds, by which ports rest."""
        self._ports = PortPool(
            options.port_min,
            options.port_max,
            options.quarantine_s,
            start=secrets.randbelow(1_000) / 1_000,
        )
        self._links: list[WorkerLink] = []
        self._streams: dict[int, MediaStream] = {}
        self._number = 0
        self._waiting: dict[int, tuple[float, WorkerLink, asyncio.Future[object]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._all_ready: asyncio.Future[None] | None = None

    @property
    def free_ports(self) -> int:
        """Legs that could be opened now."""
        return self._ports.free(self._clock())

    @property
    def worker_pids(self) -> list[int]:
        """Of the running workers."""
        return [link.pid for link in self._links if link.pid is not None]

    @property
    def worker_restarts(self) -> int:
        """How often a worker had to be started again."""
        return sum(link.restarts for link in self._links)

    @property
    def ready_workers(self) -> int:
        """How many take streams now."""
        return sum(link.ready for link in self._links)

    async def start(self) -> None:
        """Start the workers and wait until they are ready; raises :class:`MediaWorkerLost`. Idempotent."""
        if self._links:
            return
        options = self._options
        configure = Configure(
            options.bind_address,
            options.dscp,
            options.rtp_timeout_s,
            options.latch_window_s,
            options.rtcp_interval_s,
            options.clip_cache_bytes,
        )
        self._links = [
            WorkerLink(
                configure,
                on_report=self._take,
                on_lost=self._lost,
                restart_delay_s=options.restart_delay_s,
                restart_delay_max_s=options.restart_delay_max_s,
                ready_timeout_s=options.reply_timeout_s,
            )
            for _ in range(options.workers)
        ]
        all_ready = self._all_ready = asyncio.get_running_loop().create_future()
        for link in self._links:
            link.start()
        try:
            async with asyncio.timeout(options.reply_timeout_s):
                await all_ready
        except TimeoutError:
            await self.stop()
            raise MediaWorkerLost(
                f"the media workers did not start within {options.reply_timeout_s} s"
            ) from None

    async def stop(self) -> None:
        """End the workers, and with them every stream that is still open. Idempotent."""
        links, self._links = self._links, []
        for link in links:
            link.stop()
            self._lost(link)
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for link in links:
            await link.wait_stopped(self._options.reply_timeout_s)

    async def open(
        self,
        on_event: OnEvent,
        *,
        record_to: Path | None = None,
        beside: MediaStream | None = None,
        gathered: bool = False,
    ) -> MediaStream:
        """Bind a port pair in the least loaded worker; ``record_to`` is the file for what the far end says.

        Streams of one worker can be in one room: with ``beside`` it is in that stream's worker, and all
        that are ``gathered`` are in the same one. Raises :class:`NoFreePort` and :class:`MediaWorkerLost`.
        A disk that refuses the recording costs that alone (RecordingCut).
        """
        link = self._place(beside, gathered=gathered)
        link.streams += 1
        try:
            return await self._open(link, on_event, None if record_to is None else str(record_to))
        except BaseException:
            link.streams -= 1
            raise

    async def stats(self) -> list[dict[str, Any]]:
        """Each ready worker's figures since the last call; see ``Worker.stats``."""
        answers = []
        for link in self._links:
            if link.ready:
                self._number += 1
                answer = await self.ask(link, self._number, AskStats(self._number))
                if isinstance(answer, Stats):
                    answers.append(answer.figures)
        return answers

    def ask(self, link: WorkerLink, number: int, command: Open | Close | AskStats) -> asyncio.Future[object]:
        """Send a command that is answered. The future gets the answer, or None if the worker was lost."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._waiting[number] = (loop.time() + self._options.reply_timeout_s, link, future)
        link.send(command)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)
        return future

    async def _open(self, link: WorkerLink, on_event: OnEvent, record_to: str | None) -> MediaStream:
        while True:
            port = self._ports.take(self._clock())
            self._number += 1
            stream = self._streams[self._number] = MediaStream(self, link, self._number, port, on_event)
            try:
                answer = await self.ask(link, stream.number, Open(stream.number, port, record_to))
            except asyncio.CancelledError:
                # The worker may have opened it: it is told to close, and the port rests meanwhile.
                link.send(Close(stream.number))
                self._forget(stream)
                raise
            if isinstance(answer, Opened):
                return stream
            self._forget(stream)
            if not isinstance(answer, PortUnusable):
                raise MediaWorkerLost("the media worker died while a port was being opened")

    def _place(self, beside: MediaStream | None, *, gathered: bool) -> WorkerLink:
        if beside is not None:
            if beside.link is None:
                raise MediaWorkerLost("the media worker of the leg to be joined has died")
            return beside.link
        ready = [link for link in self._links if link.ready]
        if not ready:
            raise MediaWorkerLost("no media worker is running at the moment")
        if gathered:
            return ready[0]
        return min(ready, key=lambda link: max(link.streams + 1, self._options.fill_to))

    def _take(self, link: WorkerLink, report: Report) -> None:
        if isinstance(report, Ready):
            if self._all_ready is not None and all(link.ready for link in self._links):
                self._all_ready.set_result(None)
                self._all_ready = None
        elif isinstance(report, Opened | PortUnusable | Closed | Stats):
            if isinstance(report, Closed):
                self._closed(report.stream)
            self._answer(report.stream, report)
        elif (stream := self._streams.get(report.stream)) is not None:
            stream.take(report)

    def _closed(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            link = stream.detach(tell=False)
            if link is not None:
                link.streams -= 1
            self._forget(stream)

    def _answer(self, number: int, answer: object) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting[2].done():
            waiting[2].set_result(answer)

    def _forget(self, stream: MediaStream) -> None:
        if self._streams.pop(stream.number, None) is not None:
            self._ports.release(stream.port, self._clock())

    def _lost(self, link: WorkerLink) -> None:
        """A worker is gone: whoever waits for it gets an answer, its streams are told, its ports rest."""
        link.streams = 0
        answered = [number for number, (_, waited, _) in self._waiting.items() if waited is link]
        for number in answered:
            self._answer(number, None)
        for stream in list(self._streams.values()):
            if stream.link is link:
                self._forget(stream)
                # Who waits for open() or close() learns it there.
                stream.detach(tell=stream.number not in answered)

    def _sweep(self) -> None:
        """Kill workers that owe an answer for too long: that bounds every await here."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for link in {link for deadline, link, _ in self._waiting.values() if deadline <= now}:
            link.kill("no_answer")
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep) if self._waiting else None
