"""The headers of one message: ordered, names compared without case, compact forms known."""

from collections.abc import Callable, Iterable, Iterator
from typing import Self, TypeVar, cast

from outdial.errors import LocalProtocolError, SipParseError
from outdial.sip.headers.names import KNOWN, LIST_KEYS, identify
from outdial.sip.headers.text import split_outside_quotes

_T = TypeVar("_T")


class Headers:
    """The headers of one message, in order.

    Names are matched without case and in either form (`v` is `Via`). Known names are written in their
    usual spelling, others as they were given. Adding a name that is not a token raises
    `LocalProtocolError`; values are checked for line breaks where the message is written
    (`Request.to_bytes`), all at once.
    """

    __slots__ = ("_keys", "_names", "_parsed", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        # Parallel lists, because list.index on short lists of interned keys is the cheapest lookup there is.
        self._keys: list[str] = []
        self._names: list[str] = []
        self._values: list[str] = []
        self._parsed: dict[str, object] = {}
        for name, value in items:
            key, spelling = KNOWN.get(name) or _checked(name)
            self._keys.append(key)
            self._names.append(spelling)
            self._values.append(value)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Self:
        """Read unfolded header lines (without their line ends).

        A line without a colon, or whose name is not a token, is skipped: one bad line must not cost the
        message.
        """
        headers = cls()
        keys, names, values = headers._keys, headers._names, headers._values
        for line in lines:
            name, colon, value = line.partition(":")
            known = KNOWN.get(name) or identify(name)
            if known is not None and colon:
                keys.append(known[0])
                names.append(known[1])
                values.append(value.strip())
        return headers

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of `name` as written, a comma list unsplit; `default` without one."""
        known = KNOWN.get(name)
        key = known[0] if known is not None else name.lower()
        return self._values[self._keys.index(key)] if key in self._keys else default

    def get_all(self, name: str) -> list[str]:
        """Return every value of `name` in order: lines and, where the header is a list, the elements of
        lines.

        Empty elements of lists are left out, so `Supported:` alone gives `[]`.
        """
        key = _key(name)
        if key not in self._keys:
            return []
        found = [value for held, value in zip(self._keys, self._values, strict=True) if held == key]
        if key not in LIST_KEYS:
            return found
        return [
            stripped
            for value in found
            for piece in split_outside_quotes(value, ",")
            if (stripped := piece.strip())
        ]

    def add(self, name: str, value: str) -> None:
        """Append a header line."""
        key, spelling = KNOWN.get(name) or _checked(name)
        self._keys.append(key)
        self._names.append(spelling)
        self._values.append(value)
        self._parsed.pop(key, None)

    def add_first(self, name: str, value: str) -> None:
        """Put a header line before all others, as a new Via has to be."""
        key, spelling = KNOWN.get(name) or _checked(name)
        self._keys.insert(0, key)
        self._names.insert(0, spelling)
        self._values.insert(0, value)
        self._parsed.pop(key, None)

    def set(self, name: str, value: str) -> None:
        """Make `value` the only value of `name`, in the place of the first one, else at the end."""
        key, spelling = KNOWN.get(name) or _checked(name)
        if key not in self._keys:
            self.add(name, value)
            return
        at = self._keys.index(key)
        if self._keys.count(key) > 1:
            self.remove(name)
            self._keys.insert(at, key)
            self._names.insert(at, spelling)
            self._values.insert(at, value)
        else:
            self._values[at] = value
            self._parsed.pop(key, None)

    def remove(self, name: str) -> None:
        """Drop every value of `name`; nothing happens without one."""
        key = _key(name)
        if key not in self._keys:
            return
        kept = [at for at, held in enumerate(self._keys) if held != key]
        self._names = [self._names[at] for at in kept]
        self._values = [self._values[at] for at in kept]
        self._keys = [self._keys[at] for at in kept]
        self._parsed.pop(key, None)

    def items(self) -> list[tuple[str, str]]:
        """Return (name, value) of every line in order."""
        return list(zip(self._names, self._values, strict=True))

    def copy(self) -> "Headers":
        """Return an independent copy."""
        twin = Headers()
        twin._keys = self._keys.copy()
        twin._names = self._names.copy()
        twin._values = self._values.copy()
        twin._parsed = self._parsed.copy()
        return twin

    def parsed(self, name: str, parse: Callable[[str], _T]) -> _T:
        """Return `parse` of the first value (of a list: its first element), remembered until the header
        changes.

        Raises `SipParseError` when the header is missing, and whatever `parse` raises.
        """
        key = _key(name)
        hit = self._parsed.get(key)
        if hit is None:
            value = self.get(key)
            if not value:
                raise SipParseError(f"the message has no {KNOWN.get(name, (key, name))[1]} header")
            if key in LIST_KEYS and "," in value:
                value = split_outside_quotes(value, ",")[0].strip()
            hit = self._parsed[key] = parse(value)
        return cast("_T", hit)

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(zip(self._names, self._values, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._keys == other._keys and self._values == other._values

    __hash__ = None  # type: ignore[assignment]  # mutable: the way Python spells "unhashable"

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"


def _key(name: str) -> str:
    known = KNOWN.get(name)
    return known[0] if known is not None else name.lower()


def _checked(name: str) -> tuple[str, str]:
    known = identify(name)
    if known is None:
        raise LocalProtocolError(f"{name!r} cannot be a header name")
    return known
