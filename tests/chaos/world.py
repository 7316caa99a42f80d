"""The system that is harmed: `outdial serve` beside a far end that nobody harms."""

from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from outdial.supervisor.parts import wall_clock_ms
from tests.chaos.money import make_prepaid
from tests.chaos.phones import Numbers, phones_toml
from tests.helpers.poll import until
from tests.helpers.processes import kill
from tests.helpers.system import Server, System

LEASE_S = 3
DRAIN_S = 3
MAX_CONCURRENT = 60
WORKERS = 3
RING_TIMEOUT_S = 2

SOUNDS_MS = {"short": 400, "long": 20_000}


def system_to_harm(folder: Path, database_url: str) -> System:
    """A system with short times, so that waiting for a lease does not fill the day."""
    return System(
        folder,
        database_url,
        phones=phones_toml(),
        settings={
            # One, so that a retry can be told from too many without waiting for the third.
            "limits.retries": 1,
            "dispatch.lease_seconds": LEASE_S,
            "dispatch.drain_seconds": DRAIN_S,
            "dispatch.max_concurrent": MAX_CONCURRENT,
            "media.workers": WORKERS,
            "media.fill_to": 1,
            "egress.allow": '["127.0.0.2"]',
            "webhooks.timeout_seconds": 2,
        },
        trunk={"ring_timeout_s": RING_TIMEOUT_S},
    )


@dataclass
class World:
    """One system on one database, for all tests on it. The far end is a process of its own: a witness."""

    system: System
    far_end: Server
    server: Server
    sounds: dict[str, str]
    numbers: Numbers = field(default_factory=Numbers)

    @classmethod
    async def start(cls, system: System) -> "World":
        """Start everything."""
        await system.prepare()
        await system.write(make_prepaid)
        sounds = {name: await system.add_sound(duration_ms) for name, duration_ms in SOUNDS_MS.items()}
        world = cls(system, system.serve("--role", "sandbox"), system.serve(), sounds)
        await system.ready(world.server)
        await until(lambda: world.far_end.log("sandbox_ready"), "the far end is ready")
        return world

    async def begin(self) -> None:
        """Be ready for the next test, whatever the last one left behind."""
        if self.server.exit_status is not None:
            await self.restart()
        else:
            await self.system.ready(self.server)

    async def restart(self) -> None:
        """Start the server again after its end."""
        self.server = self.system.serve()
        await self.system.ready(self.server)

    async def kill_dialer(self) -> int:
        """SIGKILL the dialer; its pid."""
        pid = self.system.pid_of("dialer")
        await kill(pid)
        return pid

    async def another_dialer(self, instead_of: int) -> int:
        """Wait until the supervisor has started another dialer and it has a lease; its pid."""

        def pid() -> int | None:
            return next((each for each in self.system.registered_dialers() if each != instead_of), None)

        found: int = await until(pid, f"a dialer in place of {instead_of}")
        return found

    def media_workers(self) -> list[int]:
        """The pids of the running media workers."""
        return [process.pid for process in self.system.processes("media")]

    def leases_not_clean(self) -> list[str]:
        """Say so if an attempt has not ended, or a dead dialer is still taken for a living one."""

        def look(conn: sa.Connection) -> list[str]:
            active = conn.execute(sa.text("SELECT call_id, state FROM attempts WHERE state <> 'ended'")).all()
            leased = conn.execute(
                sa.text("SELECT id, dialer_id FROM calls WHERE dialer_id IS NOT NULL")
            ).all()
            alive = conn.execute(
                sa.text("SELECT id, pid FROM dialers WHERE lost_at IS NULL AND lease_until > :now"),
                {"now": wall_clock_ms()},
            ).all()
            running = {process.pid for process in self.system.processes("dialer")}
            dead = [row.id for row in alive if row.pid not in running]
            return [
                *(f"attempt of {row.call_id} is {row.state} for ever" for row in active),
                *(f"{row.id} is leased to {row.dialer_id} for ever" for row in leased),
                *(f"the dead dialer {dialer_id} holds a lease" for dialer_id in dead),
            ]

        return self.system.read(look)
