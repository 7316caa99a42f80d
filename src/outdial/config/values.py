"""Kinds of values that settings take, with sentences for what is wrong."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

Port = Annotated[int, Field(ge=0, le=65535)]
"""A port number; 0 lets the system choose one."""


def _ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError("should be an IPv4 address such as 192.0.2.10") from None


IPv4 = Annotated[str, AfterValidator(_ipv4)]
"""An IPv4 address in dotted form."""


def _networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"{entry!r} should be a network such as 10.20.0.0/16, or an address") from None
    return entries


Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]
"""Addresses and networks in CIDR form."""


def _store_url(value: str | None) -> str | None:
    if value is not None and "://" not in value:
        raise ValueError("should be the URL of a store, such as file:///folder or s3://bucket/prefix")
    return value


StoreUrl = Annotated[str | None, AfterValidator(_store_url)]
"""Where blobs are kept."""


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if value and (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise ValueError("should be an address such as https://voice.example.com, without a query")
    return value.rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""An address of http or https without a slash at its end; may be empty."""
