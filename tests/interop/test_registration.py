"""Registration at sipp: what the registrar says is done, and what it does not say either."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from outdial.sip.digest import Credentials
from outdial.sip.registration.status import RegistrationProblem, RegistrationStatus
from outdial.sip.timers import TimerValues
from outdial.telephony.registration import TrunkRegistration, describe
from outdial.telephony.trunk import Trunk
from tests.helpers.udp import silent_socket
from tests.interop.caller import BOUND_S, Caller
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


class Registered:
    """A registration that is kept up, and what it told."""

    def __init__(self, caller: Caller, host: str, port: int, **trunk: Any) -> None:
        given: dict[str, Any] = {
            "name": "far",
            "host": host,
            "port": port,
            "register_user": "1234567",
            "register_expires_s": 300,
            "credentials": Credentials("1234567", "secret"),
        }
        self.told: list[RegistrationStatus] = []
        self.caller = caller
        self.kept = TrunkRegistration(caller.user_agent, Trunk(**(given | trunk)), self.told.append)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not condition():
                await asyncio.sleep(0.002)

    async def first(self) -> RegistrationStatus:
        await self.until(lambda: self.told)
        return self.told[0]


@asynccontextmanager
async def registered(caller: Caller, host: str, port: int, **trunk: Any) -> AsyncIterator[Registered]:
    """Keep a registration up."""
    made = Registered(caller, host, port, **trunk)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(made.kept.keep())
        try:
            yield made
        finally:
            keeping.cancel()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_registered_with_the_password_and_taken_back(
    sipp: StartSipp, caller: Caller, algorithm: str
) -> None:
    """The expiry is that of our address, and not that of the other dialer, which comes first."""
    far_end = await sipp("register_challenged", keywords={"algorithm": algorithm})
    async with registered(caller, far_end.host, far_end.port) as ours:
        told = await ours.first()
        assert told.registered
        assert told.until is not None
        assert 150 < told.until - caller.user_agent.now <= 200
        await ours.kept.stop(wait_s=BOUND_S)
        assert ours.told[-1].ended
    await far_end.passed()


async def test_423_is_asked_for_longer(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("register_too_brief")
    async with registered(caller, far_end.host, far_end.port) as ours:
        told = await ours.first()
        assert told.registered
        assert told.until is not None
        assert 1700 < told.until - caller.user_agent.now <= 1800
        await far_end.passed()


async def test_a_stale_nonce_gets_a_second_round(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("register_stale")
    async with registered(caller, far_end.host, far_end.port) as ours:
        assert (await ours.first()).registered
        await far_end.passed()


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_wrong_password_is_given_once(sipp: StartSipp, caller: Caller, status: str) -> None:
    far_end = await sipp("register_refused", keywords={"status": status})
    async with registered(caller, far_end.host, far_end.port) as ours:
        assert describe(await ours.first()) == f"wrong user name or password, SIP {status}"
        await far_end.passed()


async def test_silence() -> None:
    async with Caller(timer_values=TimerValues(t1=0.005)) as caller:
        with silent_socket() as (address, count):
            async with registered(caller, *address) as ours:
                told = await ours.first()
                assert told.problem is RegistrationProblem.NO_ANSWER
                assert told.retry_at is not None
                assert count() > 1
