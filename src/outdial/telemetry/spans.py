"""Spans of a call's trace, without the library that sends them.

A trace is one call: the request that accepted it, each attempt with its dial, talk and steps, and each
delivery to a webhook. What ties them together across processes is the W3C trace context, as text, in the
call's row.

Attributes hold ids, codes, counts and names of the user's own steps: no phone number, no digits, no payload.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_LENGTH = 55


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that is over. Times are Unix milliseconds."""

    name: str
    start_ms: int
    end_ms: int
    attributes: Attributes = field(default_factory=dict)
    moments: Sequence[tuple[str, int]] = ()
    """What happened when in between."""
    inner: Sequence["Span"] = ()
    problem: str | None = None
    """Why it failed, in a word; None if it did not."""


class OpenSpan(Protocol):
    """Something that goes on."""

    @property
    def traceparent(self) -> str:
        """Its trace context, for what comes of it."""
        ...

    def end(self, at_ms: int, attributes: Attributes, problem: str | None = None) -> None:
        """It is over."""
        ...


class Tracer(Protocol):
    """Where spans go."""

    def begin(self, name: str, *, parent: str | None, start_ms: int, link: str | None = None) -> OpenSpan:
        """Begin a span: in the trace of `parent`, or in a new one; `link` names a span that it came of."""
        ...

    def record(self, parent: str | None, span: Span) -> None:
        """Tell a span and what is inside it."""
        ...


def read_traceparent(header: str | None) -> str | None:
    """The trace context in a request's `traceparent` header; None if it is none (W3C Trace Context §3.2)."""
    if header is None or len(header) > 512:
        return None
    # A later version may add fields behind these (§3.2.4).
    text = header.strip()
    found = _TRACEPARENT.match(text)
    whole = found is not None and (len(text) == _LENGTH or (text[:2] != "00" and text[_LENGTH] == "-"))
    return f"00{text[2:_LENGTH]}" if whole else None
