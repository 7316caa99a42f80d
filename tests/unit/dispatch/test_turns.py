"""Turns are few, and fair between accounts."""

import asyncio

from outdial.dispatch.turns import Turns


class Rooms:
    """Notes who is in, and lets each out by hand."""

    def __init__(self, turns: Turns, group: asyncio.TaskGroup) -> None:
        self.turns = turns
        self.group = group
        self.inside: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, *names: str) -> None:
        for name in names:
            self.doors[name] = asyncio.Event()
            self.tasks[name] = self.group.create_task(self._stay(name))

    async def _stay(self, name: str) -> None:
        async with self.turns.turn(ord(name[0])):
            self.inside.append(name)
            try:
                await self.doors[name].wait()
            finally:
                self.inside.remove(name)

    async def leave(self, *names: str) -> None:
        for name in names:
            self.doors[name].set()
        await self.settled()

    async def settled(self) -> list[str]:
        for _ in range(5):
            await asyncio.sleep(0)
        return self.inside


async def test_no_more_than_that_and_one_account_after_the_other() -> None:
    async with asyncio.TaskGroup() as group:
        rooms = Rooms(Turns(3, 2), group)
        rooms.come("a1", "a2", "a3", "a4", "b1", "c1", "b2")
        assert await rooms.settled() == ["a1", "a2", "b1"]
        await rooms.leave("a1")
        assert rooms.inside == ["a2", "b1", "c1"]
        await rooms.leave("b1")
        assert rooms.inside == ["a2", "c1", "b2"]
        await rooms.leave("c1", "b2")
        assert rooms.inside == ["a2", "a3"]  # not a4 as well, although there is room
        await rooms.leave("a2")
        assert rooms.inside == ["a3", "a4"]
        await rooms.leave("a3", "a4")


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    async with asyncio.TaskGroup() as group:
        rooms = Rooms(Turns(1, 1), group)
        rooms.come("a1", "b1", "c1")
        assert await rooms.settled() == ["a1"]
        rooms.tasks["b1"].cancel()
        await rooms.leave("a1")
        assert rooms.inside == ["c1"]
        # Given the turn and cancelled in the same moment: it goes on to the next.
        rooms.come("d1", "e1")
        await rooms.settled()
        rooms.doors["c1"].set()
        while rooms.inside == ["c1"]:
            await asyncio.sleep(0)
        rooms.tasks["d1"].cancel()
        await rooms.settled()
        assert rooms.inside == ["e1"]
        await rooms.leave("e1")
