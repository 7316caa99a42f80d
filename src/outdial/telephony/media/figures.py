"""What the media workers add to the metrics, asked of them only when somebody reads the metrics."""

from typing import Any

from outdial.telemetry import metrics
from outdial.telemetry.process import resident_bytes
from outdial.telephony.media.client import MediaClient


class MediaFigures:
    """Keeps the sums of workers that have ended: a counter never goes back."""

    def __init__(self, client: MediaClient, *, wanted: int) -> None:
        self._client = client
        self._wanted = wanted
        self._last: dict[int, tuple[float, float]] = {}
        self._cpu_s = 0.0
        self._skipped = 0.0

    async def note(self) -> None:
        """Ask all workers, and bring the instruments up to date."""
        answers = await self._client.stats()
        for figures in answers:
            self._add(figures)
        metrics.MEDIA_CPU.take(self._cpu_s)
        metrics.MEDIA_SKIPPED.take(self._skipped)
        metrics.MEDIA_STREAMS.set(sum(int(figures["streams"]) for figures in answers))
        metrics.MEDIA_WORKERS.set(self._client.ready_workers)
        metrics.MEDIA_WORKERS_WANTED.set(self._wanted)
        metrics.MEDIA_RESTARTS.take(self._client.worker_restarts)
        metrics.MEDIA_MEMORY.set(resident_bytes(self._client.worker_pids))
        metrics.MEDIA_PORTS_FREE.set(self._client.free_ports)

    def _add(self, figures: dict[str, Any]) -> None:
        cpu_s, skipped = figures["cpu_s"], figures["skipped_ticks"]
        before_cpu, before_skipped = self._last.get(figures["pid"], (0.0, 0.0))
        self._last[figures["pid"]] = cpu_s, skipped
        self._cpu_s += cpu_s - before_cpu
        self._skipped += skipped - before_skipped
        lateness = figures["lateness"]
        metrics.MEDIA_LATENESS.add_counts(lateness["buckets"], lateness["sum_ms"] / 1000)
