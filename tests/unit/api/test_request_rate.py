"""Wrong tokens are counted by who can send them: an IPv4 address, or a network that one customer has."""

import pytest
from fastapi import Request

from outdial.api.errors import ApiError
from outdial.api.request_rate import WRONG_TOKENS_PER_SECOND, RequestRate


def request_from(address: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (address, 40_000)})


def test_the_addresses_of_an_ipv6_network_count_as_one() -> None:
    rate = RequestRate(0)
    for host in range(WRONG_TOKENS_PER_SECOND):
        rate.note_wrong_token(request_from(f"2001:db8:0:1::{host:x}"), 1_000)
    rate.note_wrong_token(request_from("2001:db8:0:2::1"), 1_000)
    with pytest.raises(ApiError) as refused:
        rate.note_wrong_token(request_from("2001:db8:0:1:ffff::1"), 1_999)
    assert refused.value.status == 429
    rate.note_wrong_token(request_from("2001:db8:0:1::1"), 2_000)


def test_ipv4_addresses_are_told_apart() -> None:
    rate = RequestRate(0)
    for host in range(3 * WRONG_TOKENS_PER_SECOND):
        rate.note_wrong_token(request_from(f"192.0.2.{host}"), 1_000)
    for _ in range(WRONG_TOKENS_PER_SECOND):
        rate.note_wrong_token(request_from("unknown"), 1_000)
    with pytest.raises(ApiError):
        rate.note_wrong_token(request_from("unknown"), 1_000)
