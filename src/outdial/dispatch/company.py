"""Whom a callee is with: agents that the flow connects, and others in a conference."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from outdial.dispatch.agent_call import Agents
from outdial.dispatch.conferences import Conferences, Seat
from outdial.dispatch.connecting import Connection
from outdial.dispatch.messages import Messages
from outdial.dispatch.phones import Phone
from outdial.dispatch.prompt_audio import PromptAudio
from outdial.domain.call import Call, Lease
from outdial.flow.actions import Connect, JoinConference, LeaveConference, StopConnect
from outdial.flow.events import Event
from outdial.telephony.trunk import Trunk


@dataclass(slots=True, kw_only=True)
class Company:
    """The connections and seats of one run of a flow: one at a time."""

    agents: Agents
    conferences: Conferences
    prompts: PromptAudio
    messages: Messages
    phone: Phone
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
    _connection: Connection | None = None
    _seat: Seat | None = None

    def act(
        self, action: Connect | StopConnect | JoinConference | LeaveConference, tasks: asyncio.TaskGroup
    ) -> None:
        """Do what the flow wants; what is begun ends before `tasks` do."""
        match action:
            case Connect():
                self._connection = self._connect(action)
                tasks.create_task(self._connection.run())
            case StopConnect(connect_id=connect_id):
                if self._connection is not None and self._connection.action.connect_id == connect_id:
                    self._connection.stop()
            case JoinConference():
                self._seat = self._take_seat(action)
                tasks.create_task(self.conferences.attend(self._seat))
            case LeaveConference(conference_id=conference_id):
                if self._seat is not None and self._seat.action.conference_id == conference_id:
                    self._seat.leave()

    def press(self, digit: str) -> None:
        """Pass on a key that the callee pressed."""
        if self._connection is not None:
            self._connection.press(digit)

    def part(self) -> None:
        """The flow is over: hang up the agents, leave the room."""
        if self._connection is not None:
            self._connection.stop()
        if self._seat is not None:
            self._seat.leave()

    def _connect(self, action: Connect) -> Connection:
        return Connection(
            action=action,
            agents=self.agents,
            prompts=self.prompts,
            messages=self.messages,
            phone=self.phone,
            codec=self.codec,
            call=self.call,
            lease=self.lease,
            trunk=self.trunk,
            is_lost=self.is_lost,
            clock=self.clock,
            give=self.give,
            note=self.note,
        )

    def _take_seat(self, action: JoinConference) -> Seat:
        return Seat(
            action=action,
            phone=self.phone,
            codec=self.codec,
            account_id=self.call.account_id,
            lease=self.lease,
            prompts=self.prompts,
            clock=self.clock,
            give=self.give,
            note=self.note,
        )
