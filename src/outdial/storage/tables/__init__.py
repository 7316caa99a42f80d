"""All tables as SQLAlchemy Core metadata; `migrations/` builds them, and a test holds the two together.

Times are Unix milliseconds (UTC), durations milliseconds, JSON is text. Numbers are digits without a plus.
"""

from outdial.storage.tables.accounts import accounts, tokens
from outdial.storage.tables.administration import audit, idempotency_keys
from outdial.storage.tables.agent_legs import agent_legs, waiting_legs
from outdial.storage.tables.calls import attempts, calls, cdrs, dialers, recordings, traces
from outdial.storage.tables.conferences import conferences
from outdial.storage.tables.dispatch import paces, pauses
from outdial.storage.tables.flows import flow_runs, flow_versions, flows
from outdial.storage.tables.metadata import metadata
from outdial.storage.tables.money import ledger, rates
from outdial.storage.tables.prompts import prompts
from outdial.storage.tables.retention import retention_marks
from outdial.storage.tables.sounds import audio_urls, fetched_sounds, sounds
from outdial.storage.tables.suppressions import suppressions
from outdial.storage.tables.trunks import bridges, registrations, trunks
from outdial.storage.tables.webhooks import deliveries, outbox, subscriptions, webhooks

__all__ = [
    "accounts",
    "agent_legs",
    "attempts",
    "audio_urls",
    "audit",
    "bridges",
    "calls",
    "cdrs",
    "conferences",
    "deliveries",
    "dialers",
    "fetched_sounds",
    "flow_runs",
    "flow_versions",
    "flows",
    "idempotency_keys",
    "ledger",
    "metadata",
    "outbox",
    "paces",
    "pauses",
    "prompts",
    "rates",
    "recordings",
    "registrations",
    "retention_marks",
    "sounds",
    "subscriptions",
    "suppressions",
    "tokens",
    "traces",
    "trunks",
    "waiting_legs",
    "webhooks",
]
