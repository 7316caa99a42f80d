"""`outdial serve` without a role: prepare what is needed, then keep all roles running."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence

import structlog

from outdial.config import Settings
from outdial.supervisor.role import Role
from outdial.supervisor.role_process import RoleProcess
from outdial.supervisor.supervisor import Supervisor

log = structlog.get_logger()


def roles_to_run(*, sandbox: bool) -> tuple[Role, ...]:
    """In the order in which they end: no new work, then calls, their events, the network that they need."""
    roles = (Role.API, Role.DIALER, Role.WEBHOOKS)
    return (*roles, Role.SANDBOX) if sandbox else roles


def role_command(role: Role, *, parent_pid: int) -> Sequence[str]:
    """The command line of a role's process; its settings come from the environment and the same TOML file."""
    return (sys.executable, "-m", "outdial", "serve", "--role", role.value, "--parent", str(parent_pid))


def run_all(settings: Settings, *, sandbox: bool) -> int:
    """Run every role as a child process until SIGTERM or SIGINT; returns the exit status."""
    random = secrets.SystemRandom().random
    processes = [
        RoleProcess(role.value, role_command(role, parent_pid=os.getpid()), random=random)
        for role in roles_to_run(sandbox=sandbox)
    ]
    log.info(
        "server_starting", data_dir=str(settings.data_dir), roles=[process.name for process in processes]
    )
    status = asyncio.run(Supervisor(processes, drain_s=settings.dispatch.drain_seconds).run())
    log.info("server_stopped", status=status)
    return status
