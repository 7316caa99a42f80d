"""Bringing a callee together with an agent: who is called, what both hear until then, how it ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from outdial.dispatch.agent_call import AgentCall, Agents, Reached
from outdial.dispatch.messages import Messages
from outdial.dispatch.phones import Phone
from outdial.dispatch.prompt_audio import CannotPlay, PromptAudio
from outdial.domain.call import Call, Lease
from outdial.domain.disposition import EndReason
from outdial.flow.actions import Connect
from outdial.flow.events import ConnectAnswered, ConnectEnded, Event
from outdial.telephony.trunk import Trunk

_AT_A_TIME = 8
"""How often what is heard meanwhile is queued: each end is a message from the worker."""


@dataclass(slots=True, kw_only=True)
class Connection:
    """One `Connect`, from the first dial to both being apart again."""

    action: Connect
    agents: Agents
    prompts: PromptAudio
    messages: Messages
    phone: Phone
    """The callee."""
    codec: str
    call: Call
    lease: Lease
    trunk: Trunk
    is_lost: Callable[[], bool]
    """Whether the call is another dialer's by now."""
    clock: Callable[[], int]
    """Of the attempt, Unix milliseconds."""
    give: Callable[[Event], None]
    """Takes events for the flow."""
    note: Callable[[str], None]
    """Takes sentences for the flow's author."""
    _legs: list[AgentCall] = field(default_factory=list)
    _joined: Phone | None = None
    _problem: str | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Do it; returns when all legs to agents are over and on disk, those that lost, too."""
        self.phone.ended.add_done_callback(lambda _: self.stop())
        try:
            async with asyncio.TaskGroup() as tasks:
                meanwhile = tasks.create_task(self._entertain())
                reached, agent = await self._reach(tasks)
                meanwhile.cancel()
                self.phone.stop_playing()
                if agent is None:
                    self.give(ConnectEnded(self.clock(), self.action.connect_id, reached))
                else:
                    await self._talk(agent, tasks)
        finally:
            for leg in self._legs:
                await leg.abandon()

    def stop(self) -> None:
        """Call nobody more, hang up whom was called, and part those who talk."""
        if not self._over.is_set():
            self._over.set()
            for leg in self._legs:
                leg.hang_up(EndReason.CANCELLED if leg.joined_at is None else EndReason.COMPLETED)

    def press(self, digit: str) -> None:
        """Pass on a key that the callee pressed."""
        if self._joined is not None:
            self._joined.send_key(digit)

    async def _entertain(self) -> None:
        """Let the callee hear the music, or it ring, until somebody stops it."""
        clips = self.prompts.ringing(self.codec)
        if self.action.meanwhile:
            try:
                clips = await self.prompts.clips_of(self.action.meanwhile, self.codec, self.call.account_id)
            except CannotPlay as problem:
                self.note(f"what is heard meanwhile could not be played: {problem}")
        while True:
            result = await self.phone.play(clips * _AT_A_TIME)
            if not result.completed or not result.played_ms:
                return

    async def _reach(self, tasks: asyncio.TaskGroup) -> tuple[Reached, AgentCall | None]:
        """Somebody who answered and heard the whisper, or how the last of them was not reached."""
        reached: Reached = "failed"
        if self.action.strategy == "parallel":
            reached, first = await self._reach_first(tasks)
            if first is not None and not await self._whisper(first):
                return "no_answer", None
            return reached, first
        for to in self.action.to:
            if self._over.is_set():
                break
            agent = self._new_leg(to)
            reached = await agent.dial()
            if reached == "answered":
                if await self._whisper(agent):
                    return reached, agent
                reached = "no_answer"
        return reached, None

    async def _reach_first(self, tasks: asyncio.TaskGroup) -> tuple[Reached, AgentCall | None]:
        """Call all at once. Who answers first has it; the others are hung up, also if they answer late."""
        dials = {tasks.create_task(leg.dial()): leg for leg in map(self._new_leg, self.action.to)}
        reached: Reached = "failed"
        winner: AgentCall | None = None
        waiting = set(dials)
        while waiting and winner is None:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for dial in done:
                if dial.result() != "answered":
                    reached = dial.result()
                elif winner is None:
                    winner, reached = dials[dial], "answered"
                else:
                    dials[dial].hang_up(EndReason.CANCELLED)
                    tasks.create_task(dials[dial].end(EndReason.CANCELLED))
        for dial in waiting:
            dials[dial].hang_up(EndReason.CANCELLED)
            tasks.create_task(self._lose(dial, dials[dial]))
        return reached, winner

    async def _lose(self, dial: "asyncio.Task[Reached]", leg: AgentCall) -> None:
        if await dial == "answered":
            await leg.end(EndReason.CANCELLED)

    def _new_leg(self, to: str) -> AgentCall:
        leg = AgentCall(
            agents=self.agents,
            call=self.call,
            lease=self.lease,
            trunk=self.trunk,
            is_lost=self.is_lost,
            clock=self.clock,
            beside=self.phone,
            to=to,
            caller_id=self.action.caller_id or self.call.bridge,
            ring_timeout_ms=self.action.ring_timeout_ms,
            max_ms=self.action.max_ms,
            note=self.note,
        )
        self._legs.append(leg)
        return leg

    async def _whisper(self, agent: AgentCall) -> bool:
        """Let the agent alone hear what there is to know; False, and over, if one of both has hung up."""
        phone = agent.phone
        if phone is not None and self.action.whisper and not self._over.is_set():
            try:
                clips = await self.prompts.clips_of(self.action.whisper, agent.codec, self.call.account_id)
                await phone.play(clips)
            except CannotPlay as problem:
                self.note(f"the whisper could not be played: {problem}")
        if phone is None or phone.ended.done() or self._over.is_set():
            await agent.end(EndReason.CANCELLED)
            return False
        return True

    async def _talk(self, agent: AgentCall, tasks: asyncio.TaskGroup) -> None:
        """Join the two until one of them hangs up or the time is over."""
        phone, clock = agent.phone, self.clock
        assert phone is not None
        began = agent.joined_at = clock()
        room = f"{self.call.id}/{self.lease.number}/{self.action.connect_id}"
        for each in (self.phone, phone):
            each.on_join_failed = self._on_join_failed
            each.join(room)
        phone.on_digit = self.phone.send_key
        self._joined = phone
        self.give(ConnectAnswered(began, self.action.connect_id, agent.to))
        recording = tasks.create_task(self._record(phone, agent.codec)) if self.action.record else None
        over = tasks.create_task(self._over.wait())
        max_s = None if self.action.max_ms is None else self.action.max_ms / 1000
        ends: list[asyncio.Future[Any]] = [over, phone.ended]
        await asyncio.wait(ends, timeout=max_s, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        self._joined = self.phone.on_join_failed = None
        talked_ms = clock() - began
        self.phone.leave()
        self.phone.stop_message()
        agent.hang_up(EndReason.COMPLETED)
        reference = "" if recording is None else await recording
        await agent.end(EndReason.COMPLETED, reference or None)
        if self._problem is None:
            end = ConnectEnded(clock(), self.action.connect_id, "answered", agent.to, talked_ms, reference)
        else:
            self.note(f"the two could not be joined: {self._problem}")
            end = ConnectEnded(clock(), self.action.connect_id, "failed")
        self.give(end)

    async def _record(self, agent: Phone, agent_codec: str) -> str:
        """Record both sides until either leg is told to stop; the reference of it, empty if there is none."""
        name, begin = self.action.connect_id, self.messages.begin
        callee_file, agent_file = begin(self.lease, f"{name}/callee"), begin(self.lease, f"{name}/agent")
        await asyncio.gather(self.phone.record_message(callee_file), agent.record_message(agent_file))
        return await self.messages.keep_both(
            self.lease, name, (callee_file, self.codec), (agent_file, agent_codec)
        )

    def _on_join_failed(self, problem: str) -> None:
        self._problem = problem
        for leg in self._legs:
            leg.hang_up(EndReason.INTERNAL_ERROR)
