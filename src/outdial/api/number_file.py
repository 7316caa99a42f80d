"""Files of phone numbers, read by a process that can do nothing else: see number_file_process.py."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outdial.api.number_file_kinds import ACCEPTED, SUFFIXES
from outdial.domain.suppression import SuppressionType
from outdial.errors import InvalidInput

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class NumberFileLimits:
    """What reading one file may cost."""

    rows: int = 1_000_000
    memory_bytes: int = 1 << 30
    """Address space of the child (RLIMIT_AS)."""
    cpu_seconds: int = 180
    """A million rows take a minute."""
    wall_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class NumberFileSummary:
    """What was found in a file."""

    rows: int
    usable: int
    invalid: int
    problems: list[dict[str, Any]]
    """`{"row", "message"}` of the first hundred numbers that cannot be used."""


async def read_number_file(
    source: Path,
    out: Path,
    *,
    name: str,
    kind: SuppressionType = SuppressionType.ALL,
    value: str = "",
    limits: NumberFileLimits = NumberFileLimits(),
) -> NumberFileSummary:
    """Read `source` (txt, csv, xls or xlsx) and write its usable numbers to `out`, for `numbers_in`.

    `name` is what its owner calls the file, whose ending says what it should be. `kind` and `value` are those
    of rows that do not say their own. Raises InvalidInput with a sentence for the person who sent the file.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(f"{name[-_SHOWN:]!r} is no list of numbers: {ACCEPTED}.")
    with await asyncio.to_thread(source.open, "rb") as upload:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "outdial.api.number_file_process",
            *(str(each) for each in (limits.memory_bytes, limits.cpu_seconds, limits.rows)),
            suffix,
            str(out),
            kind.value,
            value,
            stdin=upload,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        )
    try:
        async with asyncio.timeout(limits.wall_seconds):
            answer, _ = await child.communicate()
    except TimeoutError:
        raise InvalidInput(f"This file could not be read within {limits.wall_seconds:g} seconds.") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _summary(answer)


def numbers_in(out: Path, size: int) -> Iterator[list[tuple[str, str | None, str, str]]]:
    """The numbers that were written to `out` as (digits, iso, type, value), in lists of at most `size`."""
    with out.open(encoding="utf-8") as lines:
        chunk = []
        for line in lines:
            digits, iso, kind, value = json.loads(line)
            chunk.append((digits, iso, kind, value))
            if len(chunk) == size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def _summary(answer: bytes) -> NumberFileSummary:
    try:
        found = json.loads(answer)
    except ValueError:  # it was killed over a bound, or the library broke down
        raise InvalidInput(
            "This file takes too much memory or time to read: save its column of numbers as csv instead."
        ) from None
    if "unreadable" in found:
        sentence = found["unreadable"]
        raise InvalidInput(f"{sentence[:1].upper()}{sentence[1:]}.")
    return NumberFileSummary(**found)
