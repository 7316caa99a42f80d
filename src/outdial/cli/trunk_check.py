"""Asking a trunk from a socket of one's own: OPTIONS, and REGISTER where it wants to know our address."""

import asyncio
from dataclasses import dataclass, replace

from outdial.config import load_settings
from outdial.sip.registration.status import RegistrationProblem, RegistrationStatus
from outdial.telephony.registration import TrunkRegistration
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import Reachability, UserAgent, UserAgentOptions

SENT_BACK = "sent back by the network"
_LEAVE_S = 2.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What a trunk said."""

    options: Reachability
    registration: RegistrationStatus | None = None
    """None where the trunk wants no registration."""


async def check_trunk(trunk: Trunk, *, wait_s: float) -> Checked:
    """Ask a trunk, waiting that long for each answer. Raises OSError when there is no way to it."""
    settings = load_settings()
    options = UserAgentOptions(
        bind_address=settings.sip.bind_address, port=0, public_address=settings.sip.public_address
    )
    async with UserAgent(options) as agent:
        reachable = await _ping(agent, trunk, wait_s)
        if not trunk.register_expires_s:
            return Checked(reachable)
        return Checked(reachable, await _register(agent, trunk, wait_s))


async def _ping(agent: UserAgent, trunk: Trunk, wait_s: float) -> Reachability:
    try:
        async with asyncio.timeout(wait_s):
            answer = await agent.check(trunk)
    except TimeoutError:
        return Reachability(None, "no answer", wait_s * 1000)
    if answer.status is None and agent.counters["unreachable"]:
        return replace(answer, reason=SENT_BACK)
    return answer


async def _register(agent: UserAgent, trunk: Trunk, wait_s: float) -> RegistrationStatus:
    """Register, and take it back; a trunk that keeps several addresses of an account keeps the server's."""
    told: asyncio.Future[RegistrationStatus] = asyncio.get_running_loop().create_future()

    def on_status(status: RegistrationStatus) -> None:
        if not told.done():
            told.set_result(status)

    registration = TrunkRegistration(agent, trunk, on_status)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(registration.keep())
        try:
            async with asyncio.timeout(wait_s):
                status = await asyncio.shield(told)
        except TimeoutError:
            status = RegistrationStatus(problem=RegistrationProblem.NO_ANSWER)
        await registration.stop(wait_s=_LEAVE_S if status.registered else 0)
        keeping.cancel()
    return status
