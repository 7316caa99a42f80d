"""The user agent on the event loop that the dialer runs on."""

import asyncio
import socket
from collections.abc import Coroutine

import pytest
import uvloop

from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class _Noted:
    """The owner of a timer."""

    def __init__(self) -> None:
        self.kinds: list[object] = []

    def on_timer(self, kind: object, now: float) -> None:
        self.kinds.append(kind)


def run(loop: str, main: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_timer_that_is_due_at_once_does_not_disturb_the_next(loop: str) -> None:
    async def main() -> None:
        owner = _Noted()
        async with UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0)) as agent:
            timers = agent.endpoint.wire.timers
            timers.start(agent.now + 0.2, owner, "later")
            agent.flush()
            timers.start(agent.now, owner, "overdue")
            agent.flush()
            timers.start(agent.now - 1, owner, "more overdue")
            agent.flush()
            async with asyncio.timeout(10):
                while len(owner.kinds) < 3:
                    await asyncio.sleep(0.01)
        assert owner.kinds == ["more overdue", "overdue", "later"]

    run(loop, main())


async def test_a_network_of_ipv6_does_not_cost_the_other_trunks() -> None:
    async with UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0)) as agent:
        agent.trust(Trunk(name="a", host="192.0.2.1", addresses=("2001:db8::/32", "192.0.2.0/24", "?")))
        assert agent._knows("192.0.2.77")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_port_that_is_closed_is_known_at_once(loop: str) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        async with UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0)) as agent:
            async with asyncio.timeout(10):
                answer = await agent.check(Trunk(name="a", host="127.0.0.1", port=port))
        assert answer.status is None

    run(loop, main())
