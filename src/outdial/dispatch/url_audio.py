"""Audio by address: fetched or spoken once, however many calls want it, before any of them is dialled.

An address is a URL, or that of a prompt (`speech:…`, `domain.prompt`): for the calls it is the same.

A call never waits here: whoever asks for a URL that is not known starts a flight, which looks into the
database, takes its turn, fetches and decodes, and is told when to come again (`Busy`). The runner gives such
a call back (`storage.held_calls`), so it holds neither its lease nor a line of its trunk meanwhile.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from outdial.dispatch.audio_source import AudioSources, Content, Failed, NotModified
from outdial.dispatch.turns import Turns
from outdial.errors import DatabaseUnavailable
from outdial.storage import audio_urls, held_calls
from outdial.storage.audio_urls import Busy, Ready, Taken, Unusable
from outdial.storage.database import Database

Known = Ready | Unusable | Busy

_HOLD_MS = 30_000
"""How long calls are held at once; a flight that waits longer for its turn holds them again."""
_LEAST_HOLD_MS = 500
_MARGIN_MS = 5_000
"""Between the end of a fetch and the moment when another dialer may take it."""
_MOST_REMEMBERED = 10_000
_TIDY_INTERVAL_S = 3_600.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlAudioOptions:
    """How often URLs are asked. Durations are seconds."""

    fresh_s: float = 300.0
    """What was fetched is played for this long without asking again."""
    failure_fresh_s: float = 60.0
    """What could not be fetched is not asked for again for this long."""
    retry_delays_s: tuple[float, ...] = (2.0, 10.0, 30.0)
    """The waits after failures that may pass; after the last one the calls end."""
    outage_delay_s: float = 60.0
    """The wait after each further failure of what is ours: calls wait for `Failed.wait_s` of them."""
    at_once: int = 16
    of_one_account: int = 4


@dataclass(slots=True)
class _Flight:
    """One URL on its way."""

    account_id: int
    until: int = 0
    problem: str | None = None
    """What was wrong when it landed, if it is to be tried again."""
    untils: set[int] = field(default_factory=set)
    """Until when calls are held for it."""
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    """The database has been asked, or it is over."""
    fetcher: str | None = None
    """While the URL is ours in the database."""


class UrlAudio:
    """Sounds by URL, for one dialer. `start` and `stop` are idempotent."""

    def __init__(
        self,
        database: Database,
        fetch: AudioSources,
        clock: Callable[[], int],
        *,
        new_id: Callable[[], str],
        options: UrlAudioOptions | None = None,
    ) -> None:
        self._database = database
        self._fetch = fetch
        self._clock = clock
        self._new_id = new_id
        self._options = options or UrlAudioOptions()
        self._turns = Turns(self._options.at_once, self._options.of_one_account)
        self._known: dict[str, Ready | Unusable] = {}
        self._flights: dict[str, _Flight] = {}
        self._group: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take orders."""
        if self._main is None:
            started = asyncio.Event()
            self._main = asyncio.create_task(self._serve(started))  # noqa: TID251 - `stop` awaits it
            await started.wait()

    async def stop(self) -> None:
        """Give up what is under way: other dialers may fetch it at once."""
        main, self._main = self._main, None
        if main is None:
            return
        flights, self._flights = self._flights, {}
        main.cancel()
        with suppress(asyncio.CancelledError):
            await main
        for url, flight in flights.items():
            with suppress(DatabaseUnavailable):
                await self._database.run(_give_up, url, flight.fetcher, flight.untils, self._clock())

    async def find(self, url: str, account_id: int) -> Known:
        """Return the sound of `url`, or why there is none; Busy if a call that wants it is to be held.

        A call is held by a write that follows without another await: then no fetch is over in between.
        """
        now = self._clock()
        known = self._known.get(url)
        if known is not None and known.until > now:
            return known
        flight = self._flights.get(url)
        if flight is None:
            if self._group is None:
                raise RuntimeError("audio by URL is not started")
            flight = self._flights[url] = _Flight(account_id)
            self._group.create_task(self._fly(url, flight))
        await flight.looked.wait()
        now = self._clock()
        if self._flights.get(url) is not flight:  # landed: nobody will let its calls go any more
            known = self._known.get(url)
            return (
                known
                if known is not None and known.until > now
                else Busy(max(flight.until, now), flight.problem)
            )
        if flight.until < now + _LEAST_HOLD_MS:
            flight.until = now + _HOLD_MS
        flight.untils.add(flight.until)
        return Busy(flight.until)

    async def _serve(self, started: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            started.set()
            try:
                while True:
                    await self._tidy()
                    await asyncio.sleep(_TIDY_INTERVAL_S)
            finally:
                self._group = None

    async def _tidy(self) -> None:
        try:
            await self._fetch.tidy(self._database, now=self._clock())
        except Exception as error:  # noqa: BLE001 - what stays now goes the next time
            _log.warning("fetched_sounds_not_tidied", error=str(error))

    async def _fly(self, url: str, flight: _Flight) -> None:
        try:
            await self._see_through(url, flight)
        except Exception as error:  # noqa: BLE001 - one URL's fault must not end the others
            # Its calls come again when they are due; what is ours in the database runs out.
            _log.exception("audio_flight_failed", error=str(error))
        finally:
            if self._flights.get(url) is flight:
                del self._flights[url]
            flight.looked.set()

    async def _see_through(self, url: str, flight: _Flight) -> None:
        known = await self._database.read(audio_urls.look, url, now=self._clock())
        if known is None:
            flight.looked.set()
            async with self._turns.turn(flight.account_id):
                await self._take_and_fetch(url, flight)
        else:
            await self._settle(url, flight, known)

    async def _take_and_fetch(self, url: str, flight: _Flight) -> None:
        now, fetcher = self._clock(), self._new_id()
        most_s = self._fetch.most_s(url)
        over_at = now + int(most_s * 1000) + _MARGIN_MS
        known = await self._database.run(audio_urls.take, url, fetcher=fetcher, now=now, busy_until=over_at)
        if not isinstance(known, Taken):
            await self._settle(url, flight, known)
            return
        flight.fetcher = fetcher
        flight.untils.add(over_at)
        try:
            async with asyncio.timeout(most_s):
                found = await self._fetch.fetch(url, known, sound_id=fetcher)
        except TimeoutError:
            found = Failed.slow(url, most_s)
        await self._report(url, flight, fetcher, known, found)

    async def _report(
        self, url: str, flight: _Flight, fetcher: str, taken: Taken, found: Content | NotModified | Failed
    ) -> None:
        """Write down what a fetch found, and let the calls that wait for it go."""
        now = self._clock()
        known: Known
        if isinstance(found, Failed):
            known = self._judge(found, taken, now)
            if found.wait_s:
                _log.warning("audio_outage", problem=found.problem, tries=taken.failures + 1)
        else:
            sound_id = taken.sound_id if isinstance(found, NotModified) else fetcher
            known = Ready(sound_id or fetcher, now + int(self._options.fresh_s * 1000))
        # From here on the flight's calls are due when the write says; who asks later finds `known`.
        untils = self._land(url, flight, known)
        await self._database.run(_write, url, fetcher, found, known, untils, now)
        _log.info("audio_fetched", outcome=type(known).__name__.lower(), retry=isinstance(known, Busy))

    def _judge(self, failed: Failed, taken: Taken, now: int) -> Unusable | Busy:
        options = self._options
        further = taken.failures - len(options.retry_delays_s)
        if failed.temporary and further < 0:
            return Busy(now + int(options.retry_delays_s[further] * 1000), failed.problem)
        if failed.wait_s > max(0, further) * options.outage_delay_s:
            return Busy(now + int(options.outage_delay_s * 1000), failed.problem)
        return Unusable(failed.problem, now + int(options.failure_fresh_s * 1000))

    async def _settle(self, url: str, flight: _Flight, known: Known) -> None:
        """End a flight by what others have found, or will."""
        untils = self._land(url, flight, known)
        if untils:
            due_at = known.until if isinstance(known, Busy) else self._clock()
            await self._database.run(held_calls.let_go, url, untils, due_at=due_at)

    def _land(self, url: str, flight: _Flight, known: Known) -> set[int]:
        """Tell whoever asks from now on; return until when calls are held that are to be let go."""
        del self._flights[url]
        flight.looked.set()
        if isinstance(known, Busy):
            flight.until, flight.problem = known.until, known.problem
            return flight.untils - {known.until}
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[url] = known
        return flight.untils


def _write(
    conn: sa.Connection,
    url: str,
    fetcher: str,
    found: Content | NotModified | Failed,
    known: Known,
    untils: set[int],
    now: int,
) -> None:
    """Keep what a fetch found, unless it took too long and the URL is somebody else's."""
    match found, known:
        case Content(sound=sound), Ready(until=until):
            mine = audio_urls.replace(conn, url, sound, fetcher=fetcher, now=now, fresh_until=until)
        case NotModified(), Ready(until=until):
            mine = audio_urls.keep(conn, url, fetcher=fetcher, now=now, fresh_until=until)
        case Failed(problem=problem), Busy(until=until):
            mine = audio_urls.retry(conn, url, problem, fetcher=fetcher, now=now, retry_at=until)
        case _:
            problem = known.problem if isinstance(known, Unusable) else ""
            mine = audio_urls.fail(conn, url, problem, fetcher=fetcher, now=now, fresh_until=known.until)
    if mine:
        held_calls.let_go(conn, url, untils, due_at=known.until if isinstance(known, Busy) else now)


def _give_up(conn: sa.Connection, url: str, fetcher: str | None, untils: set[int], now: int) -> None:
    if fetcher is not None:
        audio_urls.give_up(conn, fetcher)
    held_calls.let_go(conn, url, untils, due_at=now)
