"""The sandbox role: the simulated phone network."""

import asyncio

import structlog

from outdial.config import Settings
from outdial.errors import ConfigurationError
from outdial.sandbox.network import SandboxNetwork
from outdial.sandbox.options import SandboxOptions
from outdial.supervisor.parts import wall_clock_ms, why

log = structlog.get_logger()


async def serve_sandbox(settings: Settings, stop: asyncio.Event) -> None:
    """Run the phones until `stop` is set. Raises ConfigurationError when the SIP port cannot be bound."""
    network = SandboxNetwork(sandbox_options(settings), wall_clock_ms)
    try:
        await network.start()
    except OSError as error:
        raise ConfigurationError(
            f"sandbox.bind_address = {settings.sandbox.bind_address!r}, sandbox.port ="
            f" {settings.sandbox.port}:"
            f" cannot bind there ({why(error)}); set OUTDIAL_SANDBOX__PORT to a free port."
        ) from None
    try:
        log.info("sandbox_ready", sip=f"{settings.sandbox.bind_address}:{settings.sandbox.port}")
        await stop.wait()
    finally:
        await network.stop()


def sandbox_options(settings: Settings) -> SandboxOptions:
    """The part of the settings that the sandbox reads."""
    return SandboxOptions(
        recordings_dir=settings.data_dir / "sandbox",
        bind_address=settings.sandbox.bind_address,
        port=settings.sandbox.port,
        phones_file=settings.sandbox.phones,
    )
