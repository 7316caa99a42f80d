"""OPTIONS as the health of a trunk: any answer means that it is there."""

import pytest

from outdial.sip.timers import TimerValues
from outdial.telephony.trunk import Trunk
from tests.helpers.udp import silent_socket
from tests.interop.caller import Caller
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "503 Service Unavailable"])
async def test_a_trunk_that_answers(sipp: StartSipp, caller: Caller, status: str) -> None:
    far_end = await sipp("options", keywords={"status": status})
    health = await caller.user_agent.check(Trunk(name="far", host=far_end.host, port=far_end.port))
    assert (health.status, health.reason) == (int(status[:3]), status[4:])
    await far_end.passed()


async def test_a_trunk_that_is_silent() -> None:
    async with Caller(timer_values=TimerValues(t1=0.005)) as caller:
        with silent_socket() as (address, _):
            health = await caller.user_agent.check(Trunk(name="far", host=address[0], port=address[1]))
        assert (health.status, health.reason) == (None, "no answer")
