"""Which addresses are public."""

from ipaddress import ip_address

import pytest

from outdial.egress.allow_list import AllowList
from outdial.egress.networks import why_not_public


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("0.0.0.0", "this machine"),
        ("0.1.2.3", "this machine"),
        ("10.0.0.1", "private"),
        ("100.64.0.1", "carrier's NAT"),
        ("100.127.255.255", "carrier's NAT"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud"),
        ("169.254.169.254", "link-local"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "protocols"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarks"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "this machine"),
        ("::1", "loopback"),
        ("::7f00:1", "written as an IPv6"),
        ("::ffff:127.0.0.1", "written as an IPv6"),
        ("::ffff:8.8.8.8", "written as an IPv6"),
        ("::ffff:0:127.0.0.1", "written as an IPv6"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b:1::7f00:1", "NAT64"),
        ("100::1", "reserved"),
        ("2001::7f00:1", "Teredo"),
        ("2001:10::1", "protocols"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("fd00:ec2::254", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "network interface"),
        ("2a00::1%eth0", "network interface"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
    ],
)
def test_refused(address: str, words: str) -> None:
    found = why_not_public(ip_address(address))
    assert found is not None
    assert words in found


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
    ],
)
def test_public(address: str) -> None:
    assert why_not_public(ip_address(address)) is None


def test_the_allow_list() -> None:
    allow = AllowList.parse(
        ["10.20.0.0/16", "192.168.1.5:8080", "[fd00::5]:443", "fd01::/16", "Media.internal", "hooks.lan:9000"]
    )

    def permits(address: str, port: int) -> bool:
        return allow.permits_address(ip_address(address), port)

    assert permits("10.20.255.1", 1)
    assert not permits("10.21.0.1", 1)
    assert permits("192.168.1.5", 8080)
    assert not permits("192.168.1.5", 80)
    assert permits("fd00::5", 443)
    assert not permits("fd00::5", 80)
    assert permits("fd01::9", 80)
    assert not permits("::ffff:10.20.0.1", 80)
    assert allow.permits_name("media.internal", 80)
    assert not allow.permits_name("x.media.internal", 80)
    assert allow.permits_name("hooks.lan", 9000)
    assert not allow.permits_name("hooks.lan", 80)


@pytest.mark.parametrize(
    "entry",
    ["", "10.0.0.1/8", "10.0.0", "300.1.1.1", "a b", "host:0", "host:70000", "host:x", "-x", "http://x"],
)
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r"'.*'"):
        AllowList.parse([entry])
