"""One leg to an agent: a place on the trunk, money, the dial, the end; each step on disk before the wire.

It is written under the lease of the call in which it is made, and it ends once, with a row that says how.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import structlog

from outdial.dispatch.figures import count_agent_dial, count_rtp
from outdial.dispatch.insisting import insist
from outdial.dispatch.lines import Lines
from outdial.dispatch.phones import Phone, PhoneNetwork, Tracer
from outdial.dispatch.ports import Store
from outdial.domain.agent_leg import AgentLegOutcome
from outdial.domain.call import Call, Lease
from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify, is_about_codecs
from outdial.domain.phone_number import PhoneNumber
from outdial.domain.rating import longest_talk_ms
from outdial.errors import DatabaseUnavailable, InvalidPhoneNumber
from outdial.storage import agent_legs, agent_places, attempts
from outdial.storage.agent_legs import Begun, NewLeg
from outdial.storage.agent_places import Full, Refused
from outdial.telephony.leg_values import LegRequest, NotAnswered
from outdial.telephony.trunk import Trunk

JOINABLE = ("PCMU", "PCMA")
"""What rooms can mix: both sides of a connection are offered nothing else."""

_LONGEST_WAIT_MS = 5_000
"""For a place where there is none: the callee hears it ring meanwhile."""
_AGAIN_MS = 100
"""How soon to look again whether this dialer has a place."""

Reached = Literal["answered", "busy", "no_answer", "failed"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """What legs to agents need of a dialer."""

    network: PhoneNetwork
    store: Store
    lines: Lines
    """Where this dialer counts its legs."""
    clock: Callable[[], int]
    """Unix milliseconds: the clock of the day, by which dialers share out places."""
    new_sip_call_id: Callable[[], str]
    reserve_ms: int = 60_000
    """Talk that is paid for where a transfer has no longest time, of a prepaid balance."""


@dataclass(slots=True, kw_only=True)
class AgentCall:
    """`dial`, and if it was answered always `end`. `hang_up` ends it wherever it is."""

    agents: Agents
    call: Call
    lease: Lease
    trunk: Trunk
    is_lost: Callable[[], bool]
    """Whether the call is another dialer's by now."""
    clock: Callable[[], int]
    """Unix milliseconds: the attempt's own, by whose times the leg is charged."""
    beside: Phone
    """The callee's leg, in whose worker this one has to be."""
    to: str
    caller_id: str
    ring_timeout_ms: int
    max_ms: int | None
    note: Callable[[str], None]
    """Takes sentences for the flow's author."""
    phone: Phone | None = None
    codec: str = ""
    joined_at: int | None = None
    _leg: int = 0
    _wait: int | None = None
    """Under which a place is waited for, where it is known that there is none."""
    _has_place: bool = False
    _tracer: Tracer | None = None
    _given_up: EndReason | None = None
    _ringing_at: int | None = None
    _answered_at: int | None = None
    _ended_at: int | None = None
    _finished: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def dial(self) -> Reached:
        """Call, and tell how that went; whatever but "answered" is over and on disk."""
        try:
            return await self._dial()
        except Exception as error:  # noqa: BLE001 - a fault with an agent must not cost the callee the call
            _log.exception("agent_leg_failed", call_id=self.call.id, leg=self._leg, error=str(error))
            self.note(f"{self.to[:40]} was not reached for a fault of ours")
            self.hang_up(EndReason.INTERNAL_ERROR)
            await self.abandon()
            return "failed"

    async def _dial(self) -> Reached:
        try:
            digits = PhoneNumber.parse(self.to).digits
        except InvalidPhoneNumber as error:
            self._tell(f"{self.to[:40]} cannot be called: {error}")
            return "failed"
        sip_call_id = self.agents.new_sip_call_id()
        begun = await self._begin(digits, sip_call_id)
        if begun is None:
            return "failed"
        self._leg = begun.leg
        count_agent_dial(self.trunk.name)
        phone = self._prepare(digits, sip_call_id, begun)
        if self._given_up is not None:
            phone.hang_up(self._given_up)
        result = await phone.dial()
        if isinstance(result, NotAnswered):
            return await self._not_answered(result)
        self._answered_at, self.codec = self.clock(), result.codec
        if not await self._note_answer(self._answered_at):
            await self.end(EndReason.INTERRUPTED)
            return "failed"
        return "answered"

    def hang_up(self, reason: EndReason) -> None:
        """CANCEL while it rings, BYE afterwards; the first reason counts."""
        if self._given_up is None:
            self._given_up = reason
            self._woken.set()
            if self.phone is not None:
                self.phone.hang_up(reason)

    async def end(self, reason: EndReason, recording_key: str | None = None) -> None:
        """Hang up, free what it holds and write its end, once."""
        phone = self.phone
        if phone is None or self._finished:
            return
        self.hang_up(reason)
        ended = await phone.ended
        await self._finish(
            AgentLegOutcome(
                disposition=Disposition.ANSWER,
                reason=ended.reason,
                hangup_by=ended.hangup_by,
                ended_at=self._ended_at or self.clock(),
                ringing_at=self._ringing_at,
                answered_at=self._answered_at,
                joined_at=self.joined_at,
                sip_code=200,
                sip_reason="OK",
                q850=ended.q850,
                codec=self.codec,
                recording_key=recording_key,
            )
        )

    def leave_place(self) -> None:
        """Be counted no longer: it is over, however it ended. Idempotent."""
        if self._has_place:
            self._has_place = False
            self.agents.lines.release_agent(self.call.trunk_id)

    async def abandon(self) -> None:
        """Let go of everything, where nobody will wait for its end: its row ends with the attempt's.

        Idempotent; changes nothing about one that is over.
        """
        self.hang_up(EndReason.INTERRUPTED)
        self.leave_place()
        if self.phone is not None:
            await self.phone.close()

    async def _begin(self, digits: str, sip_call_id: str) -> Begun | None:
        """Take a place and the money; waits a little for a place. None with the reason noted."""
        reserve_ms = self.agents.reserve_ms
        new = NewLeg(
            account_id=self.call.account_id,
            trunk_id=self.call.trunk_id,
            to=digits,
            caller_id=self.caller_id,
            callee=self.call.to,
            bridge=self.call.bridge,
            sip_call_id=sip_call_id,
            talk_ms=reserve_ms if self.max_ms is None else min(self.max_ms, reserve_ms),
        )
        found = await self._ask(new)
        try:
            if isinstance(found, Full):
                with self.agents.lines.waiting():
                    found = await self._wait_for_place(new, found)
        finally:
            if self._wait is not None and not isinstance(found, Begun):
                self.agents.store.post(agent_places.leave, self._wait)
        if isinstance(found, Begun):
            return found
        if self._given_up is None:
            self._tell(f"{digits} was not called: {found.problem}")
        return None

    async def _wait_for_place(self, new: NewLeg, full: Full) -> Begun | Full | Refused:
        until = self.clock() + min(_LONGEST_WAIT_MS, self.ring_timeout_ms)
        found: Begun | Full | Refused = full
        while isinstance(found, Full) and self._given_up is None:
            wait_ms = max(0, found.free_at - self.agents.clock())
            if self.clock() + wait_ms > until:
                break
            await self._sleep(wait_ms)
            found = await self._ask(new)
        return found

    async def _ask(self, new: NewLeg) -> Begun | Full | Refused:
        """Take a place in this dialer, and what else the leg needs."""
        lines, now = self.agents.lines, self.agents.clock()
        if not lines.take_agent(self.call.trunk_id, asyncio.get_running_loop().time()):
            problem = f"this dialer has {lines.legs} calls in progress, as many as it may"
            problem += " (dispatch.max_concurrent)"
            return Full(now + _AGAIN_MS, problem, self._wait)
        self._has_place = True
        found: Begun | Full | Refused
        try:
            found = await self.agents.store.run(agent_legs.begin, self.lease, new, now=now, wait=self._wait)
        except DatabaseUnavailable:
            found = Refused("the database is away")
        self._wait = found.wait if isinstance(found, Full) else self._wait
        if not isinstance(found, Begun):
            self.leave_place()
        return found

    def _tell(self, sentence: str) -> None:
        """Tell the flow's author, and whoever reads the trace of the call."""
        self.note(sentence)
        entry = {"at": self.agents.clock(), "direction": "note", "summary": f"agent {sentence}"}
        self.agents.store.post(attempts.append_trace, self.lease, [entry])

    async def _sleep(self, ms: int) -> None:
        """Wait, though not for somebody who is given up."""
        try:
            async with asyncio.timeout(ms / 1000):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _prepare(self, digits: str, sip_call_id: str, begun: Begun) -> Phone:
        longest_ms = longest_talk_ms(begun.rate, begun.reserved)
        request = LegRequest(
            trunk=self.trunk,
            caller_number=self.caller_id,
            to=digits,
            sip_call_id=sip_call_id,
            ring_timeout_s=self.ring_timeout_ms / 1000,
            max_talk_s=None if longest_ms is None else longest_ms / 1000,
            codecs=JOINABLE,
        )
        phone, self._tracer = self.agents.network.new_phone(request, beside=self.beside)

        def on_ringing() -> None:
            self._ringing_at = self.clock()

        def on_ended(_: object) -> None:
            self._ended_at = self.clock()

        phone.on_ringing = on_ringing
        phone.ended.add_done_callback(on_ended)
        self.phone = phone
        return phone

    async def _note_answer(self, at: int) -> bool:
        try:
            noted: bool = await self.agents.store.run(agent_legs.mark_answered, self.lease, self._leg, at=at)
        except DatabaseUnavailable:
            return False
        return noted

    async def _not_answered(self, result: NotAnswered) -> Reached:
        now = self.clock()
        disposition = classify(
            answered=result.picked_up, reason=result.reason, sip_code=result.sip_code, q850=result.q850
        )
        await self._finish(
            AgentLegOutcome(
                disposition=disposition,
                reason=result.reason,
                hangup_by=result.hangup_by,
                ended_at=now,
                ringing_at=self._ringing_at,
                answered_at=now if result.picked_up else None,
                sip_code=result.sip_code,
                sip_reason=result.sip_reason,
                q850=result.q850,
            )
        )
        match disposition:
            case Disposition.BUSY:
                return "busy"
            case Disposition.NOANSWER | Disposition.CANCEL:
                return "no_answer"
            case Disposition.ANSWER if result.reason is not EndReason.INCOMPATIBLE_MEDIA:
                return "no_answer"  # picked up when the time to ring was over: hung up at once
            case _:
                why = str(result.reason)
                if result.hangup_by is not HangupBy.SYSTEM and result.sip_code is not None:
                    why = f"{result.sip_code} {result.sip_reason or ''}"
                if is_about_codecs(result.reason, result.sip_code):
                    why += f" (agents are offered {' and '.join(JOINABLE)} alone)"
                self.note(f"{self.to[:40]} was not reached: {why}")
                return "failed"

    async def _finish(self, outcome: AgentLegOutcome) -> None:
        self._finished = True
        if self.phone is not None:
            count_rtp(await self.phone.close(), self.trunk.name)
        if self._tracer is not None and (entries := self._tracer.take()):
            marked = [each | {"summary": f"agent {self._leg}: {each['summary']}"} for each in entries]
            self.agents.store.post(attempts.append_trace, self.lease, marked)
        await insist(
            lambda: self.agents.store.run_patiently(
                agent_legs.finish, self.lease, self._leg, outcome, now=self.agents.clock()
            ),
            is_lost=self.is_lost,
            waiting="agent_leg_waits_for_database",
            call_id=self.call.id,
        )
        self.leave_place()
