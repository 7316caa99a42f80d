"""The part of a file that a request asks for (RFC 9110 §14)."""

import re

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class UnsatisfiableRangeError(ValueError):
    """The part lies behind the end: 416."""


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return begin and end, which is not part of it; None for the whole file.

    Several parts at once, and what is not a range of bytes, mean the whole file, as §14.2 allows. Raises
    UnsatisfiableRangeError.
    """
    found = _ONE.fullmatch((header or "").strip().lower())
    if found is None:
        return None
    first, last = found[1], found[2]
    if not first:
        if not last:
            return None
        begin, end = max(0, size - int(last)), size
    else:
        begin = int(first)
        end = size if not last else min(int(last) + 1, size)
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise UnsatisfiableRangeError
    return begin, end
