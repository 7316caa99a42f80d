"""Digest challenges to whatever we send (RFC 3261 §22, RFC 7616, RFC 8760)."""

import hashlib
import re

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.digest import Credentials
from outdial.sip.timers import TimerValues
from outdial.telephony.leg_values import LegEnd
from tests.interop.caller import Caller, answered, end_of, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

CREDENTIALS = Credentials("outdial", "secret")

BY_SERVER = {"status": "401 Unauthorized", "challenge": "WWW-Authenticate", "answer": "Authorization"}
BY_PROXY = {
    "status": "407 Proxy Authentication Required",
    "challenge": "Proxy-Authenticate",
    "answer": "Proxy-Authorization",
}


@pytest.mark.parametrize("keywords", [BY_SERVER, BY_PROXY], ids=["401", "407"])
async def test_invite_is_challenged_and_the_nonce_used_again(
    sipp: StartSipp, caller: Caller, keywords: dict[str, str]
) -> None:
    far_end = await sipp("digest_invite", keywords=keywords)
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()
    for method, count in (("INVITE", 1), ("BYE", 2)):
        answer = _parameters(far_end.received(method)[-1].headers.get(keywords["answer"]) or "")
        secret, request = _md5("outdial:far:secret"), _md5(f"{method}:{answer['uri']}")
        proof = f"{secret}:nonce-1:{count:08x}:{answer['cnonce']}:auth:{request}"
        assert answer["response"] == _md5(proof)
    trace = "".join(entry.get("text", "") for entry in leg.trace.take())
    assert "nonce=" in trace
    assert re.findall(r'response="([0-9a-f]+)"', trace) == [], "the trace keeps no proof of the password"


async def test_407_and_then_401(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("digest_both")
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()


async def test_stale_nonce_gets_a_second_round(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("digest_stale")
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()


async def test_wrong_password_is_tried_once(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("digest_refused")
    result = await refused(caller.leg(far_end, credentials=CREDENTIALS))
    assert (result.reason, result.hangup_by) == (EndReason.AUTHENTICATION_FAILED, HangupBy.NETWORK)
    assert (result.sip_code, result.sip_reason) == (401, "Unauthorized")
    await far_end.passed()


async def test_a_nonce_that_is_always_stale_is_no_endless_loop(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("digest_always_stale")
    result = await refused(caller.leg(far_end, credentials=CREDENTIALS))
    assert (result.reason, result.sip_code) == (EndReason.AUTHENTICATION_FAILED, 401)
    await far_end.passed()


async def test_no_credentials(sipp: StartSipp, caller: Caller) -> None:
    challenge = 'WWW-Authenticate: Digest realm="far", nonce="n1", qop="auth"'
    far_end = await sipp("digest_unanswerable", keywords={"challenge": challenge})
    result = await refused(caller.leg(far_end))
    assert (result.reason, result.sip_code) == (EndReason.AUTHENTICATION_FAILED, 401)
    await far_end.passed()


@pytest.mark.parametrize(
    "challenge",
    [
        'WWW-Authenticate: Digest realm="far", nonce="n1", algorithm=ROT13',
        'WWW-Authenticate: Digest realm="far", nonce="n1", qop="blood"',
        'WWW-Authenticate: Basic realm="far"',
        "X-Nothing: no challenge at all",
    ],
)
async def test_a_challenge_that_cannot_be_answered(sipp: StartSipp, caller: Caller, challenge: str) -> None:
    far_end = await sipp("digest_unanswerable", keywords={"challenge": challenge})
    result = await refused(caller.leg(far_end, credentials=CREDENTIALS))
    assert (result.reason, result.sip_code) == (EndReason.AUTHENTICATION_FAILED, 401)
    await far_end.passed()


async def test_qop_absent(sipp: StartSipp, caller: Caller) -> None:
    """RFC 2069's form: no cnonce, no count."""
    keywords = {
        "challenges": 'WWW-Authenticate: Digest realm="far", nonce="n1"',
        "wanted": 'nonce="n1"',
        "unwanted": "qop|nc=|cnonce",
    }
    far_end = await sipp("digest_challenge", keywords=keywords)
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()
    invite = far_end.received("INVITE")[1]
    answer = _parameters(invite.headers.get("Authorization") or "")
    secret, request = _md5("outdial:far:secret"), _md5(f"INVITE:{answer['uri']}")
    assert answer["response"] == _md5(f"{secret}:n1:{request}")


async def test_the_stronger_of_two_algorithms_is_answered(sipp: StartSipp, caller: Caller) -> None:
    keywords = {
        "challenges": 'WWW-Authenticate: Digest realm="far", nonce="weak", qop="auth", algorithm=MD5\n'
        'WWW-Authenticate: Digest realm="far", nonce="strong", qop="auth,auth-int", algorithm=SHA-256',
        "wanted": "algorithm=SHA-256",
        "unwanted": "weak",
    }
    far_end = await sipp("digest_challenge", keywords=keywords)
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()
    answer = _parameters(far_end.received("INVITE")[1].headers.get("Authorization") or "")
    secret, request = _sha256("outdial:far:secret"), _sha256(f"INVITE:{answer['uri']}")
    assert answer["qop"] == "auth"
    assert answer["response"] == _sha256(f"{secret}:strong:00000001:{answer['cnonce']}:auth:{request}")


async def test_challenge_to_bye(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("digest_bye")
    leg = caller.leg(far_end, credentials=CREDENTIALS)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()


async def test_challenge_to_a_refreshing_reinvite(sipp: StartSipp) -> None:
    """The session timer's 45 s pass in half a second."""
    async with Caller(timer_values=TimerValues(t1=400.0), speed=100.0) as caller:
        far_end = await sipp("digest_refresh")
        leg = caller.leg(far_end, credentials=CREDENTIALS)
        await answered(leg)
        assert await end_of(leg) == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)
        await far_end.passed()


def _parameters(value: str) -> dict[str, str]:
    return {
        name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', value)
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
