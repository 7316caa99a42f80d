"""Calls over kamailio, which wants a login and stays in the route, to baresip behind it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.digest import Credentials
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import Answered, LegEnd
from outdial.telephony.registration import describe
from outdial.telephony.trunk import Trunk
from tests.helpers.baresip import Baresip
from tests.helpers.kamailio import MOVED, PASSWORD, UNKNOWN, USERNAME, Kamailio
from tests.helpers.sound import likeness, melody, write_clip
from tests.interop.caller import Caller, answered, end_of, ladder, refused
from tests.interop.test_registration import registered

pytestmark = pytest.mark.kamailio

LOGIN = Credentials(USERNAME, PASSWORD)
CHALLENGE = "< 407 Proxy Authentication Required"


def phone(directory: Path, *, answers: bool = True) -> Baresip:
    """A phone that speaks for half a minute."""
    return Baresip(directory, codecs=["PCMU"], speech=melody(30, 8000, seed=4), rate=8000, answers=answers)


def dialled(caller: Caller, carrier: Kamailio, **options: Any) -> Leg:
    """A leg over the carrier, with the right login unless `options` say otherwise."""
    return caller.leg((carrier.host, carrier.port), **{"credentials": LOGIN, **options})


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_call_over_the_carrier_is_heard_and_hung_up(
    talker: Caller, tmp_path: Path, algorithm: str
) -> None:
    """INVITE and BYE have the password; ACK and BYE go by both Record-Routes; audio goes past the carrier."""
    async with phone(tmp_path) as callee, Kamailio(tmp_path, _at(callee), algorithm=algorithm) as carrier:
        leg = dialled(talker, carrier, record_to=tmp_path / "heard")
        assert await answered(leg) == Answered("PCMU", 20)
        clip = write_clip(tmp_path / "clip", melody(1.2, 8000, seed=3), "PCMU")
        assert (await asyncio.wait_for(leg.play([clip]), 10)).completed
        leg.hang_up()
        await callee.event("CALL_CLOSED")
        await leg.close()
        seen = {method: carrier.saw(method) for method in ("INVITE", "ACK", "BYE")}
        trace = leg.trace.take()
    lines = ladder(trace)
    assert f"algorithm={algorithm}" in "".join(entry.get("text", "") for entry in trace)
    assert likeness(tmp_path / "heard", melody(30, 8000, seed=4)[:6400], "PCMU").peak > 0.95
    assert lines.count(f"{CHALLENGE} (INVITE)") == 1
    assert "< 200 OK (BYE)" in lines
    assert seen["INVITE"] == 2
    assert seen["ACK"] == 1, "that of the answer, by its route; that of the challenge ends before the script"
    assert seen["BYE"] == 1 + lines.count(f"{CHALLENGE} (BYE)")


async def test_the_callee_hangs_up(caller: Caller, tmp_path: Path) -> None:
    async with phone(tmp_path) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        leg = dialled(caller, carrier)
        await answered(leg)
        await callee.command("hangup")
        assert await end_of(leg) == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)
        assert carrier.saw("BYE", inside=True) == 1
        assert "> 200 OK (BYE)" in ladder(leg.trace.take())


async def test_given_up_while_it_rings(caller: Caller, tmp_path: Path) -> None:
    async with phone(tmp_path, answers=False) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        leg = dialled(caller, carrier)
        leg.on_ringing = lambda: leg.hang_up(EndReason.CANCELLED)
        result = await refused(leg)
        assert (result.reason, result.hangup_by) == (EndReason.CANCELLED, HangupBy.SYSTEM)
        assert (result.sip_code, result.picked_up) == (487, False)
        await callee.event("CALL_CLOSED")
        assert carrier.saw("CANCEL") == 1


async def test_busy(caller: Caller, tmp_path: Path) -> None:
    """The phone rings, and its owner turns the call away."""
    async with phone(tmp_path, answers=False) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        dialling = asyncio.create_task(refused(dialled(caller, carrier)))
        await callee.event("CALL_INCOMING")
        await callee.command("hangup")
        result = await dialling
        assert (result.reason, result.hangup_by) == (EndReason.REJECTED, HangupBy.CALLEE)
        assert result.sip_code == 486


@pytest.mark.parametrize(
    "login", [Credentials(USERNAME, "not the secret"), Credentials("7654321", PASSWORD), None]
)
async def test_a_login_that_is_not_right(caller: Caller, tmp_path: Path, login: Credentials | None) -> None:
    """It is given once, and the phone never rings."""
    async with phone(tmp_path) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        result = await refused(dialled(caller, carrier, credentials=login))
        assert (result.reason, result.sip_code) == (EndReason.AUTHENTICATION_FAILED, 407)
        assert carrier.saw("INVITE") == (1 if login is None else 2)
        assert "CALL_INCOMING" not in callee.said()


@pytest.mark.parametrize(("number", "code"), [(MOVED, 302), (UNKNOWN, 404)])
async def test_what_the_carrier_answers_itself(
    caller: Caller, tmp_path: Path, number: str, code: int
) -> None:
    """Of a redirection only the code is read: whom to call is the trunk's choice, and not anybody else's."""
    async with phone(tmp_path) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        result = await refused(dialled(caller, carrier, to=number))
        assert (result.sip_code, result.hangup_by) == (code, HangupBy.NETWORK)
        assert carrier.saw("INVITE") == 2


async def test_it_answers_options(caller: Caller, tmp_path: Path) -> None:
    async with phone(tmp_path) as callee, Kamailio(tmp_path, _at(callee)) as carrier:
        trunk = Trunk(name="far", host=carrier.host, port=carrier.port)
        found = await asyncio.wait_for(caller.user_agent.check(trunk), 10)
        assert (found.status, found.reason) == (200, "Here")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_carrier_that_takes_calls_of_registered_accounts_only(
    caller: Caller, tmp_path: Path, algorithm: str
) -> None:
    async with (
        phone(tmp_path) as callee,
        Kamailio(tmp_path, _at(callee), algorithm=algorithm, wants_registration=True) as carrier,
    ):
        async with registered(caller, carrier.host, carrier.port, credentials=LOGIN) as ours:
            assert (await ours.first()).registered
            leg = dialled(caller, carrier)
            await answered(leg)
            leg.hang_up()
            await callee.event("CALL_CLOSED")
            await ours.kept.stop(wait_s=10)
            assert ours.told[-1].ended
        result = await refused(dialled(caller, carrier))
        assert (result.sip_code, result.sip_reason) == (403, "Not Registered")


async def test_a_wrong_password_is_not_registered(caller: Caller, tmp_path: Path) -> None:
    async with Kamailio(tmp_path, ("127.0.0.1", 9)) as carrier:
        login = Credentials(USERNAME, "not the secret")
        async with registered(caller, carrier.host, carrier.port, credentials=login) as ours:
            assert describe(await ours.first()) == "wrong user name or password, SIP 401 Unauthorized"
        assert carrier.saw("REGISTER") == 2


async def test_each_dialer_has_a_place_and_nobody_who_calls_the_account_waits(
    caller: Caller, tmp_path: Path
) -> None:
    """Two dialers are registered; both refuse the call that comes, and the caller hears so at once."""
    async with Caller() as other, Kamailio(tmp_path, ("127.0.0.1", 9)) as carrier:
        async with (
            registered(caller, carrier.host, carrier.port, credentials=LOGIN) as first,
            registered(other, carrier.host, carrier.port, credentials=LOGIN) as second,
        ):
            for each in (first, second):
                told = await each.first()
                assert told.until is not None
                assert told.until - caller.user_agent.now > 250
            async with Caller() as somebody:
                result = await refused(dialled(somebody, carrier, to=USERNAME))
            assert result.sip_code == 403
        assert carrier.saw("INVITE") == 2


def _at(callee: Baresip) -> tuple[str, int]:
    return callee.host, callee.port
