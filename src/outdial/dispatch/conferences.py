"""Conference rooms of a dialer: who is in, who hears music, who is too many, when it is over.

Rooms are of an account. Their members are legs of one media worker, which mixes what they say; so a room
lives in one dialer, the one of whoever came first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from outdial.dispatch.phones import Phone
from outdial.dispatch.ports import Store
from outdial.dispatch.prompt_audio import CannotPlay, PromptAudio
from outdial.domain.call import Lease
from outdial.errors import DatabaseUnavailable
from outdial.flow.actions import JoinConference
from outdial.flow.events import ConferenceLeft, Event
from outdial.storage import conferences

_AT_A_TIME = 8
"""How often the music is queued: each end is a message from the worker."""

Left = Literal["left", "ended", "full", "failed"]


@dataclass(slots=True, kw_only=True, eq=False)
class Seat:
    """One callee's stay in a room."""

    action: JoinConference
    phone: Phone
    codec: str
    account_id: int
    lease: Lease
    prompts: PromptAudio
    clock: Callable[[], int]
    """Of the attempt, Unix milliseconds."""
    give: Callable[[Event], None]
    """Takes events for the flow."""
    note: Callable[[str], None]
    """Takes sentences for the flow's author."""
    outcome: "asyncio.Future[Left]" = field(init=False)
    _talks: bool | None = None
    _music: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.outcome = asyncio.get_running_loop().create_future()

    def leave(self, outcome: Left = "left") -> None:
        """End the stay, if it has not ended; the first outcome counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def join_failed(self, problem: str) -> None:
        """The worker could not let the leg in."""
        self.note(f"the room could not be joined: {problem}")
        self.leave("failed")

    def settle(self, room: str, tasks: asyncio.TaskGroup, *, talks: bool) -> None:
        """Let the callee hear the others, or the music."""
        if talks == self._talks:
            return
        self._talks = talks
        if talks:
            self.stop_music()
            self.phone.join(room, muted=self.action.muted)
        else:
            self.phone.leave()
            if self.action.music:
                self._music = tasks.create_task(self._play_music())

    def stop_music(self) -> None:
        """Play nothing more."""
        if self._music is not None:
            self._music.cancel()
            self._music = None
            self.phone.stop_playing()

    async def _play_music(self) -> None:
        try:
            clips = await self.prompts.clips_of(self.action.music, self.codec, self.account_id)
        except CannotPlay as problem:
            self.note(f"the music could not be played: {problem}")
            return
        while True:
            result = await self.phone.play(list(clips) * _AT_A_TIME)
            if not result.completed or not result.played_ms:
                return


@dataclass(slots=True)
class _Room:
    name: str
    """As the media worker knows it."""
    seats: dict[Seat, asyncio.TaskGroup] = field(default_factory=dict)
    """Who is in, each with the tasks of the stay."""
    coming: int = 0
    """Who has asked for a seat and has none yet: until then the room is not given up."""
    moderated: bool = False
    """A moderator has been there."""

    @property
    def has_moderator(self) -> bool:
        return any(seat.action.moderator for seat in self.seats)

    def settle(self) -> None:
        """Let everybody hear what is theirs now: one who is alone, or waits for a moderator, hears music."""
        is_open = self.has_moderator
        talkers = {seat for seat in self.seats if is_open or not seat.action.wait_for_moderator}
        for seat, tasks in self.seats.items():
            seat.settle(self.name, tasks, talks=len(talkers) > 1 and seat in talkers)


class Conferences:
    """The rooms of one dialer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rooms: dict[tuple[int, str], _Room] = {}

    async def attend(self, seat: Seat) -> None:
        """See one stay through, from the wish to the event that it is over."""
        key = (seat.account_id, seat.action.room)
        room = self._rooms.setdefault(key, _Room(f"conference/{key[0]}/{key[1]}"))
        stayed_ms = 0
        try:
            outcome = await self._refusal(seat, room)
            if outcome is None:
                began = seat.clock()
                outcome = await self._stay(seat, room)
                stayed_ms = seat.clock() - began
        finally:
            self._give_up_if_empty(key, room, seat.lease)
        seat.give(ConferenceLeft(seat.clock(), seat.action.conference_id, outcome, stayed_ms))

    async def _refusal(self, seat: Seat, room: _Room) -> Left | None:
        """Why somebody cannot come in; None if they can."""
        room.coming += 1
        try:
            ours = await self._store.run(
                conferences.open_room,
                seat.account_id,
                seat.action.room,
                dialer_id=seat.lease.dialer_id,
            )
        except DatabaseUnavailable:
            seat.note("the room could not be opened: the database is away")
            return "failed"
        finally:
            room.coming -= 1
        if not ours:
            seat.note(f"the room {seat.action.room} is on another dialer, whose calls cannot be heard here")
            return "failed"
        if len(room.seats) >= seat.action.most:
            return "full"
        if any(not seat.phone.is_beside(each.phone) for each in room.seats):
            seat.note(f"the room {seat.action.room} is in another media worker, since one has been replaced")
            return "failed"
        return "left" if seat.phone.ended.done() else None

    async def _stay(self, seat: Seat, room: _Room) -> Left:
        async with asyncio.TaskGroup() as tasks:
            seat.phone.ended.add_done_callback(lambda _: seat.leave())
            seat.phone.on_join_failed = seat.join_failed
            room.seats[seat] = tasks
            room.moderated |= seat.action.moderator
            room.settle()
            try:
                return await seat.outcome
            finally:
                del room.seats[seat]
                seat.stop_music()
                seat.phone.on_join_failed = None
                seat.phone.leave()
                if room.moderated and not room.has_moderator:
                    for each in room.seats:
                        each.leave("ended")
                room.settle()

    def _give_up_if_empty(self, key: tuple[int, str], room: _Room, lease: Lease) -> None:
        if not room.seats and not room.coming and self._rooms.get(key) is room:
            del self._rooms[key]
            self._store.post(conferences.close_room, *key, dialer_id=lease.dialer_id)
