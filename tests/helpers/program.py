"""A far end that is somebody else's program: started by `async with`; a failure shows what it said."""

from types import TracebackType
from typing import Self


class Program:
    """The shape of all of them; `said` is what helps to find out why a test failed."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if isinstance(error, Exception):
            error.add_note(self.said())

    async def start(self) -> None:
        """Start it and wait until it can be reached."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End it. Idempotent."""
        raise NotImplementedError

    def said(self) -> str:
        """What it has written so far."""
        raise NotImplementedError
