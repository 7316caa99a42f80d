"""The roles, and running one of them as this process."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import assert_never

import structlog
import uvloop

from outdial.config import Settings
from outdial.errors import ConfigurationError
from outdial.supervisor import exit_codes
from outdial.supervisor.logs import configure_logging
from outdial.supervisor.parent_death import end_with_parent

log = structlog.get_logger()

RoleMain = Callable[[Settings, asyncio.Event], Awaitable[None]]
"""Runs a role until the event is set, then drains and returns."""


class Role(StrEnum):
    """What a process of the server does."""

    API = "api"
    """The HTTP API."""
    DIALER = "dialer"
    """Claims due calls and runs them."""
    WEBHOOKS = "webhooks"
    """Delivers events to webhooks."""
    SANDBOX = "sandbox"
    """The simulated phone network."""


def run_role(role: Role, settings: Settings, *, parent_pid: int | None = None) -> int:
    """Run `role` in this process until SIGTERM or SIGINT; returns the exit status.

    With `parent_pid` (a supervisor) the process ends when the parent does, and the database is taken as
    prepared.
    """
    configure_logging(settings.log, role=role.value)
    if parent_pid is None:
        from outdial.supervisor.prepare import prepare_database

        prepare_database(settings)
    elif not end_with_parent(parent_pid):
        return exit_codes.OK
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signal(_main_of(role), settings))
    except ConfigurationError:
        raise
    except Exception:
        log.exception("role_failed")
        return exit_codes.INTERNAL
    return exit_codes.OK


def _main_of(role: Role) -> RoleMain:
    """The role's own module and no other: importing all of them would double the time of a start."""
    match role:
        case Role.API:
            from outdial.supervisor.roles.api import serve_api

            return serve_api
        case Role.DIALER:
            from outdial.supervisor.roles.dialer import serve_dialer

            return serve_dialer
        case Role.WEBHOOKS:
            from outdial.supervisor.roles.webhooks import serve_webhooks

            return serve_webhooks
        case Role.SANDBOX:
            from outdial.supervisor.roles.sandbox import serve_sandbox

            return serve_sandbox
        case _:
            assert_never(role)


async def _until_signal(main: RoleMain, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("role_starting", pid=os.getpid())
    await main(settings, stop)
    log.info("role_stopped", pid=os.getpid())
