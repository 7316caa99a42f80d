"""Thousands of short calls leave nothing behind: no dialog, transaction, timer, task, socket or object.

`OUTDIAL_LEAK_CALLS=10000 pytest tests/interop/test_leaks.py` makes the long run; without it there are 1,000.
"""

import asyncio
import gc
import os
from pathlib import Path
from typing import Any

import pytest

from outdial.domain.disposition import EndReason
from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.dialog import Dialog
from outdial.sip.message import Request
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.calling import CallingSession
from outdial.sip.timers import Timer, TimerValues
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import Answered, LegRequest
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions
from tests.helpers.sipp import Sipp
from tests.interop.caller import CALLEE, CALLER, SilentMedia, dial, end_of, until
from tests.interop.conftest import StartSipp

CALLS = int(os.environ.get("OUTDIAL_LEAK_CALLS", "1000"))
WARM_UP = min(CALLS // 2, 1000)
AT_ONCE = 40
RATE = 300.0
"""Calls per second: it bounds how many linger at a time, and so the memory that is needed at the peak."""

pytestmark = [pytest.mark.sipp, pytest.mark.timeout(120 + CALLS // 50)]


class QuickTimers(TimerValues):
    """What lingers by RFC 3261 for 32 s and more is gone after three."""

    @property
    def transaction_timeout(self) -> float:
        return 3.0

    @property
    def wait_for_response_retransmits(self) -> float:
        return 3.0


KINDS = {
    "load_answers": (50, EndReason.COMPLETED),
    "load_hangs_up": (30, EndReason.CALLEE_HUNG_UP),
    "load_busy": (10, EndReason.REJECTED),
    "load_rings": (10, EndReason.CANCELLED),
}
"""Scenarios, their share in per cent and how their calls must end."""


async def test_short_calls_leave_nothing_behind(sipp: StartSipp) -> None:
    user_agent = UserAgent(
        UserAgentOptions(bind_address="127.0.0.1", port=0, timer_values=QuickTimers(t4=0.5))
    )
    await user_agent.start()
    await _calls(sipp, user_agent, WARM_UP)
    before = _resources(user_agent)
    await _calls(sipp, user_agent, CALLS - WARM_UP)
    after = _resources(user_agent)

    memory = after.pop("resident") - before.pop("resident")
    objects = after.pop("objects") - before.pop("objects")
    assert after == before
    assert before["signalling"] == 0
    assert objects < 500, "whatever is kept for a call shows in thousands of calls"
    # The allocator keeps what the peak needed; forgotten calls would cost some 16 kB each on top of it.
    assert memory < 8_000_000 + 3_000 * CALLS, f"{memory / (CALLS - WARM_UP):.0f} bytes a call"
    assert user_agent.endpoint.layer.counters["unparseable"] == 0
    await user_agent.stop()
    assert _open_files() == before["files"] - 1, "the socket is closed"


async def _calls(sipp: StartSipp, user_agent: UserAgent, count: int) -> None:
    """Make calls of every kind, at most `AT_ONCE` at once, and wait until their last timer has run."""
    far_ends = {
        kind: await sipp(kind, calls=count * share // 100, many=True) for kind, (share, _) in KINDS.items()
    }
    waiting = [kind for kind, (share, _) in KINDS.items() for _ in range(count * share // 100)]
    waiting.sort(key=lambda kind: hash((kind, len(waiting))))
    media = SilentMedia()

    now = asyncio.get_running_loop().time
    started = now()

    async def work(lane: int) -> None:
        for number, kind in enumerate(waiting[lane::AT_ONCE]):
            await asyncio.sleep(started + (number * AT_ONCE + lane) / RATE - now())
            await _call(user_agent, media, far_ends[kind], kind, f"{count}-{lane}-{number}")

    async with asyncio.TaskGroup() as lanes:
        for lane in range(AT_ONCE):
            lanes.create_task(work(lane))
    for far_end in far_ends.values():
        await far_end.passed()
    assert not media.open_streams
    await until(lambda: user_agent.endpoint.idle, "the last timer")


async def _call(user_agent: UserAgent, media: SilentMedia, far_end: Sipp, kind: str, name: str) -> None:
    any_media: Any = media
    trunk = Trunk(name="far", host=far_end.host, port=far_end.port)
    request = LegRequest(trunk=trunk, caller_number=CALLER, to=CALLEE, sip_call_id=f"{kind}-{name}@test")
    leg = Leg(user_agent, any_media, request, Trace(lambda: 0))
    wanted = KINDS[kind][1]
    if wanted is EndReason.CANCELLED:
        leg.on_ringing = lambda: leg.hang_up(EndReason.CANCELLED)
    try:
        result = await dial(leg)
        if not isinstance(result, Answered):
            assert result.reason is wanted, result
            return
        if wanted is EndReason.COMPLETED:
            leg.hang_up()
        assert (await end_of(leg)).reason is wanted
    finally:
        await leg.close()


def _resources(user_agent: UserAgent) -> dict[str, int]:
    gc.collect()
    endpoint = user_agent.endpoint
    kept = (Leg, CallingSession, Dialog, ClientTransaction, ServerTransaction, Request, Timer)
    return {
        "dialogs": endpoint.dialogs,
        "transactions": len(endpoint.layer),
        "timers": len(endpoint.wire.timers),
        "tasks": len(asyncio.all_tasks()),
        "files": _open_files(),
        "signalling": sum(isinstance(thing, kept) for thing in gc.get_objects()),
        "objects": len(gc.get_objects()),
        "resident": int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096,
    }


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
