"""The spans of a request that accepts calls: each call's trace begins here."""

from collections.abc import Sequence

from outdial.telemetry.spans import OpenSpan, Tracer, read_traceparent


class AcceptSpans:
    """A call that is asked for alone is in the trace of its request; each of a list has a trace of its own.

    `traceparents` are of the calls in the order of their numbers.
    """

    def __init__(self, tracer: Tracer, header: str | None, *, calls: int, now: int) -> None:
        whole = tracer.begin("accept", parent=read_traceparent(header), start_ms=now)
        self._spans: list[OpenSpan] = [whole]
        if calls > 1:
            each = [
                tracer.begin("accept call", parent=None, start_ms=now, link=whole.traceparent)
                for _ in range(calls)
            ]
            self._spans += each
        self._calls = calls
        self.traceparents: Sequence[str] = [span.traceparent for span in self._spans[-calls:]]

    def end(self, at_ms: int, problem: str | None = None) -> None:
        """The answer is known."""
        for span in reversed(self._spans):  # what is inside ends first
            span.end(at_ms, {"outdial.calls": self._calls if span is self._spans[0] else 1}, problem)
