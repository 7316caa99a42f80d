"""How `outdial top` looks: a few lines that fit in 80 columns."""

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from outdial.cli.top.reading import Figures

_STYLES = {"ANSWER": "green", "BUSY": "yellow", "NOANSWER": "yellow", "CANCEL": "yellow"}
_STATES = ("claimed", "dialing", "ringing", "answered")


def view(figures: Figures, title: str) -> RenderableType:
    """All figures, one below the other."""
    return Group(
        Text(title, style="dim"),
        _lines(figures),
        _trunks(figures),
        _problems(figures),
    )


def _lines(figures: Figures) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    states = ", ".join(
        f"{figures.calls_by_state[state]} {state}" for state in _STATES if figures.calls_by_state.get(state)
    )
    table.add_row("calls", f"[bold]{figures.calls}[/] in progress{f': {states}' if states else ''}")
    table.add_row("pace", f"{figures.calls_per_second:.1f} calls per second")
    table.add_row("queue", f"{figures.queued} due, {_age(figures.queued, figures.oldest_seconds)}")
    table.add_row(
        "ended",
        ", ".join(
            f"[{_STYLES.get(name, 'red')}]{name}[/] {count}"
            for name, count in sorted(figures.dispositions.items(), key=lambda each: -each[1])
        )
        or "none since the start",
    )
    table.add_row(
        "webhooks",
        f"{figures.webhooks_pending} pending, {figures.webhooks_in_flight} under way,"
        f" {_age(figures.webhooks_pending, figures.webhooks_oldest_seconds)}",
    )
    late = "silent" if figures.media_late_p99_ms is None else f"99 % within {figures.media_late_p99_ms:g} ms"
    skipped = f", [red]{figures.media_skipped_ticks} gaps[/]" if figures.media_skipped_ticks else ""
    table.add_row("media", f"{figures.streams} streams on {figures.media_workers} workers, {late}{skipped}")
    return table


def _trunks(figures: Figures) -> RenderableType:
    if not figures.trunks:
        return Text("No trunk yet: `outdial trunk add`.", style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("trunk", overflow="ellipsis", no_wrap=True)
    for title in ("calls", "of", "cps", "of", "queued", "oldest"):
        table.add_column(title, justify="right", no_wrap=True)
    for trunk in figures.trunks:
        table.add_row(
            escape(trunk.name),
            str(trunk.calls),
            "–" if trunk.calls_limit is None else str(trunk.calls_limit),
            f"{trunk.calls_per_second:.1f}",
            "–" if trunk.calls_per_second_limit is None else f"{trunk.calls_per_second_limit:g}",
            str(trunk.queued),
            f"{trunk.oldest_seconds:.0f} s" if trunk.queued else "–",
        )
    return table


def _problems(figures: Figures) -> RenderableType:
    if not figures.problems:
        return Text("No problems.", style="green")
    return Text("\n".join(f"! {problem}" for problem in figures.problems), style="red")


def _age(count: int, seconds: float) -> str:
    return f"the oldest for {seconds:.0f} s" if count else "none waits"
