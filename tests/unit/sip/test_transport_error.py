"""Which requests fail when the network says that a datagram did not arrive."""

import pytest
from tests.helpers.sip_link import CALLEE, CALLER, tokens

from outdial.sip.endpoint import Endpoint


class Pings:
    """An endpoint with OPTIONS on their way, in place of any request."""

    def __init__(self):
        self.endpoint = Endpoint(CALLER, tokens("pings"))
        self.failed = []

    def send(self, name, at):
        self.endpoint.ping(
            "sip:192.0.2.2",
            "<sip:a@192.0.2.1>",
            CALLEE,
            lambda response, now: self.failed.append(name),
            at,
        )
        ((data, _),) = self.endpoint.take_datagrams()
        return data


@pytest.fixture
def pings():
    return Pings()


def test_what_was_sent_before_fails_with_it_and_what_was_sent_afterwards_goes_on(pings):
    pings.send("before", 0.0)
    lost = pings.send("lost", 0.1)
    pings.send("afterwards", 0.2)
    pings.endpoint.transport_error(CALLEE, lost, 0.3)
    assert pings.failed == ["before", "lost"]


@pytest.mark.parametrize("length", [200, 10_000])
def test_the_network_may_quote_only_the_beginning(pings, length):
    lost = pings.send("lost", 0.0)
    pings.endpoint.transport_error(CALLEE, lost[:length], 0.1)
    assert pings.failed == ["lost"]


def test_a_response_that_could_not_be_sent_fails_no_request(pings):
    pings.send("request", 0.0)
    pings.endpoint.transport_error(CALLEE, b"SIP/2.0 200 OK\r\n" + b"x" * 65_600, 0.1)
    assert pings.failed == []


@pytest.mark.parametrize("quoted", [b"", b"OPTIONS sip:192.0.2.2 SIP/2.0\r\n", b"nonsense"])
def test_news_that_anybody_could_make_up_fails_nothing(pings, quoted):
    pings.send("request", 0.0)
    pings.endpoint.transport_error(CALLEE, quoted, 0.1)
    assert pings.failed == []
