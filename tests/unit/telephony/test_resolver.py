"""Names of trunks to addresses, with a name server that fails."""

import asyncio

import pytest

from outdial.telephony import resolver
from outdial.telephony.resolver import Resolver


@pytest.mark.parametrize("host", ["sip..example.com", "a" * 64 + ".example.com", "sip.example.com\x00"])
async def test_a_name_that_is_none_is_not_resolved_like_any_other(host):
    with pytest.raises(OSError, match="cannot be resolved"):
        await Resolver().resolve(host)


class _NameServer:
    """Stands in for the loop's `getaddrinfo`."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def getaddrinfo(self, host: str, port: None, **_: object) -> list[tuple[object, ...]]:
        self.asked += 1
        if self.away:
            raise OSError(-3, "Temporary failure in name resolution")
        return [(None, None, None, "", ("192.0.2.7", 0))]


async def test_while_the_name_server_is_away_it_is_not_asked_for_each_call(monkeypatch):
    server, names = _NameServer(), Resolver()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", server.getaddrinfo)
    monkeypatch.setattr(resolver, "TIME_TO_LIVE_S", 0.0)
    assert await names.resolve("sip.example.com") == "192.0.2.7"
    server.away = True
    for _ in range(5):
        assert await names.resolve("sip.example.com") == "192.0.2.7"
    assert server.asked == 2
