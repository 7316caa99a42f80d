"""The decision that the API asks for before a call is accepted."""

import pytest

from outdial.egress.allow_list import AllowList
from outdial.egress.guard import Guard
from outdial.egress.urls import parse_target
from outdial.errors import EgressRefused


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "[::ffff:10.0.0.1]", "10.1.0.1:81"])
def test_addresses_are_judged_without_asking_anybody(host: str) -> None:
    guard = Guard(AllowList.parse(["10.1.0.1:80"]))
    with pytest.raises(EgressRefused, match=r"is refused: it is .*, and only public addresses are asked\.$"):
        guard.check(parse_target(f"http://{host}/"))


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1111]", "10.1.0.1", "localhost", "example.com"])
def test_what_may_be_asked_or_is_a_name(host: str) -> None:
    Guard(AllowList.parse(["10.1.0.1:80"])).check(parse_target(f"http://{host}/"))
