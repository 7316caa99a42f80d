"""A trunk whose name has several addresses: one that takes no call is passed over (RFC 3263 §4.3)."""

import asyncio
from collections.abc import Callable

import pytest

from outdial.domain.disposition import EndReason
from outdial.sip.timers import TimerValues
from outdial.telephony.resolver import Resolver
from outdial.telephony.trunk import Trunk
from tests.helpers.sipp import free_port
from tests.helpers.udp import silent_socket
from tests.interop.caller import Caller, answered, ladder, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

NAME = "127.0.0.1"
FIRST, SECOND = "127.0.0.2", "127.0.0.1"


@pytest.fixture(autouse=True)
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trunk's name, which sipp's scenarios expect to be 127.0.0.1, has two addresses."""

    async def resolve(self: Resolver, host: str) -> tuple[str, ...]:
        assert host == NAME
        return self._preferred((FIRST, SECOND), asyncio.get_running_loop().time())

    monkeypatch.setattr(Resolver, "resolve", resolve)


@pytest.fixture
def port() -> int:
    return free_port()


def tries(caller: Caller) -> list[tuple[str, str]]:
    """To which addresses requests went, and which; retransmissions once. Empties the traces."""
    found: dict[tuple[str, str], None] = {}
    for leg in caller._legs:
        for entry in leg.trace.take():
            if entry["direction"] == "sent" and not entry["summary"][0].isdigit():
                found[entry["peer"].partition(":")[0], entry["summary"].partition(" ")[0]] = None
    return list(found)


def both(method: str) -> list[tuple[str, str]]:
    return [(FIRST, method), (SECOND, method)]


async def test_a_closed_port(sipp: StartSipp, caller: Caller, port: int) -> None:
    far_end = await sipp("answers", address=(SECOND, port))
    leg = caller.leg((NAME, port))
    await answered(leg)
    leg.hang_up()
    await far_end.passed()
    assert tries(caller) == [*both("INVITE"), (SECOND, "ACK"), (SECOND, "BYE")]


async def test_the_next_call_does_not_try_the_closed_port_again(
    sipp: StartSipp, caller: Caller, port: int
) -> None:
    far_end = await sipp("answers", address=(SECOND, port), calls=2)
    for first_tries in (both("INVITE"), [(SECOND, "INVITE")]):
        leg = caller.leg((NAME, port))
        await answered(leg)
        leg.hang_up()
        await caller_is_idle(caller)
        assert [each for each in tries(caller) if each[1] == "INVITE"] == first_tries
    await far_end.passed()


@pytest.mark.parametrize("scenario", ["answers", "refuses"])
async def test_an_address_that_answers_is_avoided_no_longer(
    sipp: StartSipp, caller: Caller, port: int, scenario: str
) -> None:
    far_end = await sipp(
        scenario, address=(SECOND, port), keywords={"status": "486 Busy Here", "headers": ""}
    )
    agent = caller.user_agent
    agent.avoid((FIRST, port))
    agent.avoid((SECOND, port), 5)
    leg = caller.leg((NAME, port))
    await (answered(leg) if scenario == "answers" else refused(leg))
    leg.hang_up()
    await far_end.passed()
    assert list(agent._resolver._avoided) == [FIRST]


async def test_503_says_so_in_the_trace(sipp: StartSipp, caller: Caller, port: int) -> None:
    headers = {"status": "503 Service Unavailable", "headers": ""}
    busy = await sipp("refuses", address=(FIRST, port), keywords=headers)
    far_end = await sipp("answers", address=(SECOND, port))
    leg = caller.leg((NAME, port))
    await answered(leg)
    lines = ladder(leg.trace.take())
    assert f". {FIRST}:{port} says 503; trying {SECOND}" in lines
    leg.hang_up()
    await busy.passed()
    await far_end.passed()


async def test_silence(sipp: StartSipp, port: int) -> None:
    async with Caller(timer_values=TimerValues(t1=0.02)) as caller:
        with silent_socket(FIRST) as (address, count):
            far_end = await sipp("answers", address=(SECOND, address[1]))
            leg = caller.leg((NAME, address[1]))
            await answered(leg)
            leg.hang_up()
            await far_end.passed()
            assert count()
            assert f". {FIRST}:{address[1]} does not answer; trying {SECOND}" in ladder(leg.trace.take())


@pytest.mark.parametrize(
    ("status", "reason"), [("486 Busy Here", EndReason.REJECTED), ("603 Decline", EndReason.REJECTED)]
)
async def test_who_is_busy_or_declines_is_not_called_by_another_way(
    sipp: StartSipp, caller: Caller, port: int, status: str, reason: EndReason
) -> None:
    far_end = await sipp("refuses", address=(FIRST, port), keywords={"status": status, "headers": ""})
    with silent_socket(SECOND) as (_, count):
        result = await refused(caller.leg((NAME, port)))
        assert (result.reason, result.sip_code) == (reason, int(status[:3]))
        await far_end.passed()
        assert count() == 0
    assert tries(caller) == [(FIRST, "INVITE"), (FIRST, "ACK")]


async def test_no_address_takes_the_call(caller: Caller, port: int) -> None:
    result = await refused(caller.leg((NAME, port)))
    assert result.reason is EndReason.TRANSPORT_FAILED
    assert tries(caller) == both("INVITE")
    assert caller.user_agent.endpoint.idle


async def test_options_ask_all_and_one_that_answers_is_enough(
    sipp: StartSipp, caller: Caller, port: int
) -> None:
    far_end = await sipp("options", address=(SECOND, port), keywords={"status": "200 OK"})
    trunk = Trunk(name="far", host=NAME, port=port)
    health = await asyncio.wait_for(caller.user_agent.check(trunk), 10)
    assert health.status == 200
    await far_end.passed()
    located = await caller.user_agent.locate(trunk)
    assert located == ((SECOND, port), (FIRST, port)), "calls try what said nothing after the others"


async def test_strangers_stay_strangers(caller: Caller, port: int) -> None:
    await caller.user_agent.locate(Trunk(name="far", host=NAME, port=port))
    known: Callable[[str], bool] = caller.user_agent._knows
    assert [known(host) for host in (FIRST, SECOND, "127.0.0.4")] == [True, True, False]


async def caller_is_idle(caller: Caller) -> None:
    async with asyncio.timeout(20):
        while caller.user_agent.endpoint.dialogs:
            await asyncio.sleep(0.01)
