"""One role as a child process: start it, see it fall, start it again, end it."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from outdial.supervisor import exit_codes
from outdial.supervisor.backoff import Backoff

log = structlog.get_logger()


@dataclass(slots=True)
class RoleProcess:
    """Keeps one child process running until `end` is called.

    The child gets a process group of its own: a Ctrl-C in the terminal reaches only the supervisor, which
    then ends the roles in order.
    """

    name: str
    command: Sequence[str]
    random: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep_running(self) -> int:
        """Run the child, again and again, until `end`; returns its last exit status.

        Returns early when the very first start fails for a wrong setting: trying again would not help.
        """
        while True:
            started = time.monotonic()
            try:
                status = await self._run_once()
            except OSError as error:
                # No memory or no processes left just now: the other roles go on, and this one comes back.
                log.exception("role_not_started", role_name=self.name, error=str(error))
                status = exit_codes.INTERNAL
            if self._ending.is_set():
                return status
            if status == exit_codes.CONFIGURATION and self.starts == 1:
                return status
            delay = self.backoff.next_delay(stood_for_s=time.monotonic() - started, random=self.random)
            log.error("role_fell", fallen=self.name, **_how(status), again_in_s=round(delay, 2))
            if await _is_set_within(self._ending, delay):
                return status

    async def _run_once(self) -> int:
        self.process = await asyncio.create_subprocess_exec(*self.command, process_group=0)
        self.starts += 1
        log.info("role_started", started=self.name, pid=self.process.pid, starts=self.starts)
        if self._ending.is_set():  # asked to end while the process was being started
            self._signal(signal.SIGTERM)
        return await self.process.wait()

    async def end(self, *, grace_s: float) -> None:
        """Ask the child to drain and end (SIGTERM); after `grace_s` end it (SIGKILL). Idempotent."""
        self._ending.set()
        if self.process is None or self.process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self.process.wait()
        except TimeoutError:  # no fault to show a traceback for
            log.warning("role_killed", killed=self.name, pid=self.process.pid, grace_s=grace_s)
            self.kill()
            await self.process.wait()
        log.info("role_ended", ended=self.name, **_how(self.process.returncode))

    def kill(self) -> None:
        """End the child at once (SIGKILL)."""
        self._ending.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _how(status: int | None) -> dict[str, object]:
    if status is not None and status < 0:
        return {"signal": signal.Signals(-status).name}
    return {"status": status}
