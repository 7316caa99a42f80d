"""The `;name=value` parameters of URIs and headers (RFC 3261 §7.3.1, §19.1.1)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from outdial.errors import LocalProtocolError
from outdial.sip.headers.text import TOKEN, quote, split_outside_quotes, unquote

_PLAIN_VALUE = re.compile(r"[A-Za-z0-9\-.!%*_+`'~:/\[\]@&$?#()^{}|]+")
"""What may stand unquoted: tokens, hosts (IPv6 in brackets or bare), characters that URIs add."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Ordered, immutable parameters; names are compared without case.

    `items` holds (name, value) as on the wire: quotes are part of the value, None marks a flag such as
    `lr`.
    """

    items: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `;a=b;c`, with or without the first semicolon; nameless parameters are dropped."""
        found: list[tuple[str, str | None]] = []
        for piece in split_outside_quotes(text, ";"):
            name, equals, value = piece.partition("=")
            name = name.strip()
            if name:
                found.append((name, value.strip() if equals else None))
        return cls(tuple(found))

    @classmethod
    def of(cls, items: Iterable[tuple[str, str | None]]) -> Self:
        """Build from plain values, quoting where needed; None makes a flag.

        Raises `LocalProtocolError` for a name that is not a token or a value with a line break.
        """
        return cls(tuple((_checked_name(name), _wire(value)) for name, value in items))

    def get(self, name: str) -> str | None:
        """Return the value without its quotes, `""` for a flag, None when absent; the first one counts."""
        name = name.lower()
        for held, value in self.items:
            if held == name or held.lower() == name:
                return "" if value is None else unquote(value)
        return None

    def has(self, name: str) -> bool:
        """Say whether the parameter is there, with a value or without."""
        name = name.lower()
        return any(held.lower() == name for held, _ in self.items)

    def with_(self, name: str, value: str | None = None) -> "Parameters":
        """Return a copy with this parameter set, in its old place or at the end; None makes a flag.

        Raises `LocalProtocolError` as `of` does.
        """
        new = (_checked_name(name), _wire(value))
        if not self.has(name):
            return Parameters((*self.items, new))
        key = name.lower()
        return Parameters(tuple(new if held.lower() == key else (held, old) for held, old in self.items))

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        return iter(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    def __str__(self) -> str:
        return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in self.items])


def _checked_name(name: str) -> str:
    if TOKEN.fullmatch(name) is None:
        raise LocalProtocolError(f"{name!r} cannot be a parameter name")
    return name


def _wire(value: str | None) -> str | None:
    if value is None or _PLAIN_VALUE.fullmatch(value):
        return value
    if "\r" in value or "\n" in value:
        raise LocalProtocolError(f"a parameter value cannot hold a line break: {value!r}")
    return quote(value)


NO_PARAMETERS = Parameters()
"""Shared, because most URIs have none."""
