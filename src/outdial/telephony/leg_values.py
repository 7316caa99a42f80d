"""What a leg is asked for, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.trunk import Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRequest:
    """Whom to call, over which trunk, as whom."""

    trunk: Trunk
    caller_number: str
    to: str
    """Digits with country code."""
    sip_call_id: str
    caller_name: str = ""
    ring_timeout_s: float = 60.0
    max_talk_s: float | None = None
    """Hung up when it has talked for so long, because no more is paid for; None: as the trunk allows."""
    record_to: Path | None = None
    """Record the inbound side into this file, as wire bytes of the agreed codec."""
    codecs: tuple[str, ...] | None = None
    """Offer only these of the trunk's codecs; None: all of them. What is mixed or listened to for silence is
    G.711."""
    remark: str | None = None
    """A note at the beginning of its trace."""
    gathered: bool = False
    """The leg may come into a conference with other calls of this dialer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The callee picked up; silence is being sent."""

    codec: str
    ptime_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnswered:
    """The dial came to nothing."""

    reason: EndReason
    hangup_by: HangupBy
    sip_code: int | None = None
    sip_reason: str | None = None
    q850: int | None = None
    retry_after_s: int | None = None
    picked_up: bool = False
    """Somebody answered all the same (a 2xx crossed our CANCEL, or its media was unusable), and must not be
    called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnd:
    """How an answered leg ended."""

    reason: EndReason
    hangup_by: HangupBy
    q850: int | None = None


@dataclass(frozen=True, slots=True)
class PlayResult:
    """What became of a prompt."""

    played_ms: int
    completed: bool


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What became of a message."""

    duration_ms: int
    by_silence: bool
    """It ended because nobody spoke any more."""
    problem: str | None = None
    """What the disk said, if it refused; what was written until then is there."""
