"""The dispatcher: claims what is due as soon as there is room for it, and runs each call as a task."""

import asyncio
import time
from collections.abc import Callable

import structlog

from outdial.dispatch import routes
from outdial.dispatch.attempt_values import Ended, Route
from outdial.dispatch.calls_in_progress import CallsInProgress
from outdial.dispatch.control import CallControl
from outdial.dispatch.figures import count_end
from outdial.dispatch.health import TrunkHealth
from outdial.dispatch.lease_keeper import LeaseKeeper
from outdial.dispatch.lines import Lines
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.phones import PhoneNetwork
from outdial.dispatch.ports import Clock
from outdial.dispatch.registering import TrunkRegistrations
from outdial.dispatch.runner import Runner
from outdial.domain.call import ClaimedCall
from outdial.domain.retry_policy import Done
from outdial.errors import DatabaseUnavailable
from outdial.storage import calls, claims, clock_set_back, endings, paces, wake
from outdial.storage.database import Database
from outdial.storage.paces import Hold
from outdial.telemetry import metrics

_TRACE_INTERVAL_S = 1.0
_AFTER_FAULT_S = 1.0
_SHORTEST_WAIT_S = 0.001
_WAIT_WITHOUT_A_CLAIM_S = 0.05
"""When calls are due and none was had: another dialer is claiming them, or our lease is being renewed."""
_HANG_UP_S = 5.0
"""How long calls may take to end after the drain time: BYE leaves at once, the CDR is one commit."""

_log = structlog.get_logger(__name__)


class Dispatcher:
    """One dialer. `start` and `stop` are idempotent; `stop` drains first.

    The database, the network and the runner are started and stopped by whoever makes the dispatcher.
    `finished` may be awaited to learn that it died of a fault, which `stop` then raises.
    """

    def __init__(
        self,
        database: Database,
        network: PhoneNetwork,
        runner: Runner,
        clock: Clock,
        *,
        lines: Lines,
        new_dialer_id: Callable[[], str],
        options: DispatchOptions | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lines` is what the flows of `runner` count their legs to agents with."""
        self._database = database
        self._network = network
        self._runner = runner
        self._clock = clock
        self._options = options or DispatchOptions()
        self._calls = CallsInProgress()
        self._lines = lines
        self._lease = LeaseKeeper(
            database,
            self._calls,
            self._options,
            clock,
            new_dialer_id=new_dialer_id,
            monotonic=monotonic,
        )
        self._wake = wake.WakeListener(
            database.url, [wake.CALLS, wake.CANCELS, wake.TRUNKS, wake.REGISTRATIONS]
        )
        lines.on_room = lambda: self._wake.wake(wake.CALLS)
        self._health = TrunkHealth(network, lines)
        self._registrations = TrunkRegistrations(network, lines, database, clock)
        self._stopping = asyncio.Event()
        self._cancels = asyncio.Event()
        self._trunks_changed = True
        self._renew = False
        self._routes: routes.Routes | None = None
        self._main: asyncio.Task[None] | None = None

    @property
    def in_progress(self) -> int:
        """How many calls run now."""
        return len(self._calls)

    @property
    def dialer_id(self) -> str:
        """The id under which calls are leased now."""
        return self._lease.dialer_id

    def note_figures(self) -> None:
        """Bring the metrics of this dialer up to date."""
        metrics.DIALER_CALLS.set(self._lines.legs)
        metrics.DIALER_CALLS_LIMIT.set(self._lines.most)
        self._lines.note_figures(asyncio.get_running_loop().time())

    async def start(self) -> None:
        """Get a lease, clear up after the last start, and begin to claim. Raises DatabaseUnavailable."""
        if self._main is not None:
            return
        await self._lease.register()
        self._main = asyncio.create_task(self._serve())  # noqa: TID251 - the one task; `stop` awaits it

    async def stop(self) -> None:
        """Claim nothing more, let calls go on for the drain time, then hang up; raises what it died of."""
        self._stopping.set()
        self._wake.wake()
        main, self._main = self._main, None
        if main is not None:
            await main

    async def finished(self) -> None:
        """Wait until the dispatcher is no longer running."""
        if self._main is not None:
            await asyncio.wait([self._main])

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as helpers:
            background = [
                helpers.create_task(coroutine)
                for coroutine in (
                    self._wake.run(),
                    self._lease.keep(),
                    self._lease.keep_rescuing(),
                    self._watch_cancels(),
                    self._keep_traces(),
                    self._runner.late_answers.keep_writing(),
                    self._keep_expiring(),
                    self._keep_due(),
                    self._health.keep_asking(),
                    self._registrations.keep_registering(),
                )
            ]
            async with asyncio.TaskGroup() as running:
                await self._claim_until_stopped(running)
                await self._drain()
            await self._registrations.leave()
            await self._store_traces()
            for task in background:
                task.cancel()
            await self._runner.late_answers.write()
            try:
                await self._lease.give_up()
            except DatabaseUnavailable as error:
                _log.warning("lease_not_given_up", dialer_id=self.dialer_id, error=str(error))

    async def _claim_until_stopped(self, running: asyncio.TaskGroup) -> None:
        look_at = asyncio.get_running_loop().time() + self._options.poll_s
        while not self._stopping.is_set():
            try:
                wait_s = await self._claim(running)
            except DatabaseUnavailable as error:
                _log.warning("claim_failed", error=str(error))
                wait_s = _AFTER_FAULT_S
            woken = await self._wake.wait(wait_s)
            self._note_holds()
            look = asyncio.get_running_loop().time() >= look_at
            if look:
                look_at += self._options.poll_s
            if look or wake.CANCELS in woken:
                self._cancels.set()
            if look or wake.TRUNKS in woken:
                self._trunks_changed = True
            if wake.REGISTRATIONS in woken:
                self._trunks_changed = self._renew = True

    async def _claim(self, running: asyncio.TaskGroup) -> float:
        """Start what may be dialled now; return for how many seconds nothing else will come by itself."""
        loop = asyncio.get_running_loop()
        if self._trunks_changed:
            await self._load_routes(loop.time())
        room = self._lines.room()
        free = self._lines.free(loop.time()) if room > 0 else {}
        due_in: dict[int, float] = {}
        least_s = _SHORTEST_WAIT_S
        if free:
            found = await self._database.run(
                claims.claim_due,
                dialer_id=self._lease.dialer_id,
                now=self._clock(),
                limit=room,
                free_by_trunk=free,
                detours=self._lines.detours(loop.time()),
            )
            for claimed in found.calls:
                self._start(claimed, running, loop)
            if not found.calls:
                least_s = _WAIT_WITHOUT_A_CLAIM_S
            now_ms = self._clock()
            due_in = {trunk: (due_at - now_ms) / 1000 for trunk, due_at in found.next_due_at.items()}
        if not self._lines.room():
            return self._options.poll_s  # the end of a leg wakes us
        next_in = self._lines.next_free_in(loop.time(), due_in)
        return self._options.poll_s if next_in is None else min(self._options.poll_s, max(next_in, least_s))

    def _start(
        self, claimed: ClaimedCall, running: asyncio.TaskGroup, loop: asyncio.AbstractEventLoop
    ) -> None:
        route = self._lines.take(claimed.call, loop.time())
        control = self._calls.add(claimed.lease)
        running.create_task(self._run(claimed, route, control))

    async def _run(self, claimed: ClaimedCall, route: Route, control: CallControl) -> None:
        ended: Ended | None = None
        try:
            ended = await self._runner.run(claimed, route, control)
            if ended is not None:
                count_end(ended.outcome, ended.decision, route.trunk.name)
        except Exception as error:  # noqa: BLE001 - one call's fault must not end the others
            # What is leased to us and not run by us is ended by LeaseKeeper.
            _log.exception("run_failed", call_id=claimed.call.id, error=str(error))
        finally:
            self._calls.remove(control)
            had_no_room = self._lines.release(claimed.call, ended, asyncio.get_running_loop().time())
            self._note_holds()
            # Its retry may be due before anything else that we wait for; a call given back is due now.
            if (
                had_no_room
                or self._stopping.is_set()
                or ended is None
                or not isinstance(ended.decision, Done)
            ):
                self._wake.wake(wake.CALLS)

    def _note_holds(self) -> None:
        """Let calls that wait for their trunk say so."""
        for trunk_id, hold in self._lines.take_holds().items():
            now = self._clock()
            noted = None if hold is None else Hold(now + int(hold[0] * 1000), hold[1])
            self._database.post(paces.note_hold, trunk_id, noted, now=now)

    async def _load_routes(self, now: float) -> None:
        self._trunks_changed = False
        loaded = await self._database.read(routes.load)
        if loaded != self._routes:
            self._routes = loaded
            self._lines.update(loaded, now)
            self._registrations.update()
            await self._network.trust(loaded.known)
        if self._renew:
            self._renew = False
            self._registrations.renew()

    async def _drain(self) -> None:
        """Wait for the calls in progress; after the drain time hang them up, at last give them up."""
        if len(self._calls):
            _log.info("draining", calls=len(self._calls), seconds=self._options.drain_s)
        await self._until_idle(self._options.drain_s)
        self._calls.shut_down()
        await self._until_idle(_HANG_UP_S)
        self._calls.lose(self._lease.dialer_id)

    async def _until_idle(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while len(self._calls) and (left := deadline - loop.time()) > 0:
            if wake.CANCELS in await self._wake.wait(left):
                self._cancels.set()

    async def _watch_cancels(self) -> None:
        while True:
            await self._cancels.wait()
            self._cancels.clear()
            if not len(self._calls):
                continue
            try:
                asked = await self._database.read(calls.cancelling, self._lease.dialer_id)
            except DatabaseUnavailable as error:
                _log.warning("cancels_not_read", error=str(error))
            else:
                self._calls.cancel(asked)

    async def _keep_traces(self) -> None:
        while True:
            await asyncio.sleep(_TRACE_INTERVAL_S)
            await self._store_traces()

    async def _store_traces(self) -> None:
        try:
            await self._calls.store_traces(self._database, self._clock())
        except DatabaseUnavailable as error:
            _log.warning("traces_not_stored", error=str(error))

    async def _keep_expiring(self) -> None:
        """End the calls whose time is over while they wait; whichever dialer is first."""
        while True:
            try:
                while await self._database.read(endings.any_expired, now=self._clock()):
                    await self._database.run(endings.expire, now=self._clock())
            except DatabaseUnavailable as error:
                _log.warning("calls_not_expired", error=str(error))
            await asyncio.sleep(self._options.poll_s)

    async def _keep_due(self) -> None:
        """Let nothing that is due at once wait because a clock was set back; whichever dialer is first."""
        while True:
            try:
                while await self._database.read(clock_set_back.any_waits, now=self._clock()):
                    made = await self._database.run(clock_set_back.make_due, now=self._clock())
                    _log.warning("clock_was_set_back", made_due=made)
            except DatabaseUnavailable as error:
                _log.warning("clock_not_looked_after", error=str(error))
            await asyncio.sleep(self._options.poll_s)
