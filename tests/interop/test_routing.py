"""Where requests inside a dialog go, and what they carry (RFC 3261 §12.2.1.1, §16.12)."""

import pytest

from tests.interop.caller import Caller, answered, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


@pytest.mark.parametrize("scenario", ["routed", "strictly_routed"])
async def test_record_routes(sipp: StartSipp, caller: Caller, scenario: str) -> None:
    far_end = await sipp(scenario)
    leg = caller.leg(far_end)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()


async def test_the_far_end_moves(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("target_refresh")
    leg = caller.leg(far_end)
    await answered(leg)
    await until(lambda: len(far_end.received("SIP/2.0 200")) == 2, "our answers to re-INVITE and UPDATE")
    leg.hang_up()
    await far_end.passed()


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        # A name is not resolved: whoever wrote it is the peer that we talk to.
        ("<sip:far@pbx.example.invalid;transport=UDP>", "sip:far@pbx.example.invalid;transport=UDP"),
        ('"Far, End" <sip:far@127.0.0.1:[port];ob>;expires=3600', "sip:far@127.0.0.1:[port];ob"),
        ("sip:far@127.0.0.1:[port];q=1", "sip:far@127.0.0.1:[port]"),
        ("none", "sip:12025550100@127.0.0.1:[port]"),
    ],
)
async def test_contacts(sipp: StartSipp, caller: Caller, contact: str, uri: str) -> None:
    far_end = await sipp("contact", keywords={"contact": contact, "uri": uri, "headers": ""})
    leg = caller.leg(far_end)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()


@pytest.mark.parametrize("headers", ["", "Record-Route: <sip:192.0.2.99;lr>"])
async def test_keep_to_the_peer(sipp: StartSipp, caller: Caller, headers: str) -> None:
    """The request line follows Contact, the datagram goes to the trunk whatever Contact and routes say."""
    uri = "sip:far@127.0.0.9:9"
    keywords = {"contact": f"<{uri}>", "uri": uri, "headers": headers}
    far_end = await sipp("contact", keywords=keywords)
    leg = caller.leg(far_end, keep_to_peer=True)
    await answered(leg)
    leg.hang_up()
    await far_end.passed()
