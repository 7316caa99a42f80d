"""Keeping a trunk registered: asyncio, addresses and words around `sip.registration`."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import replace

import structlog

from outdial.sip.registration.registration import Account, Located
from outdial.sip.registration.status import RegistrationProblem, RegistrationStatus
from outdial.sip.transport import Address
from outdial.sip.uri import SipUri
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent

_LOOK_S = 2.0
"""How often our own address is looked at: a line that comes back with another one is registered at once."""

_log = structlog.get_logger(__name__)


class TrunkRegistration:
    """Our address at one trunk. `keep` runs until it is cancelled or `stop` is done; both are called once."""

    def __init__(
        self,
        user_agent: UserAgent,
        trunk: Trunk,
        on_status: Callable[[RegistrationStatus], None],
        *,
        random: Callable[[], float] = random.random,
    ) -> None:
        """`on_status` gets news while a message is being handled, so it must only take note."""
        self._agent = user_agent
        self._trunk = trunk
        self._on_status = on_status
        self._wanted = asyncio.Event()
        self._ended = asyncio.Event()
        account = replace(account_of(trunk), user_agent=user_agent.options.user_agent)
        self._registration = user_agent.endpoint.register(account, self, random)

    async def keep(self) -> None:
        """Register, and stay so."""
        self.renew()
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._wanted.wait()
            except TimeoutError:
                self._look()
            else:
                self._wanted.clear()
                await self._locate()

    def renew(self) -> None:
        """Register again at once."""
        self._registration.start(self._agent.now)
        self._agent.flush()

    async def stop(self, *, wait_s: float) -> None:
        """Take our address back, and wait that long for the trunk to confirm it; `keep` has to run."""
        self._registration.stop(self._agent.now)
        self._agent.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._ended.wait()

    def locate(self) -> None:
        """See `RegistrationUser`."""
        self._wanted.set()

    def on_status(self, status: RegistrationStatus) -> None:
        """See `RegistrationUser`."""
        if status.ended:
            self._ended.set()
        self._on_status(status)

    def on_address(self, address: Address, *, answers: bool) -> None:
        """See `RegistrationUser`."""
        if answers:
            self._agent.heard(address)
        else:
            self._agent.avoid(address)

    async def _locate(self) -> None:
        try:
            found = self._agent.with_local_hosts(await self._agent.locate(self._trunk))
        except OSError as error:
            self._registration.unlocated(error.strerror or str(error), self._agent.now)
        else:
            ours = (next(iter(found.values())), self._agent.address[1])
            self._registration.located(Located(tuple(found), ours), self._agent.now)
        self._agent.flush()

    def _look(self) -> None:
        registrar = self._registration.destination
        if registrar is None:
            return
        with contextlib.suppress(OSError):  # without a way there is nothing to register either
            host = self._agent.look_again(registrar)
            if host != self._registration.sent_by[0]:
                _log.info("own_address_changed", trunk=self._trunk.name, host=host)
                self.renew()


def account_of(trunk: Trunk) -> Account:
    """What is registered at a trunk: the account's user in the trunk's domain (§10.2)."""
    port = None if trunk.port == 5060 or trunk.from_domain else trunk.port
    return Account(
        registrar=SipUri("sip", None, trunk.from_domain or trunk.host, port),
        user=trunk.register_user or "",
        expires_s=trunk.register_expires_s,
        credentials=trunk.credentials,
    )


def is_same(one: Trunk, other: Trunk) -> bool:
    """Whether two versions of a trunk are registered alike."""
    return (one.host, one.port, account_of(one)) == (other.host, other.port, account_of(other))


def describe(status: RegistrationStatus) -> str:
    """Say why a trunk is not registered, as a part of a sentence, with the SIP code if there is one."""
    said = "" if status.status is None else f", SIP {status.status} {status.reason}".rstrip()
    match status.problem:
        case None:
            return "it has not answered yet"
        case RegistrationProblem.NO_ANSWER:
            return "it does not answer REGISTER"
        case RegistrationProblem.UNREACHABLE:
            return "it cannot be reached"
        case RegistrationProblem.UNLOCATED:
            return status.reason
        case RegistrationProblem.LOGIN_REFUSED:
            return f"wrong user name or password{said}"
        case RegistrationProblem.LOGIN_WANTED:
            return f"it wants a user name and a password, or in a way that we do not know{said}"
        case RegistrationProblem.NOT_KEPT:
            return f"it does not keep our address{said}"
        case RegistrationProblem.REFUSED if status.status == 404:
            return f"it does not know the account{said}"
        case RegistrationProblem.REFUSED:
            return f"it refuses{said}"
