"""What the demo shows: calls as they go, then the table of what was found."""

import time
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from outdial.cli.demo.proof import Verdict
from outdial.cli.demo.scenes import Scene

_WORDS = {
    "claimed": "taken by the dialer",
    "dialing": "dialling",
    "ringing": "ringing",
    "answered": "answered, playing",
}
_STYLES = {"ANSWER": "green", "BUSY": "yellow", "NOANSWER": "yellow"}


class LiveView:
    """One line whenever a call moves on: seconds since the start, who, what."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._shown: dict[str, str] = {}

    def accepted(self, scene: Scene) -> None:
        """The request was answered."""
        self._line(scene, "accepted")

    def progress(self, scene: Scene, status: dict[str, Any]) -> None:
        """Show what is new about a call."""
        attempt = status["attempts"][-1] if status["attempts"] else None
        if status["state"] == "done" and attempt is not None:
            self._line(scene, _outcome(status, attempt))
        elif attempt is not None and self._shown.get(scene.number) != attempt["state"]:
            self._shown[scene.number] = attempt["state"]
            self._line(scene, _WORDS.get(attempt["state"], attempt["state"]))

    def _line(self, scene: Scene, what: str) -> None:
        elapsed = time.monotonic() - self._started
        self._console.print(
            f"[dim]{elapsed:6.2f} s[/]  {scene.number}  {scene.title:<22}  {what}", soft_wrap=True
        )


def _outcome(status: dict[str, Any], attempt: dict[str, Any]) -> str:
    word = f"[{_STYLES.get(status['status'], 'red')}]{status['status']}[/]"
    if status["status"] != "ANSWER":
        return f"{word} ({attempt['sip_code'] or attempt['reason']})"
    keys = f", keys {status['dtmf']}" if status["dtmf"] else ""
    return f"{word}, {attempt['played_seconds']:.1f} s played{keys}"


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """One row a call: what came out, how it sounded at the far end, and whether that is right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for title in ("number", "phone", "status"):
        table.add_column(title, no_wrap=True)
    for title in ("sec.", "codec", "keys", "heard", "reply", ""):
        table.add_column(title, no_wrap=True, justify="right")
    for verdict in verdicts:
        attempt = verdict.status["attempts"][-1]
        answered = verdict.status["status"] == "ANSWER"
        table.add_row(
            verdict.scene.number,
            verdict.scene.title,
            f"{verdict.status['status']} {attempt['sip_code'] or ''}",
            f"{attempt['played_seconds']:.1f}" if answered else "",
            f"{attempt['codec']}/{attempt['ptime']}" if answered else "",
            verdict.status["dtmf"],
            "" if verdict.correlation is None else f"{verdict.correlation.peak:.3f}",
            "" if verdict.reply is None else f"{verdict.reply.peak:.3f}",
            "[green]✓[/]" if not verdict.problems else "[red]✗[/]",
        )
    return table
