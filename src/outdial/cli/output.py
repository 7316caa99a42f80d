"""What commands print: tables and sentences for people, or one JSON value a command for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

_SENTENCE = 24
"""Cells with spaces that are longer may be folded, down to this width."""

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for machines in place of text for people.")
]
"""The `--json` option that every command has."""


def console() -> Console:
    """Standard output; 80 columns where there is no terminal, or as many as $COLUMNS says."""
    return Console(highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_json_line(value: Any) -> None:
    """One JSON value on one line, at once: for commands that follow something."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str) -> None:
    """A table of `rows`; `columns` maps keys to titles. Prints the sentence `empty` when there are none.

    Only sentences are folded, between words. Ids, numbers and times stand on one line, to be copied: a
    table that is wider than the terminal runs over its edge, as those of other tools do.
    """
    if not rows:
        console().print(empty)
        return
    cells = {key: [_text(row.get(key)) for row in rows] for key in columns}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    width = 0
    for key, title in columns.items():
        longest = max(map(len, [title, *cells[key]]))
        is_prose = longest > _SENTENCE and any(" " in cell for cell in cells[key])
        table.add_column(title, overflow="fold", no_wrap=not is_prose)
        width += 2 + (_SENTENCE if is_prose else longest)
    for each in zip(*cells.values(), strict=True):
        table.add_row(*each)
    out = console()
    Console(highlight=False, width=max(out.width, width)).print(table, soft_wrap=False)


def print_fields(row: Mapping[str, Any]) -> None:
    """One thing, a line for each of its fields."""
    width = max(len(name) for name in row)
    for name, value in row.items():
        console().print(f"[dim]{name:<{width}}[/]  {_text(value)}", soft_wrap=True)


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_text(each) for each in value) or "–"
        case _:
            return str(value).replace("[", "\\[")


def utc(at_ms: int | None) -> str | None:
    """A stored time, Unix milliseconds, for people."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
