"""What `/metrics` says, as the figures of `outdial top`: those of a moment, and those between two moments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from outdial.cli.problems import CommandFailed

_LATE_S = 0.02
_MUCH_LATE = 0.01
_QUEUE_OLD_S = 300
_WEBHOOKS_OLD_S = 60
_DISK_LOW = 0.1
_HELD_FROM = 3

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer of `/metrics`: values by name and labels, and when it was read (monotonic seconds)."""

    at: float
    samples: Mapping[str, Mapping[Labels, float]]

    def one(self, name: str, otherwise: float = 0.0) -> float:
        """The sum of all series of a metric."""
        series = self.samples.get(name)
        return sum(series.values()) if series else otherwise

    def by(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric by one of its labels."""
        found: dict[str, float] = {}
        for labels, value in self.samples.get(name, {}).items():
            key = dict(labels).get(label, "")
            found[key] = found.get(key, 0.0) + value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """One trunk."""

    name: str
    calls: int
    calls_limit: int | None
    calls_per_second: float
    calls_per_second_limit: float | None
    queued: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the view shows; the field names are those of `--json`."""

    calls: int
    """In progress, on all machines of the database."""
    calls_by_state: dict[str, int]
    calls_per_second: float
    """INVITEs between the two readings."""
    queued: int
    oldest_seconds: float
    trunks: list[Trunk]
    dispositions: dict[str, int]
    """Of attempts that ended, since the server was started."""
    webhooks_pending: int
    webhooks_oldest_seconds: float
    webhooks_in_flight: int
    streams: int
    media_workers: int
    media_late_p99_ms: float | None
    """Between the two readings, as the upper edge of the histogram's bucket; None when nothing was sent."""
    media_skipped_ticks: int
    """Between the two readings."""
    problems: list[str] = field(default_factory=list)


def read(text: str, at: float) -> Reading:
    """Parse an exposition. Raises CommandFailed for what is none, or not Outdial's."""
    samples: dict[str, dict[Labels, float]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                samples.setdefault(sample.name, {})[labels] = float(sample.value)
    except (ValueError, KeyError, IndexError, TypeError):
        raise CommandFailed("What answers at /metrics does not speak Prometheus' format.") from None
    if "outdial_info" not in samples:
        raise CommandFailed("What answers at /metrics is not Outdial, or none of its processes runs.")
    return Reading(at, samples)


def figures(before: Reading, now: Reading) -> Figures:
    """The figures of `now`, with rates since `before`; a counter that began anew counts from nought."""
    seconds = max(now.at - before.at, 1e-9)
    dials = _grown(before.by("outdial_dials_total", "trunk"), now.by("outdial_dials_total", "trunk"))
    queued = now.by("outdial_queue_calls", "trunk")
    oldest = now.by("outdial_queue_oldest_seconds", "trunk")
    calls = now.by("outdial_trunk_calls", "trunk")
    limits = now.by("outdial_trunk_calls_limit", "trunk")
    paces = now.by("outdial_trunk_cps_limit", "trunk")
    late = _late(before, now)
    skipped = _grown(
        {"": before.one("outdial_media_skipped_ticks_total")},
        {"": now.one("outdial_media_skipped_ticks_total")},
    )
    states = now.by("outdial_attempts_active", "state")
    return Figures(
        calls=int(sum(states.values())),
        calls_by_state={state: int(count) for state, count in states.items()},
        calls_per_second=round(sum(dials.values()) / seconds, 2),
        queued=int(sum(queued.values())),
        oldest_seconds=max(oldest.values(), default=0.0),
        trunks=[
            Trunk(
                name=name,
                calls=int(calls.get(name, 0)),
                calls_limit=int(limits[name]) if name in limits else None,
                calls_per_second=round(dials.get(name, 0.0) / seconds, 2),
                calls_per_second_limit=paces.get(name),
                queued=int(queued.get(name, 0)),
                oldest_seconds=oldest.get(name, 0.0),
            )
            for name in sorted({*calls, *queued, *limits})
        ],
        dispositions={
            name: int(count) for name, count in now.by("outdial_attempts_total", "disposition").items()
        },
        webhooks_pending=int(now.one("outdial_webhook_pending")),
        webhooks_oldest_seconds=now.one("outdial_webhook_oldest_due_seconds"),
        webhooks_in_flight=int(now.one("outdial_webhook_in_flight")),
        streams=int(now.one("outdial_media_streams")),
        media_workers=int(now.one("outdial_media_workers")),
        media_late_p99_ms=_quantile_ms(late, 0.99),
        media_skipped_ticks=int(skipped[""]),
        problems=_problems(now, late),
    )


def _grown(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """How much each counter grew; one that is smaller than before was started anew."""
    return {
        name: value - before.get(name, 0.0) if value >= before.get(name, 0.0) else value
        for name, value in now.items()
    }


def _late(before: Reading, now: Reading) -> dict[float, float]:
    """Packets by the upper edge of their lateness, cumulative, between the two readings."""
    name = "outdial_media_lateness_seconds_bucket"
    grown = _grown(before.by(name, "le"), now.by(name, "le"))
    return {float(edge): count for edge, count in sorted(grown.items(), key=lambda each: float(each[0]))}


def _quantile_ms(cumulative: Mapping[float, float], share: float) -> float | None:
    edges = list(cumulative)
    if not edges or cumulative[edges[-1]] <= 0:
        return None
    wanted = share * cumulative[edges[-1]]
    finite = [edge for edge in edges if edge != float("inf")]
    reached = next((edge for edge in finite if cumulative[edge] >= wanted), finite[-1])
    return round(reached * 1000, 3)


def _problems(now: Reading, late: Mapping[float, float]) -> list[str]:
    """Sentences, the ones that cost calls first; the thresholds are those of the alerts."""
    return [*_about_calls(now), *_about_media(now, late), *_about_the_rest(now)]


def _about_calls(now: Reading) -> Iterator[str]:
    if now.one("outdial_database_up", 1.0) < 1:
        yield "The database cannot be read."
    elif now.one("outdial_dialers", 1.0) < 1:
        yield "No dialer holds a lease: nothing is dialled."
    legs, most = now.one("outdial_dialer_calls"), now.one("outdial_dialer_calls_limit")
    if legs >= most > 0:
        yield (
            f"The dialers have {legs:.0f} legs, as many as they may (`dispatch.max_concurrent`, RTP ports):"
            " other calls wait."
        )
    yield from _about_trunks(now)
    oldest = max(now.by("outdial_queue_oldest_seconds", "trunk").values(), default=0.0)
    if oldest > _QUEUE_OLD_S:
        yield f"Calls have been due for {oldest:.0f} s."


def _about_trunks(now: Reading) -> Iterator[str]:
    for name, silent in now.by("outdial_trunk_silent", "trunk").items():
        if silent:
            yield f"The trunk {name} does not answer OPTIONS: its calls wait."
    for name, unregistered in now.by("outdial_trunk_unregistered", "trunk").items():
        if unregistered:
            yield f"The trunk {name} is not registered: its calls wait. `outdial trunk list` says why."
    faults = now.by("outdial_trunk_faults", "trunk")
    for name, held in now.by("outdial_trunk_held_seconds", "trunk").items():
        if held > 0:
            yield f"The trunk {name} is held for {held:.0f} s more."
    for name, count in faults.items():
        if count >= _HELD_FROM:
            yield f"The trunk {name} failed the last {count:.0f} calls: `outdial trunk list` says why."


def _about_media(now: Reading, late: Mapping[float, float]) -> Iterator[str]:
    missing = now.one("outdial_media_workers_wanted") - now.one("outdial_media_workers")
    if missing > 0:
        yield f"{missing:.0f} media workers are missing."
    total = max(late.values(), default=0.0)
    if total and 1 - late.get(_LATE_S, total) / total > _MUCH_LATE:
        yield "Audio leaves more than 20 ms late: callees hear gaps."


def _about_the_rest(now: Reading) -> Iterator[str]:
    waited = now.one("outdial_webhook_oldest_due_seconds")
    if waited > _WEBHOOKS_OLD_S:
        yield f"Events should have been sent {waited:.0f} s ago."
    if off := now.one("outdial_webhooks_off"):
        yield f"{off:.0f} webhooks are switched off: `outdial webhook list`."
    size = now.one("outdial_disk_size_bytes")
    if size and (free := now.one("outdial_disk_free_bytes") / size) < _DISK_LOW:
        yield f"{free:.0%} of the disk is free."
