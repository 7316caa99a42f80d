"""CPU of the dialer for each complete call INVITE/180/200/ACK/BYE/200 without media, against sipp's client.

``python -m bench.dialer_call [--calls 1000] [--rounds 3] [--window 50] [--full] [--write]``

Three callers take turns, so that a drift of the machine hits all of them: sipp's own C++ client, our user
agent alone (legs with their traces), and the dialer: claims, attempts, CDR and trace durably on SQLite, as
in a server. The far end is sipp in all three. Everything runs as fast as it goes with ``window`` calls at a
time; then the dialer and sipp once more at a slow pace, where no two calls share a commit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.far_end import Phones, sipp_calls
from bench.report import median, publish, table

NOBODY = 9
"""No audio is sent, so no socket is needed: the discard port."""
SLOW = 50
"""Calls a second of the slow pace."""
FAST = 10_000


@dataclass(frozen=True)
class Round:
    """CPU milliseconds per call."""

    sipp: float
    agent: float
    dialer: float
    calls_a_second: float
    calls_a_commit: float


@dataclass(frozen=True)
class Figures:
    """All rounds, and CPU milliseconds per call at the slow pace."""

    rounds: list[Round]
    sipp_slow: float
    dialer_slow: float


def measure(calls: int, rounds: int, window: int) -> Figures:
    """Run everything. Raises RuntimeError if a call failed."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        folder = Path(name)
        with Phones(NOBODY, folder) as phones:
            warm_up, _ = sipp_calls(phones, NOBODY, calls=1, window=1, rate=FAST)
            found = []
            for number in range(rounds):
                cpu_s, _ = sipp_calls(phones, NOBODY, calls=calls, window=window, rate=FAST)
                agent = ours("agent", phones, calls, window, FAST)
                dialer = ours("dialer", phones, calls, window, FAST, folder / f"{number}.db")
                found.append(
                    Round(
                        sipp=(cpu_s - warm_up) / calls * 1000,
                        agent=agent["cpu_s"] / calls * 1000,
                        dialer=dialer["cpu_s"] / calls * 1000,
                        calls_a_second=calls / dialer["wall_s"],
                        calls_a_commit=calls / dialer["commits"],
                    )
                )
            few = max(1, calls // 4)
            slow = ours("dialer", phones, few, window, SLOW, folder / "slow.db")
            cpu_s, _ = sipp_calls(phones, NOBODY, calls=few, window=window, rate=SLOW)
            return Figures(found, (cpu_s - warm_up) / few * 1000, slow["cpu_s"] / few * 1000)


def ours(
    what: str, phones: Phones, calls: int, window: int, rate: int, database: Path | None = None
) -> dict[str, float]:
    """Run our caller in its own process; its figures."""
    command = [sys.executable, "-m", "bench.dialer_process", what, "--port", str(phones.port)]
    command += ["--calls", str(calls), "--window", str(window), "--rate", str(rate)]
    if database is not None:
        command += ["--database", f"sqlite:///{database}"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600)
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    if figures["failed"]:
        raise RuntimeError(f"{figures['failed']:.0f} of {calls} calls failed ({what})")
    return figures


def show(found: Figures, calls: int, window: int) -> str:
    """The table."""
    rows: list[list[str]] = []
    for number, each in enumerate(found.rounds, 1):
        rows.append([f"round {number}", *_cells(each.sipp, each.agent, each.dialer)])
    middle = [median([getattr(each, name) for each in found.rounds]) for name in ("sipp", "agent", "dialer")]
    rows.append(["median", *_cells(*middle)])
    rows.append([f"at {SLOW} calls/s", *_cells(found.sipp_slow, None, found.dialer_slow)])
    head = ["CPU per call", "sipp's client", "user agent", "to sipp", "dialer, durable", "to sipp"]
    last = found.rounds[-1]
    return (
        f"{table(head, rows)}\n\n"
        f"{calls} calls a round, {window} at a time ({last.calls_a_second:.0f} calls/s,"
        f" {last.calls_a_commit:.1f} calls share a commit); aim for the dialer ≤ 1.1 ms"
    )


def _cells(sipp: float, agent: float | None, dialer: float) -> list[str]:
    def pair(value: float) -> tuple[str, str]:
        return f"{value:.2f} ms", f"{value / sipp:.1f} ×"

    return [f"{sipp:.3f} ms", *(pair(agent) if agent is not None else ("", "")), *pair(dialer)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--full", action="store_true", help="3,000 calls a round instead of 1,000")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    calls = options.calls or (3000 if options.full else 1000)
    found = measure(calls, options.rounds, options.window)
    publish(
        "dialer_call",
        show(found, calls, options.window),
        command="python -m bench.dialer_call" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
