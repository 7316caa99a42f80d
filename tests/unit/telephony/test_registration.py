"""A trunk's registration on real sockets: the sandbox is the registrar."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outdial.sandbox.network import SandboxNetwork
from outdial.sandbox.options import PASSWORD, USERNAME, SandboxOptions
from outdial.sip.digest import Credentials
from outdial.sip.registration.status import RegistrationProblem as Problem
from outdial.sip.registration.status import RegistrationStatus
from outdial.telephony.registration import TrunkRegistration, account_of, describe, is_same
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions

TRUNK = Trunk(
    name="carrier",
    host="127.0.0.1",
    register_user="1234567",
    register_expires_s=300,
    credentials=Credentials(USERNAME, PASSWORD),
)


class Stage:
    """A registrar, a user agent and one registration."""

    def __init__(self, sandbox: SandboxNetwork, agent: UserAgent, **changes: Any) -> None:
        self.sandbox = sandbox
        self.agent = agent
        self.told: list[RegistrationStatus] = []
        self.trunk = replace(TRUNK, **{"port": sandbox.address[1]} | changes)
        self.registration = TrunkRegistration(agent, self.trunk, self.told.append, random=lambda: 0.5)

    @property
    def bindings(self) -> list[str]:
        assert self.sandbox._switchboard is not None
        return list(self.sandbox._switchboard.registrar.bindings)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.002)


@asynccontextmanager
async def staged(
    tmp_path: Path, options: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Stage]:
    sandbox = SandboxNetwork(SandboxOptions(tmp_path, port=0, record=False), lambda: 0)
    await sandbox.start()
    given: dict[str, Any] = {"bind_address": "127.0.0.1", "port": 0} | (options or {})
    async with UserAgent(UserAgentOptions(**given)) as agent:
        stage = Stage(sandbox, agent, **changes)
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(stage.registration.keep())
            try:
                yield stage
            finally:
                keeping.cancel()
    await sandbox.stop()


async def test_registered_and_taken_back(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.until(lambda: stage.told)
        contact = f"sip:1234567@127.0.0.1:{stage.agent.address[1]}"
        assert (stage.told[0].registered, stage.told[0].contact) == (True, contact)
        assert stage.bindings == [contact]
        await stage.registration.stop(wait_s=20)
        assert stage.bindings == []
        assert stage.told[-1].ended


async def test_behind_nat_the_public_address_is_registered(tmp_path: Path) -> None:
    async with staged(tmp_path, {"public_address": "203.0.113.7"}) as stage:
        await stage.until(lambda: stage.told)
        assert stage.bindings == [f"sip:1234567@203.0.113.7:{stage.agent.address[1]}"]


async def test_a_wrong_password(tmp_path: Path) -> None:
    async with staged(tmp_path, credentials=Credentials(USERNAME, "wrong")) as stage:
        await stage.until(lambda: stage.told)
        assert describe(stage.told[0]) == "wrong user name or password, SIP 403 Forbidden"
        assert stage.bindings == []


async def test_a_name_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path, host="nowhere.invalid") as stage:

        async def nowhere(trunk: Trunk) -> tuple[tuple[str, int], ...]:
            raise OSError(-2, f"the name {trunk.host!r} cannot be resolved")

        monkeypatch.setattr(stage.agent, "locate", nowhere)
        await stage.until(lambda: stage.told)
        assert describe(stage.told[0]) == "the name 'nowhere.invalid' cannot be resolved"
        assert stage.told[0].retry_at is not None


async def test_a_line_that_comes_back_with_another_address_is_registered_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And calls name the new address from then on, too."""
    monkeypatch.setattr("outdial.telephony.registration._LOOK_S", 0.01)
    ours = ["127.0.0.1"]
    monkeypatch.setattr("outdial.telephony.user_agent.address_towards", lambda _: ours[0])
    async with staged(tmp_path, {"bind_address": "0.0.0.0"}) as stage:
        peer = ("127.0.0.1", stage.trunk.port)
        other = ("127.0.0.5", stage.trunk.port)
        await stage.until(lambda: stage.told)
        stage.agent.with_local_hosts([other])
        port = stage.agent.address[1]
        ours[0] = "127.0.0.2"
        await stage.until(lambda: len(stage.told) > 1)
        assert stage.told[-1].contact == f"sip:1234567@127.0.0.2:{port}"
        assert stage.bindings[-1] == f"sip:1234567@127.0.0.2:{port}"
        found = stage.agent.with_local_hosts([peer, other])
        assert set(found.values()) == {"127.0.0.2"}


async def test_without_a_way_to_the_trunk_nothing_is_done_about_our_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path) as stage:
        await stage.until(lambda: stage.told)
        looks: list[object] = []

        def no_route(peer: object) -> str:
            looks.append(peer)
            raise OSError(101, "Network is unreachable")

        monkeypatch.setattr(stage.agent, "look_again", no_route)
        stage.registration._look()
        assert looks == [("127.0.0.1", stage.trunk.port)]
        assert len(stage.told) == 1


async def test_nothing_is_looked_at_before_the_registrar_is_known(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.registration._look()
        await stage.until(lambda: stage.told)


async def test_a_trunk_that_is_not_there(tmp_path: Path) -> None:
    async with staged(tmp_path, port=9) as stage:  # the discard port: the kernel answers that nobody is there
        await stage.until(lambda: stage.told)
        assert describe(stage.told[0]) == "it cannot be reached"
        assert stage.agent._resolver._avoided.keys() == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("changes", "registrar", "address_of_record"),
    [
        ({}, "sip:sip.example", "<sip:7@sip.example>"),
        ({"port": 5080}, "sip:sip.example:5080", "<sip:7@sip.example:5080>"),
        ({"port": 5080, "from_domain": "carrier.example"}, "sip:carrier.example", "<sip:7@carrier.example>"),
        ({"register_user": "a b"}, "sip:sip.example", "<sip:a%20b@sip.example>"),
    ],
)
def test_what_is_registered_where(changes: dict[str, Any], registrar: str, address_of_record: str) -> None:
    account = account_of(replace(TRUNK, **{"host": "sip.example", "register_user": "7"} | changes))
    assert (str(account.registrar), account.address_of_record) == (registrar, address_of_record)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"name": "other", "max_call_s": 1.0, "dial_prefix": "+"}, True),
        ({"host": "127.0.0.2", "from_domain": "a"}, False),
        ({"port": 5080}, False),
        ({"register_user": "8"}, False),
        ({"register_expires_s": 60}, False),
        ({"credentials": Credentials(USERNAME, "new")}, False),
    ],
)
def test_what_matters_to_a_registration(changes: dict[str, Any], same: bool) -> None:
    assert is_same(TRUNK, replace(TRUNK, **changes)) is same


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (None, None, "it has not answered yet"),
        (Problem.NO_ANSWER, None, "it does not answer REGISTER"),
        (Problem.LOGIN_REFUSED, 401, "wrong user name or password, SIP 401 Said"),
        (
            Problem.LOGIN_WANTED,
            407,
            "it wants a user name and a password, or in a way that we do not know, SIP 407 Said",
        ),
        (Problem.NOT_KEPT, 200, "it does not keep our address, SIP 200 Said"),
        (Problem.REFUSED, 404, "it does not know the account, SIP 404 Said"),
        (Problem.REFUSED, 480, "it refuses, SIP 480 Said"),
    ],
)
def test_words(problem: Problem | None, status: int | None, words: str) -> None:
    assert describe(RegistrationStatus(problem=problem, status=status, reason="Said")) == words
