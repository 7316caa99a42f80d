"""Counters, gauges and histograms as plain numbers.

The client library's own objects take a lock and look their labels up for each event: 3 to 7 µs, of which a
call has ten. These cost a fifth of a microsecond; the library writes the text when somebody asks for it.
An instrument is written by one thread only, and may be read by another.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Labels = tuple[str, ...]


class Kind(StrEnum):
    """The types of the exposition format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What becomes of the same series of two processes."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What an instrument is, for the exposition and the reference."""

    name: str
    kind: Kind
    help: str
    """Sentences."""
    labels: Labels = ()
    buckets: tuple[float, ...] = ()
    """Upper edges of a histogram's buckets; the last one, infinity, is not named."""
    merge: Merge = Merge.SUM
    of_role: bool = False
    """Whether each role's process has it: the exposition adds the label `role`."""


@dataclass(slots=True)
class Counter:
    """Grows, from nothing at the start of the process."""

    about: Description
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, amount: float = 1, *labels: str) -> None:
        """Count `amount` more."""
        self.values[labels] = self.values.get(labels, 0) + amount

    def take(self, total: float, *labels: str) -> None:
        """Take over what is counted elsewhere."""
        self.values[labels] = total


@dataclass(slots=True)
class Gauge:
    """What is the case now."""

    about: Description
    values: dict[Labels, float] = field(default_factory=dict)

    def set(self, value: float, *labels: str) -> None:
        """Note the value of one series."""
        self.values[labels] = value

    def replace(self, values: dict[Labels, float]) -> None:
        """Note all series: what is not among them is gone."""
        self.values = values


@dataclass(slots=True)
class Histogram:
    """How often a value lay in each of its buckets."""

    about: Description
    values: dict[Labels, list[float]] = field(default_factory=dict)
    """Counts of each bucket (not cumulative), of what is above all of them, and the sum of all values."""

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        found = self.values.get(labels)
        if found is None:
            found = self.values[labels] = self.empty()
        found[bisect_left(self.about.buckets, value)] += 1
        found[-1] += value

    def add_counts(self, counts: Sequence[float], total: float, *labels: str) -> None:
        """Add what was observed elsewhere: the counts of all buckets, the sum of the values."""
        found = self.values.get(labels) or self.empty()
        self.values[labels] = [have + more for have, more in zip(found, (*counts, total), strict=True)]

    def empty(self) -> list[float]:
        """A series without values."""
        return [0.0] * (len(self.about.buckets) + 2)


Instrument = Counter | Gauge | Histogram


class Catalogue:
    """All instruments of the program, in the order in which they are documented."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}

    def counter(self, name: str, help_: str, *labels: str, of_role: bool = False) -> Counter:
        """Define a counter."""
        about = Description(name=name, kind=Kind.COUNTER, help=help_, labels=labels, of_role=of_role)
        counter = Counter(about)
        self._add(counter)
        return counter

    def gauge(
        self, name: str, help_: str, *labels: str, merge: Merge = Merge.SUM, of_role: bool = False
    ) -> Gauge:
        """Define a gauge."""
        gauge = Gauge(
            Description(name=name, kind=Kind.GAUGE, help=help_, labels=labels, merge=merge, of_role=of_role)
        )
        self._add(gauge)
        return gauge

    def histogram(
        self, name: str, help_: str, *labels: str, buckets: Sequence[float], of_role: bool = False
    ) -> Histogram:
        """Define a histogram."""
        about = Description(
            name=name,
            kind=Kind.HISTOGRAM,
            help=help_,
            labels=labels,
            buckets=tuple(buckets),
            of_role=of_role,
        )
        histogram = Histogram(about)
        self._add(histogram)
        return histogram

    def _add(self, instrument: Instrument) -> None:
        name = instrument.about.name
        if name in self.instruments:
            raise ValueError(f"the metric {name} is defined twice")
        self.instruments[name] = instrument

    def snapshot(self) -> dict[str, list[list[Any]]]:
        """What all instruments say now, as JSON can hold it; without those that say nothing."""
        return {
            name: [[list(labels), value] for labels, value in list(instrument.values.items())]
            for name, instrument in self.instruments.items()
            if instrument.values
        }

    def forget(self) -> None:
        """Back to the start of the process, for tests."""
        for instrument in self.instruments.values():
            instrument.values = {}
