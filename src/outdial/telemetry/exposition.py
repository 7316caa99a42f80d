"""From what the processes say to the text that Prometheus reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from outdial.telemetry.instruments import Catalogue, Description, Kind, Labels, Merge

CONTENT_TYPE: str = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one process said; see `Catalogue.snapshot`."""

    role: str
    values: dict[str, list[list[Any]]]


Series = dict[Labels, Any]


def merged(catalogue: Catalogue, snapshots: Iterable[Snapshot]) -> dict[str, Series]:
    """Add up what several processes say, by metric and labels, `role` the last of them where it is wanted.

    A metric that this version does not know is left out: while a server is upgraded, its processes differ.
    """
    found: dict[str, Series] = {}
    for snapshot in snapshots:
        for name, series in snapshot.values.items():
            if name not in catalogue.instruments:
                continue
            about = catalogue.instruments[name].about
            into = found.setdefault(name, {})
            for labels, value in series:
                key = (*labels, snapshot.role) if about.of_role else tuple(labels)
                into[key] = value if key not in into else _both(about, into[key], value)
    return found


def render(catalogue: Catalogue, snapshots: Iterable[Snapshot]) -> bytes:
    """The exposition of all metrics that have a value."""
    values = merged(catalogue, snapshots)
    families = [
        _family(catalogue.instruments[name].about, values[name])
        for name in catalogue.instruments
        if name in values
    ]
    return generate_latest(_Collected(families))


def label_names(about: Description) -> Labels:
    """The labels of a metric as the exposition has them."""
    return (*about.labels, "role") if about.of_role else about.labels


def _both(about: Description, one: Any, other: Any) -> Any:
    if about.kind is Kind.HISTOGRAM:
        return [left + right for left, right in zip(one, other, strict=True)]
    return max(one, other) if about.merge is Merge.MAX else one + other


def _family(about: Description, series: Series) -> Metric:
    names = label_names(about)
    match about.kind:
        case Kind.COUNTER:
            counter = CounterMetricFamily(about.name.removesuffix("_total"), about.help, labels=names)
            for labels, value in series.items():
                counter.add_metric(labels, value)
            return counter
        case Kind.GAUGE:
            gauge = GaugeMetricFamily(about.name, about.help, labels=names)
            for labels, value in series.items():
                gauge.add_metric(labels, value)
            return gauge
        case Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(about.name, about.help, labels=names)
            for labels, value in series.items():
                *counts, total = value
                histogram.add_metric(labels, list(_cumulative(about, counts)), total)
            return histogram


def _cumulative(about: Description, counts: list[float]) -> Iterator[tuple[str, float]]:
    seen = 0.0
    for edge, count in zip((*map(str, about.buckets), "+Inf"), counts, strict=True):
        seen += count
        yield edge, seen


class _Collected:
    """What `generate_latest` asks for: something with a `collect`."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
