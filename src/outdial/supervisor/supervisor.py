"""The parent of all roles: starts them, restarts the fallen.

Ends them in the order in which they need each other.
"""

import asyncio
import signal
from collections.abc import Sequence

import structlog

from outdial.supervisor import exit_codes
from outdial.supervisor.role_process import RoleProcess

log = structlog.get_logger()

_KILL_MARGIN_S = 10.0
"""Time beyond the drain for a role to close its database and sockets."""
_SIGNAL_ECHO_S = 0.5
"""Within this time a second signal is the same wish: timeout(1) and terminals signal process and group."""


class Supervisor:
    """Runs `roles` until SIGTERM or SIGINT, or until one of them cannot start at all.

    Roles are ended one after the other in the order given, so that calls can still hang up towards a
    sandbox that is listed last. A second signal ends everything at once.
    """

    def __init__(
        self, roles: Sequence[RoleProcess], *, drain_s: float, echo_s: float = _SIGNAL_ECHO_S
    ) -> None:
        self._roles = roles
        self._grace_s = drain_s + _KILL_MARGIN_S
        self._stop = asyncio.Event()
        self._echo_s = echo_s
        self._first_signal_at: float | None = None

    async def run(self) -> int:
        """Run until told to stop; returns the exit status for the process."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        status = exit_codes.OK
        try:
            async with asyncio.TaskGroup() as group:
                keepers = {group.create_task(role.keep_running(), name=role.name) for role in self._roles}
                stopping = group.create_task(self._stop.wait())
                done, _ = await asyncio.wait({*keepers, stopping}, return_when=asyncio.FIRST_COMPLETED)
                for keeper in done - {stopping}:
                    status = exit_codes.CONFIGURATION
                    log.error("role_cannot_start", fallen=keeper.get_name())
                self._stop.set()
                for role in self._roles:
                    await role.end(grace_s=self._grace_s)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return status

    def _on_signal(self, number: signal.Signals) -> None:
        now = asyncio.get_running_loop().time()
        if self._first_signal_at is None:
            self._first_signal_at = now
            log.info("stopping", signal=number.name, grace_s=self._grace_s)
            self._stop.set()
        elif now - self._first_signal_at >= self._echo_s:
            log.warning("stopping_at_once", signal=number.name)
            for role in self._roles:
                role.kill()
