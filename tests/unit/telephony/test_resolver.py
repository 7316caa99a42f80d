"""Names of trunks to addresses: in which order they are tried, and a name server that fails."""

import asyncio

import pytest

from outdial.telephony import resolver
from outdial.telephony.resolver import AVOIDED_S, RETRY_S, Resolver

A, B, C = "192.0.2.7", "192.0.2.8", "192.0.2.9"


@pytest.mark.parametrize("host", ["sip..example.com", "a" * 64 + ".example.com", "sip.example.com\x00"])
async def test_a_name_that_is_none_is_not_resolved_like_any_other(host):
    with pytest.raises(OSError, match="cannot be resolved"):
        await Resolver().resolve(host)


class _NameServer:
    """Stands in for the loop's `getaddrinfo`, and for its clock."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0
        self.away = False
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    async def getaddrinfo(self, host: str, port: None, **_: object) -> list[tuple[object, ...]]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise OSError(-3, "Temporary failure in name resolution")
        return [(None, None, None, "", (address, 0)) for address in self.addresses]


@pytest.fixture
def server(monkeypatch):
    server = _NameServer(A, B, A, C)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: server)
    return server


async def addresses(names):
    return await names.resolve("sip.example.com")


async def test_while_the_name_server_is_away_it_is_not_asked_for_each_call(monkeypatch):
    server, names = _NameServer(A), Resolver()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", server.getaddrinfo)
    monkeypatch.setattr(resolver, "TIME_TO_LIVE_S", 0.0)
    assert await addresses(names) == (A,)
    server.away = True
    for _ in range(5):
        assert await addresses(names) == (A,)
    assert server.asked == 2


async def test_all_addresses_of_a_name_in_the_order_of_the_name_server(server):
    assert await addresses(Resolver()) == (A, B, C)


async def test_many_calls_ask_once_and_fail_together(monkeypatch):
    """Each lookup has one of a few threads, for seconds while the name server is away."""
    server, names = _NameServer(A), Resolver()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", server.getaddrinfo)
    assert await asyncio.gather(*(addresses(names) for _ in range(50))) == [(A,)] * 50
    assert server.asked == 1
    server.away, names = True, Resolver()
    failed = await asyncio.gather(*(addresses(names) for _ in range(50)), return_exceptions=True)
    assert {str(each) for each in failed} == {
        "[Errno -3] the name 'sip.example.com' cannot be resolved: Temporary failure in name resolution"
    }
    assert server.asked == 2


async def test_a_name_that_was_not_found_is_asked_for_again_after_a_while(server):
    names, server.away = Resolver(), True
    for _ in range(2):
        with pytest.raises(OSError, match="cannot be resolved"):
            await addresses(names)
    assert server.asked == 1
    server.away = False
    server.now += RETRY_S
    assert await addresses(names) == (A, B, C)


async def test_a_dotted_address_is_itself(server):
    names = Resolver()
    names.avoid(B)
    assert await names.resolve(B) == (B,)
    assert server.asked == 0


async def test_what_took_no_call_comes_last_until_it_answers(server):
    names = Resolver()
    names.avoid(A)
    server.now += 1
    assert await addresses(names) == (B, C, A)
    names.avoid(B)
    assert await addresses(names) == (C, A, B), (
        "of two that took none, the one that was tried longer ago first"
    )
    names.heard(A)
    assert await addresses(names) == (A, C, B)


async def test_after_a_while_one_call_tries_it_first_and_not_all(server):
    names = Resolver()
    names.avoid(A)
    server.now += AVOIDED_S - 0.1
    assert await addresses(names) == (B, C, A)
    server.now += 0.1
    assert await addresses(names) == (A, B, C)
    assert await addresses(names) == (B, C, A)
    names.heard(A)
    assert await addresses(names) == (A, B, C)


async def test_two_that_took_none_are_not_tried_first_by_the_same_call(server):
    names = Resolver()
    names.avoid(A)
    names.avoid(B)
    server.now += AVOIDED_S
    assert await addresses(names) == (A, C, B)
    assert await addresses(names) == (B, C, A)
    assert await addresses(names) == (C, A, B)


async def test_a_far_end_may_ask_for_a_rest_within_reason(server):
    names = Resolver()
    names.avoid(A, 5)
    server.now += 5
    assert await addresses(names) == (A, B, C)
    names.avoid(A, 86_400)
    server.now += AVOIDED_S
    assert await addresses(names) == (A, B, C)


async def test_where_all_took_none_they_are_tried_all_the_same(server):
    names = Resolver()
    for each in (A, B, C):
        names.avoid(each)
    assert sorted(await addresses(names)) == [A, B, C]
