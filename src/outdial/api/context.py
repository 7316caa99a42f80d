"""What the API's endpoints work with; the composition root fills it in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from outdial.api.auth import TokenCache
from outdial.api.endpoint_checks import EndpointChecks
from outdial.api.request_rate import RequestRate
from outdial.egress.allow_list import AllowList
from outdial.egress.guard import Guard
from outdial.speech.voices import Voices
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.telemetry.access import MetricsAccess
from outdial.telemetry.exposition import Snapshot
from outdial.telemetry.spans import Tracer

_DECODERS = 2


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Bounds and places."""

    work_dir: Path
    """Uploads are written and decoded here before they go into the blob store."""
    upload_bytes: int = 50 * 1024 * 1024
    sound_ms: int = 600_000
    recipients: int = 10_000
    retries: int = 3
    """How often a call with an interval is dialled again when nobody answered, unless it says so itself."""
    reserve_ms: int = 60_000
    """Of talk, for a prepaid call whose length is not known when it is accepted."""
    guard: Guard = field(default_factory=lambda: Guard(AllowList()))
    """Judges audio URLs."""
    public_url: str = ""
    """How others reach this server, without a slash at its end; empty: answers name paths."""
    requests_per_second: int = 0
    """Of each token, in this process; 0: as many as it can."""
    body_bytes: int = 4 * 1024 * 1024
    """Of every request but an upload: room for the longest list of numbers in the most verbose spelling."""


@dataclass(frozen=True, slots=True)
class MetricsReader:
    """Where the figures of `/metrics` come from, and who may have them."""

    gather: Callable[[], Awaitable[list[Snapshot]]]
    access: MetricsAccess


@dataclass(frozen=True, slots=True)
class ApiContext:
    """One for each application."""

    database: Database
    blobs: Blobs
    tokens: TokenCache
    options: ApiOptions
    now_ms: Callable[[], int]
    """Unix milliseconds."""
    new_uuid: Callable[[], str]
    voices: Voices
    """Voices that texts can be spoken in. Listed and chosen here; dialers let them speak."""
    endpoints: EndpointChecks
    """Judges and verifies what webhooks are given."""
    metrics: MetricsReader | None = None
    """What `/metrics` answers with."""
    tracer: Tracer | None = None
    """Where the spans of accepted calls go."""
    decoders: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DECODERS))
    """Held while an upload is decoded: each takes a process that may use a core and a lot of memory."""
    rate: RequestRate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", RequestRate(self.options.requests_per_second))


def context_of(request: Request) -> ApiContext:
    """The context of the application that serves `request`."""
    context: ApiContext = request.app.state.context
    return context
