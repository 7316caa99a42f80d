"""A far end that is somebody else's program: started by `async with`; a failure shows what it said."""

import asyncio
from types import TracebackType
from typing import Self

_ENDS_WITHIN_S = 20.0


async def end(process: asyncio.subprocess.Process | None) -> None:
    """Ask a process to end, and kill it where it does not. Idempotent; None has not been started."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _ENDS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


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
