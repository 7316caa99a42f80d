"""The deliverer: claims what is due as soon as it is announced, and sends each event as a task."""

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from outdial.errors import DatabaseUnavailable
from outdial.storage import deliveries, outbox_claims, wake
from outdial.storage.database import Database
from outdial.storage.outbox_claims import Event
from outdial.telemetry import metrics
from outdial.telemetry.spans import Span, Tracer
from outdial.webhooks.client import HttpClient
from outdial.webhooks.options import WebhookOptions
from outdial.webhooks.sending import Clock, Sent, send, settle

_LEASE_MARGIN_MS = 15_000
"""Beyond the longest request: to write what came of it, on a busy database too."""
_BLOCKED_S = 0.5
"""When something is due and nothing was had: another process sends an earlier event of the same call."""
_AFTER_FAULT_S = 1.0
_SWEEP_S = 300.0

_log = structlog.get_logger(__name__)


class Deliverer:
    """Sends the outbox. `start` and `stop` are idempotent; `stop` lets requests under way end.

    The database and the client are started and stopped by whoever makes the deliverer. `finished` may be
    awaited to learn that it died of a fault, which `stop` then raises. `random` returns [0, 1).
    """

    def __init__(
        self,
        database: Database,
        client: HttpClient,
        clock: Clock,
        *,
        random: Callable[[], float],
        options: WebhookOptions | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._random = random
        self._options = options or WebhookOptions()
        self._tracer = tracer
        self._wake = wake.WakeListener(database.url, [wake.OUTBOX])
        self._stopping = asyncio.Event()
        self._in_flight: Counter[int] = Counter()
        self._sending: dict[asyncio.Task[None], Event] = {}
        self._main: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return len(self._sending)

    async def start(self) -> None:
        """Begin to claim and send."""
        if self._main is None:
            self._main = asyncio.create_task(self._serve())  # noqa: TID251 - the one task; `stop` awaits it

    async def stop(self) -> None:
        """Claim nothing more, let requests end for the drain time, give the rest back."""
        self._stopping.set()
        self._wake.wake()
        main, self._main = self._main, None
        if main is not None:
            await main

    async def finished(self) -> None:
        """Wait until the deliverer is no longer running."""
        if self._main is not None:
            await asyncio.wait([self._main])

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as helpers:
            background = [helpers.create_task(self._wake.run()), helpers.create_task(self._keep_sweeping())]
            async with asyncio.TaskGroup() as running:
                await self._claim_until_stopped(running)
                await self._drain()
            for task in background:
                task.cancel()

    async def _claim_until_stopped(self, running: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            try:
                wait_s = await self._claim(running)
            except DatabaseUnavailable as error:
                _log.warning("outbox_claim_failed", error=str(error))
                wait_s = _AFTER_FAULT_S
            await self._wake.wait(wait_s)

    async def _claim(self, running: asyncio.TaskGroup) -> float:
        """Start what may be sent now; return for how many seconds nothing else will come by itself."""
        options = self._options
        room = options.max_concurrent - len(self._sending)
        if room <= 0:
            return options.poll_s  # the end of a request wakes us
        now = self._clock()
        found = await self._database.run(
            outbox_claims.claim_due,
            now=now,
            lease_until=now + int(options.timeout_s * 1000) + _LEASE_MARGIN_MS,
            limit=room,
            per_endpoint=options.per_endpoint,
            in_flight=dict(self._in_flight),
        )
        for event in found.events:
            self._in_flight[event.webhook.id] += 1
            self._sending[running.create_task(self._deliver(event))] = event
        if found.next_due_at is None:
            return options.poll_s
        due_in_s = (found.next_due_at - self._clock()) / 1000
        return min(options.poll_s, max(due_in_s, 0.0 if found.events else _BLOCKED_S))

    async def _deliver(self, event: Event) -> None:
        try:
            await self._write(event, await send(self._client, event, self._clock, self._options))
        except Exception as error:  # noqa: BLE001 - one event's fault must not end the others
            # Its lease runs out, and then it is sent again.
            _log.exception("delivery_failed", **_names(event), error=str(error))
        finally:
            self._in_flight[event.webhook.id] -= 1
            if self._in_flight[event.webhook.id] == 0:
                del self._in_flight[event.webhook.id]
            task = asyncio.current_task()
            assert task is not None
            self._sending.pop(task, None)
            self._wake.wake(wake.OUTBOX)

    async def _write(self, event: Event, sent: Sent) -> None:
        mine = await self._database.run(
            settle,
            event,
            sent,
            now=self._clock(),
            random=self._random(),
            off_after_ms=self._options.off_after_ms,
        )
        self._count(event, sent)
        if self._tracer is not None:
            self._tracer.record(event.call.traceparent, _span(event, sent))
        write = _log.info if sent.ok else _log.warning
        write(
            "webhook_sent",
            **_names(event),
            ok=sent.ok,
            status=sent.delivery.status,
            ms=sent.delivery.ms,
            error=sent.delivery.error,
            tries=event.tries,
            late_ms=sent.delivery.at - event.created_at,
            lost=not mine,
        )

    def _count(self, event: Event, sent: Sent) -> None:
        status = sent.delivery.status
        metrics.WEBHOOK_REQUESTS.add(1, "none" if status is None else f"{status // 100}xx")
        metrics.WEBHOOK_SECONDS.observe(sent.delivery.ms / 1000)
        if event.tries == 1:
            metrics.WEBHOOK_DELAY.observe(max(0, sent.delivery.at - event.created_at) / 1000)

    def note_figures(self) -> None:
        """Bring the metrics of this process up to date."""
        metrics.WEBHOOK_IN_FLIGHT.set(self.in_flight)

    async def _drain(self) -> None:
        if not self._sending:
            return
        _log.info("draining", requests=len(self._sending), seconds=self._options.drain_s)
        _, cut = await asyncio.wait(list(self._sending), timeout=self._options.drain_s)
        events = [self._sending[task] for task in cut if task in self._sending]
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)
        try:
            await self._database.run(outbox_claims.release, events, now=self._clock())
        except DatabaseUnavailable as error:
            _log.warning("claims_not_given_back", events=len(events), error=str(error))

    async def _keep_sweeping(self) -> None:
        """Give up what waits for nobody, and forget what is old, now and then until cancelled."""
        while True:
            try:
                await self._sweep()
            except DatabaseUnavailable as error:
                _log.warning("outbox_sweep_failed", error=str(error))
            await asyncio.sleep(_SWEEP_S)

    async def _sweep(self) -> None:
        now = self._clock()
        given_up = await self._database.run(outbox_claims.give_up_expired, now=now)
        if given_up:
            _log.warning("events_given_up", events=given_up)
        while await self._database.run(deliveries.prune, ended_before=now - self._options.keep_ms):
            continue


def _span(event: Event, sent: Sent) -> Span:
    delivery = sent.delivery
    attributes: dict[str, str | int | float | bool] = {
        "outdial.call_id": event.call.id,
        "outdial.webhook_id": event.webhook.id,
        "outdial.sequence": event.sequence,
        "outdial.tries": event.tries,
    }
    if delivery.status is not None:
        attributes["http.response.status_code"] = delivery.status
    return Span(
        name="webhook",
        start_ms=delivery.at,
        end_ms=delivery.at + delivery.ms,
        attributes=attributes,
        problem=None if sent.ok else "not delivered",
    )


def _names(event: Event) -> dict[str, object]:
    return {"webhook_id": event.webhook.id, "call_id": event.call.id, "sequence": event.sequence}
