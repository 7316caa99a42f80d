"""How a benchmark tells what it found: a table on standard output, with ``--write`` on the page too.

The page holds a block for each benchmark, between two comments that name it; only what is between them is
written here.
"""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table that is also readable as it is: the first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first, *rest = zip(row, widths, strict=True)
        return " | ".join([f"| {first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in rest)]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def machine() -> str:
    """Date and machine, as far as they matter for figures."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = model.group(1).replace("(R)", "") if model else platform.machine()
    release = re.match(r"\d+\.\d+", platform.release())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {' '.join(name.split())}, "
        f"Linux {release.group() if release else platform.release()}, Python {platform.python_version()}"
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def publish(name: str, text: str, *, command: str, write: bool) -> None:
    """Print what a benchmark found; with ``write`` put it into its block of the page."""
    print(text)
    print(f"({machine()})")
    if write:
        write_block(name, f"{text}\n\n*{machine()}; `{command}`*")


def write_block(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the comments ``bench:NAME`` and ``/bench:NAME`` of the page."""
    start, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    old = page.read_text()
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(old)) != 1:
        raise ValueError(f"{page.name} has no single block {start} … {end}")
    page.write_text(pattern.sub(lambda _: f"{start}\n{text}\n{end}", old))
