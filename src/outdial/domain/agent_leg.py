"""Legs to agents: whom a flow calls to bring them together with the callee."""

from dataclasses import dataclass

from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.rating import NOTHING, Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLegOutcome:
    """How such a leg ended. Times are Unix milliseconds."""

    disposition: Disposition
    reason: EndReason
    hangup_by: HangupBy
    ended_at: int
    ringing_at: int | None = None
    answered_at: int | None = None
    joined_at: int | None = None
    """When the two heard each other."""
    sip_code: int | None = None
    sip_reason: str | None = None
    q850: int | None = None
    codec: str | None = None
    recording_key: str | None = None

    @property
    def talk_ms(self) -> int:
        """From the answer to the end, what the agent alone heard included; 0 if nobody answered."""
        return 0 if self.answered_at is None else max(0, self.ended_at - self.answered_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLeg:
    """The record of one."""

    call_id: str
    number: int
    """Of the attempt."""
    leg: int
    """Of the attempt's legs to agents, from 1."""
    to: str
    caller_id: str
    dialing_at: int
    sip_call_id: str
    answered_at: int | None = None
    outcome: AgentLegOutcome | None = None
    """None while it goes on."""
    bill: Bill = NOTHING
