"""Trace contexts as text, and the spans of an attempt, seen by the library's in-memory exporter."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from tests.unit.webhooks import events

from outdial import telemetry
from outdial.api.accept_spans import AcceptSpans
from outdial.config import Settings
from outdial.config.sections import TracingSettings
from outdial.dispatch.attempt_span import attempt_span
from outdial.domain.call import AttemptOutcome
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.flow_run import FlowRun
from outdial.errors import ConfigurationError
from outdial.supervisor.tracing import tracing
from outdial.telemetry.open_telemetry import OpenTelemetryTracer
from outdial.telemetry.spans import read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{SPAN}-01"


class Told:
    """What the exporter was told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OpenTelemetryTracer(self._provider)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        [span] = [each for each in self.spans if each.name == name]
        return span

    def parent_of(self, name: str) -> str | None:
        parent = self.named(name).parent
        if parent is None:
            return None
        return next(
            (each.name for each in self.spans if _id(each) == parent.span_id), f"{parent.span_id:016x}"
        )


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def _trace(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.tracer.stop()


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (GIVEN, GIVEN),
        (f" {GIVEN} ", GIVEN),
        (f"01-{TRACE}-{SPAN}-00-more", f"00-{TRACE}-{SPAN}-00"),
        (f"{GIVEN}-more", None),
        (f"01-{TRACE}-{SPAN}-00more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (GIVEN[:-1], None),
        ("", None),
        ("0" * 5_000, None),
        (None, None),
    ],
)
def test_a_trace_context_is_read_as_the_standard_says(header: str | None, read: str | None) -> None:
    assert read_traceparent(header) == read


def test_a_single_call_is_in_the_trace_of_its_request(told: Told) -> None:
    spans = AcceptSpans(told.tracer, GIVEN, calls=1, now=1_000)
    spans.end(1_005)
    [traceparent] = spans.traceparents
    span = told.named("accept")
    assert traceparent == f"00-{TRACE}-{_id(span):016x}-01"
    assert told.parent_of("accept") == SPAN
    assert (span.start_time, span.end_time) == (1_000_000_000, 1_005_000_000)


def test_each_call_of_a_list_has_a_trace_of_its_own(told: Told) -> None:
    spans = AcceptSpans(told.tracer, GIVEN, calls=2, now=1_000)
    spans.end(1_005, "not accepted")
    first, second = (each for each in told.spans if each.name == "accept call")
    assert len({_trace(first), _trace(second), TRACE}) == 3
    assert [_trace(second), _trace(first)] == [each.split("-")[1] for each in spans.traceparents]
    assert [f"{link.context.trace_id:032x}" for link in first.links] == [TRACE]
    assert all(each.status.status_code is StatusCode.ERROR for each in told.spans)


def test_a_caller_who_does_not_sample_is_followed(told: Told) -> None:
    spans = AcceptSpans(told.tracer, f"00-{TRACE}-{SPAN}-00", calls=1, now=1_000)
    spans.end(1_005)
    assert spans.traceparents[0].endswith("-00")
    assert told.spans == ()


def outcome(**changes: object) -> AttemptOutcome:
    values: dict[str, object] = {
        "disposition": Disposition.ANSWER, "reason": EndReason.COMPLETED, "hangup_by": HangupBy.SYSTEM,
        "dialing_at": 2_000, "ringing_at": 2_100, "answered_at": 3_000, "ended_at": 9_000,
        "sip_code": 200, "sip_call_id": "abc", "dtmf": "4711", "codec": "PCMA", "played_ms": 5_500,
    }  # fmt: skip
    return AttemptOutcome(**(values | changes))  # type: ignore[arg-type]  # names and types as above


def test_an_answered_attempt_shows_dial_talk_and_steps(told: Told) -> None:
    run = FlowRun(
        flow_id=23,
        version=2,
        result="success",
        path=[
            {"flow": "23", "node": "ask", "entered_at": 3_000, "exit": "next", "left_at": 7_000},
            {"flow": "23", "node": "bye", "entered_at": 7_000, "exit": None, "left_at": None},
        ],
        variables={"code": "4711"},
    )
    call = events.call(due_at=1_400, to="918867135000", bridge="918068280000")
    told.tracer.record(GIVEN, attempt_span(call, 2, outcome(flow_run=run), claimed_at=1_900))
    assert {_trace(span) for span in told.spans} == {TRACE}
    assert told.parent_of("attempt") == SPAN
    assert told.parent_of("dial") == told.parent_of("talk") == "attempt"
    assert told.parent_of("step ask") == told.parent_of("step bye") == "talk"
    dial = told.named("dial")
    assert [(each.name, each.timestamp) for each in dial.events] == [
        ("INVITE", 2_000_000_000), ("ringing", 2_100_000_000), ("answered", 3_000_000_000)
    ]  # fmt: skip
    assert (dial.start_time, dial.end_time) == (2_000_000_000, 3_000_000_000)
    talk = told.named("talk")
    assert (talk.start_time, talk.end_time) == (3_000_000_000, 9_000_000_000)
    bye = told.named("step bye")
    assert (bye.start_time, bye.end_time) == (7_000_000_000, 9_000_000_000)
    attributes = told.named("attempt").attributes or {}
    assert attributes["outdial.attempt"] == 2
    assert attributes["outdial.waited_ms"] == 500
    assert attributes["outdial.disposition"] == "ANSWER"
    assert told.named("attempt").status.status_code is StatusCode.UNSET
    everything = "".join(span.to_json() for span in told.spans)
    for private in ("918867135000", "918068280000", "4711"):
        assert private not in everything


def test_what_was_never_dialled_has_no_dial_and_says_why(told: Told) -> None:
    ended = outcome(
        disposition=Disposition.CHANUNAVAIL, reason=EndReason.SOUND_MISSING, sip_code=None,
        dialing_at=None, ringing_at=None, answered_at=None,
    )  # fmt: skip
    told.tracer.record(None, attempt_span(events.call(), 1, ended, claimed_at=1_900))
    [span] = told.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "sound_missing")


def test_without_traces_the_library_is_neither_needed_nor_imported() -> None:
    roles = ", ".join(f"outdial.supervisor.roles.{role}" for role in ("api", "dialer", "webhooks"))
    code = (
        f"import sys; sys.modules['opentelemetry.sdk'] = None; import {roles};"
        "print('outdial.telemetry.open_telemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


async def test_traces_without_the_library_are_a_setting_to_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "outdial.telemetry.open_telemetry")
    monkeypatch.delattr(telemetry, "open_telemetry")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = Settings(
        tracing=TracingSettings(endpoint="http://127.0.0.1:4318/v1/traces"), data_dir=tmp_path
    )
    with pytest.raises(ConfigurationError, match=r"outdial\[otel\]"):
        async with tracing(settings, "api"):
            pass
