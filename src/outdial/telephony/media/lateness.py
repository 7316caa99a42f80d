"""How late packets leave, as a histogram that costs one list access a tick."""

from collections.abc import Sequence

EDGES_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Of the coarser buckets that go into the metrics. A worker imports nothing that it can do without, so they
are written here a second time."""
_STEP_S = 0.000_05
_BUCKETS = 4000
"""Of 50 µs each: 200 ms, and the last one holds what is worse."""


class LatenessHistogram:
    """Every packet of a tick counts as late as the tick's last one: the figures are an upper bound."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.packets = 0
        self.worst_s = 0.0

    def add(self, late_s: float, packets: int) -> None:
        """Count a tick's packets."""
        index = int(late_s / _STEP_S)
        self._counts[index if 0 <= index < _BUCKETS else (0 if index < 0 else _BUCKETS - 1)] += packets
        self.packets += packets
        self.worst_s = max(self.worst_s, late_s)

    def percentile_ms(self, percent: float) -> float:
        """The upper edge of the bucket in which that share of the packets is reached; 0 with no packets."""
        wanted = self.packets * percent / 100
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return (index + 1) * _STEP_S * 1000
        return 0.0

    def figures(self) -> dict[str, object]:
        """Packets, and their lateness in milliseconds."""
        return {
            "packets": self.packets,
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "p999_ms": self.percentile_ms(99.9),
            "max_ms": self.worst_s * 1000,
            "buckets": self.counts_up_to(EDGES_S),
            "sum_ms": sum(count * (index + 1) for index, count in enumerate(self._counts)) * _STEP_S * 1000,
        }

    def counts_up_to(self, edges_s: Sequence[float]) -> list[int]:
        """How many packets lay between each edge and the one before, and above the last one."""
        ends = [round(edge / _STEP_S) for edge in edges_s]
        pairs = zip([0, *ends], [*ends, _BUCKETS], strict=True)
        return [sum(self._counts[start:end]) for start, end in pairs]
