"""The values that the API, the storage and the dispatcher share.

Times end in `_at` and are Unix milliseconds (UTC); durations end in `_ms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique

from outdial.domain.agent_leg import AgentLeg
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.flow_run import FlowRun
from outdial.domain.rating import NOTHING, Bill, Rate


@unique
class CallState(StrEnum):
    """Where a call is in its life."""

    QUEUED = "queued"
    """Waits for `due_at` and a free dialer."""
    LEASED = "leased"
    """A dialer works on one attempt of it."""
    DONE = "done"
    """Final: it is never dialled again."""


@unique
class AttemptState(StrEnum):
    """How far an attempt came. Each state is on disk before what it names happens on the wire."""

    CLAIMED = "claimed"
    """Certainly nothing was sent yet."""
    DIALING = "dialing"
    """The INVITE may have been sent."""
    RINGING = "ringing"
    """A 180 or 183 came. Written behind, so `dialing` may mean ringing."""
    ANSWERED = "answered"
    """A 2xx came; audio may have been played."""
    ENDED = "ended"
    """Its CDR exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A call as the API accepts it. Exactly one of `sound_id`, `audio_url` and `ivr_id` is set."""

    id: str
    """`<request uuid>:<n>`, unique."""
    account_id: int
    bridge: str
    """Our number, digits; the call keeps it through all retries."""
    trunk_id: int
    to: str
    """The callee's number, digits with country code."""
    submitted_at: int
    due_at: int
    iso: str | None = None
    """Country of `to`, ISO 3166 alpha-2, if the number has one."""
    sound_id: str | None = None
    audio_url: str | None = None
    ivr_id: str | None = None
    """Of a flow, which is run in the version `flow_version`."""
    flow_version: int | None = None
    name: str = ""
    """Campaign name."""
    webhook_id: str | None = None
    customid: str = ""
    customid1: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    interval_minutes: int = 0
    rate: Rate | None = None
    """What it costs when it is answered; None: nothing."""
    reserved: int = 0
    """Units of the account's balance that are held back until it is done; 0 if the account is not prepaid."""
    traceparent: str | None = None
    """The trace context that its spans belong to (W3C Trace Context §3.2); None: none was begun."""
    calling_window: str | None = None
    """When its callee may be called, as `domain.calling_window` reads it; None: as its account says."""
    expires_at: int | None = None
    """From then on it is not dialled any more; None: for ever."""
    paused_by: str | None = None
    """What keeps it in the queue: `campaign` or `request`; None while nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(NewCall):
    """A stored call."""

    state: CallState
    attempts_started: int
    """Attempts with a number so far: the number of the newest attempt."""
    attempts_spent: int
    """Attempts that counted against `1 + retries`."""
    trunk_faults: int
    cancel_requested_at: int | None
    disposition: Disposition | None
    """Of the newest ended attempt; the final status once `state` is done."""
    reason: EndReason | None
    done_at: int | None
    callback_of: str | None = None
    """The call in which the callee asked for this one."""
    held_why: str | None = None
    """Of a queued call: why it was given back before its dial, as a sentence; None if it was not."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A dialer's claim on one attempt. Every later write names it and is refused if it is lost."""

    call_id: str
    number: int
    """The attempt's number, from 1."""
    fence: int
    """Grows with each claim of the call, so that an attempt's number may be used again after a rescue."""
    dialer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedCall:
    """A call that this dialer, and nobody else, may dial now."""

    call: Call
    lease: Lease
    covered: bool = True
    """What it may cost is reserved, or its account is not prepaid; if not, it must not be dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One dial of a call, as it stands."""

    call_id: str
    number: int
    fence: int
    dialer_id: str
    state: AttemptState
    claimed_at: int
    dialing_at: int | None
    ringing_at: int | None
    answered_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaQuality:
    """What RTP and RTCP said about a leg (RFC 3550 §6.4); None where nothing was reported."""

    packets_sent: int = 0
    packets_received: int = 0
    """With what a filtered leg's kernel filter dropped unheard."""
    packets_lost: int = 0
    jitter_ms: float | None = None
    remote_loss: float | None = None
    """Fraction of our packets that the far end missed, 0 to 1."""
    remote_jitter_ms: float | None = None
    round_trip_ms: float | None = None
    mos: float | None = None
    """Estimated by ITU-T G.107, 1 to 4.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutcome:
    """Everything that the CDR of an attempt holds beside its call, number and dialer."""

    disposition: Disposition
    reason: EndReason
    hangup_by: HangupBy
    ended_at: int
    dialing_at: int | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    sip_call_id: str | None = None
    sip_code: int | None = None
    sip_reason: str | None = None
    q850: int | None = None
    dtmf: str = ""
    codec: str | None = None
    ptime_ms: int | None = None
    played_ms: int = 0
    recording_key: str | None = None
    recorded_ms: int = 0
    """How long the recording is, kept beside the CDR."""
    quality: MediaQuality | None = None
    flow_run: FlowRun | None = None
    """What it did in its flow, kept beside the CDR."""
    trunk: str | None = None
    """Name of the trunk that it went by, or was to go by."""
    detour: str | None = None
    """Why that was not the first trunk of its bridge, as a sentence; None if it was."""
    detail: str | None = None
    """A sentence, where `reason` does not say enough: what was wrong with an audio URL, why codecs were not
    offered, where a recording ends that the disk did not take."""

    @property
    def ring_ms(self) -> int:
        """How long it rang: from the first 180 or 183 to the answer or the end."""
        if self.ringing_at is None:
            return 0
        return max(0, (self.answered_at or self.ended_at) - self.ringing_at)

    @property
    def talk_ms(self) -> int:
        """From the answer to the end; 0 if nobody answered."""
        return 0 if self.answered_at is None else max(0, self.ended_at - self.answered_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    """The immutable record of an ended attempt."""

    call_id: str
    number: int
    dialer_id: str
    outcome: AttemptOutcome
    bill: Bill = NOTHING
    agents: Sequence[AgentLeg] = ()
    """Whom its flow called to bring them together with the callee."""

    @property
    def charge(self) -> int:
        """What the attempt cost with its legs to agents, in units."""
        return self.bill.charge + sum(leg.bill.charge for leg in self.agents)
