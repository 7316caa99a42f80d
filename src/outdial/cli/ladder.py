"""Draw the trace of an attempt as a ladder: messages as arrows between Outdial and the far end, notes
between.

Pure: entries in (as `GET outgoing/trace` answers them), lines of markup for rich out.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

_TIME_WIDTH = 10
_MARGIN = 3
_NARROWEST = 40


def ladder_head(peer: str, width: int = 80) -> list[str]:
    """The two lifelines with their names."""
    lane = _lane(width)
    left, right = "Outdial", peer or "far end"
    gap = max(1, lane + 2 - len(left) - len(right))
    return [f"[dim]{'seconds':>{_TIME_WIDTH}}[/]   [bold]{left}[/]{' ' * gap}[bold]{escape(right)}[/]"]


def ladder_line(entry: Mapping[str, Any], width: int = 80) -> str:
    """One entry: an arrow for a message, lines with a note for anything else."""
    lane = _lane(width)
    time = f"[dim]{entry['offset_ms'] / 1000:>{_TIME_WIDTH}.3f}[/]{' ' * _MARGIN}"
    summary = str(entry["summary"])
    if entry.get("direction") in ("sent", "received"):
        return f"{time}[dim]│[/]{_arrow(summary, lane, sent=entry['direction'] == 'sent')}[dim]│[/]"
    notes = textwrap.wrap(summary, lane - 4, break_long_words=True)
    starts = [time, *[" " * (_TIME_WIDTH + _MARGIN)] * (len(notes) - 1)]
    return "\n".join(
        f"{start}[dim]│[/]  [cyan]{escape(note)}[/]{' ' * (lane - 2 - len(note))}[dim]│[/]"
        for start, note in zip(starts, notes, strict=True)
    )


def ladder(entries: Sequence[Mapping[str, Any]], *, width: int = 80, full: bool = False) -> list[str]:
    """The whole ladder; with `full` each message's text follows its arrow."""
    peer = next((str(entry["peer"]) for entry in entries if entry.get("peer")), "")
    lines = ladder_head(peer, width)
    for entry in entries:
        lines += ladder_line(entry, width).splitlines()
        if full:
            lines += message_lines(entry)
    return lines


def message_lines(entry: Mapping[str, Any]) -> list[str]:
    """The whole text of a message, indented below its arrow; nothing for a note."""
    if not entry.get("text"):
        return []
    indent = " " * (_TIME_WIDTH + _MARGIN + 4)
    return [f"{indent}[dim]{escape(line)}[/]" for line in str(entry["text"]).rstrip().splitlines()] + [""]


def _lane(width: int) -> int:
    return max(_NARROWEST, min(width, 100) - _TIME_WIDTH - _MARGIN - 3)


def _arrow(summary: str, lane: int, *, sent: bool) -> str:
    label = f" {_cut(summary, lane - 8)} "
    line = lane - 2 - len(label)
    before, after = "─" * (line // 2), "─" * (line - line // 2)
    style = _style(summary)
    text = f"[{style}]{escape(label)}[/]"
    if sent:
        return f"[dim]{before}─[/]{text}[dim]{after}[/]▶"
    return f"◀[dim]{before}[/]{text}[dim]{after}─[/]"


def _style(summary: str) -> str:
    code = summary[:3]
    if not code.isdigit():
        return "bold"
    return {"1": "yellow", "2": "green"}.get(code[0], "red" if code[0] in "456" else "magenta")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
