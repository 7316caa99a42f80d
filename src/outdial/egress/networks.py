"""Which addresses belong to the public internet, and what the others are.

From the IANA registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and its updates). Of IPv6
only 2000::/3 is given out for the internet (RFC 4291 §2.4), so everything outside is refused, which covers
each way to write an IPv4 address as an IPv6 one but two tunnels inside 2000::/3, which are listed.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_IPV4 = tuple(
    (IPv4Network(network), words)
    for network, words in (
        ("0.0.0.0/8", "stands for this machine"),
        ("10.0.0.0/8", "is a private address"),
        ("100.64.0.0/10", "is a private address behind a carrier's NAT"),
        ("127.0.0.0/8", "is a loopback address"),
        # Clouds answer for their metadata, credentials included, at 169.254.169.254.
        ("169.254.0.0/16", "is a link-local address"),
        ("172.16.0.0/12", "is a private address"),
        # Public by its number, but inside Azure it is the platform that configures the machine.
        ("168.63.129.16/32", "is the address of a cloud's own platform"),
        ("192.0.0.0/24", "is reserved for protocols"),
        ("192.0.2.0/24", "is reserved for documentation"),
        ("192.88.99.0/24", "is a relay of 6to4"),
        ("192.168.0.0/16", "is a private address"),
        ("198.18.0.0/15", "is reserved for benchmarks"),
        ("198.51.100.0/24", "is reserved for documentation"),
        ("203.0.113.0/24", "is reserved for documentation"),
        ("224.0.0.0/4", "is a multicast address"),
        ("255.255.255.255/32", "is the broadcast address"),
        ("240.0.0.0/4", "is reserved"),
    )
)

_PUBLIC_IPV6 = IPv6Network("2000::/3")

_IPV6 = tuple(
    (IPv6Network(network), words)
    for network, words in (
        ("::/128", "stands for this machine"),
        ("::1/128", "is a loopback address"),
        ("::ffff:0:0/96", "is an IPv4 address written as an IPv6 one"),
        ("::ffff:0:0:0/96", "is an IPv4 address written as an IPv6 one"),
        ("::/96", "is an IPv4 address written as an IPv6 one"),
        ("64:ff9b::/96", "is an IPv4 address behind NAT64"),
        ("64:ff9b:1::/48", "is an IPv4 address behind NAT64"),
        ("2001::/32", "is a Teredo tunnel to an IPv4 address"),
        ("2001::/23", "is reserved for protocols"),
        ("2001:db8::/32", "is reserved for documentation"),
        ("2002::/16", "is a 6to4 tunnel to an IPv4 address"),
        ("3fff::/20", "is reserved for documentation"),
        ("fc00::/7", "is a private address"),
        ("fe80::/10", "is a link-local address"),
        ("fec0::/10", "is a private address"),
        ("ff00::/8", "is a multicast address"),
    )
)


def why_not_public(address: Address) -> str | None:
    """Return what `address` is, as the rest of a sentence ("is a private address"); None if it is public."""
    if isinstance(address, IPv4Address):
        return next((words for network, words in _IPV4 if address in network), None)
    if address.scope_id is not None:
        return "is bound to one network interface"
    found = next((words for network, words in _IPV6 if address in network), None)
    return found or (None if address in _PUBLIC_IPV6 else "is reserved")
