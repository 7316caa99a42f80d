"""How late packets leave, as a histogram that costs one list access a tick."""

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

    def figures(self) -> dict[str, float]:
        """Packets, and their lateness in milliseconds."""
        return {
            "packets": self.packets,
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "p999_ms": self.percentile_ms(99.9),
            "max_ms": self.worst_s * 1000,
        }
