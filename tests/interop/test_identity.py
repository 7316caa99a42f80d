"""Who is calling, as each kind of trunk wants to be told, and custom headers."""

from typing import Any

import pytest

from outdial.telephony.trunk import CallerIdMode
from tests.interop.caller import Caller, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

NUMBER = "918068000000"


@pytest.mark.parametrize(
    ("options", "shows", "hides"),
    [
        ({}, f"From: <sip:{NUMBER}@127.0.0.1>;tag=", "P-Asserted|Remote-Party|Privacy"),
        ({"caller_name": 'Shop "A"'}, rf'From: "Shop \\"A\\"" <sip:{NUMBER}@127.0.0.1>;tag=', "P-Asserted"),
        ({"from_domain": "carrier.example"}, f"From: <sip:{NUMBER}@carrier.example>;tag=", "P-Asserted"),
        (
            {"from_user": "account7", "caller_id_mode": CallerIdMode.P_ASSERTED_IDENTITY},
            f"From: <sip:account7@127.0.0.1>;.*P-Asserted-Identity: <sip:{NUMBER}@127.0.0.1>",
            "Remote-Party|Privacy",
        ),
        (
            {"caller_id_mode": CallerIdMode.REMOTE_PARTY_ID},
            f"Remote-Party-ID: <sip:{NUMBER}@127.0.0.1>;party=calling;screen=yes;privacy=off",
            "P-Asserted|Privacy: ",
        ),
        (
            {"caller_id_mode": CallerIdMode.P_ASSERTED_IDENTITY, "privacy": True},
            'From: "Anonymous" <sip:anonymous@anonymous.invalid>;'
            f".*P-Asserted-Identity: <sip:{NUMBER}@.*Privacy: id",
            f"(From|Contact): [^\n]*{NUMBER}",
        ),
        (
            {"privacy": True},
            'From: "Anonymous" <sip:anonymous@anonymous.invalid>;'
            f".*P-Asserted-Identity: <sip:{NUMBER}@.*Privacy: id",
            f"(From|Contact): [^\n]*{NUMBER}",
        ),
        (
            {"caller_id_mode": CallerIdMode.REMOTE_PARTY_ID, "privacy": True},
            f"Remote-Party-ID: <sip:{NUMBER}@127.0.0.1>;party=calling;screen=yes;privacy=full.*Privacy: id",
            f"(From|Contact): [^\n]*{NUMBER}|P-Asserted",
        ),
        (
            {"headers": (("X-Account", "7"), ("X-Tenant", "ünïcode"))},
            "X-Account: 7.*X-Tenant: ",
            "X-Nothing",
        ),
    ],
)
async def test_identity(
    sipp: StartSipp, caller: Caller, options: dict[str, Any], shows: str, hides: str
) -> None:
    keywords = {"uri": "sip:12025550100@127.0.0.1:[port]", "shows": shows, "hides": hides}
    far_end = await sipp("identity", keywords=keywords)
    await refused(caller.leg(far_end, **options))
    await far_end.passed()


async def test_dial_prefix(sipp: StartSipp, caller: Caller) -> None:
    keywords = {"uri": r"sip:\+12025550100@127.0.0.1:[port]", "shows": r"To: <sip:\+1202", "hides": "none"}
    far_end = await sipp("identity", keywords=keywords)
    await refused(caller.leg(far_end, dial_prefix="+"))
    await far_end.passed()


async def test_public_address_behind_nat(sipp: StartSipp) -> None:
    """Via, Contact and SDP name the public address; `rport` asks for answers at the source all the same."""
    keywords = {
        "uri": "sip:12025550100@127.0.0.1:[port]",
        "shows": r"Via: SIP/2.0/UDP 203\.0\.113\.5:[0-9]+;branch=z9hG4bK[0-9a-f]+;rport.*"
        rf"Contact: <sip:{NUMBER}@203\.0\.113\.5:[0-9]+>.*c=IN IP4 203\.0\.113\.6",
        "hides": r"c=IN IP4 127\.|Contact: [^\n]*127\.",
    }
    far_end = await sipp("identity", keywords=keywords)
    async with Caller(public_address="203.0.113.5", media_address="203.0.113.6") as caller:
        await refused(caller.leg(far_end))
    await far_end.passed()
