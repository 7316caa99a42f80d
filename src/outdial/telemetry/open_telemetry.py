"""Spans by OpenTelemetry: imported only where `tracing.endpoint` is set, with the extra `outdial[otel]`."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from outdial.telemetry.spans import Attributes, Span

_NS_PER_MS = 1_000_000
_QUEUE = 16_384
"""Spans that wait for the collector; what does not fit is dropped and counted by the library's log."""


class _Open:
    """A span that goes on."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def end(self, at_ms: int, attributes: Attributes, problem: str | None = None) -> None:
        self._span.set_attributes(dict(attributes))
        if problem is not None:
            self._span.set_status(Status(StatusCode.ERROR, problem))
        self._span.end(at_ms * _NS_PER_MS)


class OpenTelemetryTracer:
    """A `Tracer` over a provider of the library."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("outdial")

    def begin(self, name: str, *, parent: str | None, start_ms: int, link: str | None = None) -> _Open:
        """See `Tracer`."""
        links = [] if link is None else [Link(_context(link))]
        span = self._tracer.start_span(
            name,
            set_span_in_context(NonRecordingSpan(_context(parent))) if parent else None,
            SpanKind.SERVER if parent is None and link is None else SpanKind.INTERNAL,
            links=links,
            start_time=start_ms * _NS_PER_MS,
        )
        return _Open(span)

    def record(self, parent: str | None, span: Span) -> None:
        """See `Tracer`."""
        within = set_span_in_context(NonRecordingSpan(_context(parent))) if parent else None
        self._record(span, self._tracer.start_span(span.name, within, start_time=span.start_ms * _NS_PER_MS))

    def _record(self, span: Span, told: OtelSpan) -> None:
        for name, at_ms in span.moments:
            told.add_event(name, timestamp=at_ms * _NS_PER_MS)
        within = set_span_in_context(told)
        for each in span.inner:
            self._record(
                each, self._tracer.start_span(each.name, within, start_time=each.start_ms * _NS_PER_MS)
            )
        _Open(told).end(span.end_ms, span.attributes, span.problem)

    def stop(self) -> None:
        """Send what waits, for some seconds at most. Blocks."""
        self._provider.shutdown()


def open_tracer(endpoint: str, *, sample_ratio: float, version: str, role: str) -> OpenTelemetryTracer:
    """A tracer that sends to an OTLP collector over HTTP.

    `sample_ratio` is of the traces that begin here; a request that brings a trace context decides itself.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
        resource=Resource.create(
            {"service.name": "outdial", "service.version": version, "outdial.role": role}
        ),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint), max_queue_size=_QUEUE)
    )
    return OpenTelemetryTracer(provider)


def _context(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
