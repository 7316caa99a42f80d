"""Two dialers on one PostgreSQL database against one: calls a second, and what a call costs all of them.

``python -m bench.dialers [--calls 1000] [--rounds 3] [--window 50] [--full] [--write]``

Complete calls INVITE/180/200/ACK/BYE/200 without media to sipp, as in bench.dialer_call, with every record in
a PostgreSQL of this run. One dialer and two take turns; each dialer has ``window`` calls at a time. All of
it, the database and sipp too, shares the machine's cores: with few of them the gain is theirs to limit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from bench.dialer_call import FAST, NOBODY
from bench.dialer_process import count_answered, fill
from bench.far_end import Phones
from bench.report import median, publish, table
from tests.postgres import Cluster, empty_database, running_cluster

_WITHIN_S = 600.0


@dataclass(frozen=True)
class Share:
    """One round of so many dialers."""

    calls_a_second: float
    cpu_ms: float
    """Of all dialers, for each call."""
    smallest_part: float
    """Of the calls, by the dialer that made the fewest."""


def measure(calls: int, rounds: int, window: int) -> dict[int, list[Share]]:
    """Rounds by the number of dialers. Raises RuntimeError if a call failed."""
    found: dict[int, list[Share]] = {1: [], 2: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outdial-bench-")))
        phones = stack.enter_context(Phones(NOBODY, folder))
        cluster = stack.enter_context(running_cluster(durable=True))
        for _ in range(rounds):
            for dialers, shares in found.items():
                shares.append(_round(cluster, phones, dialers, calls, window))
    return found


def _round(cluster: Cluster, phones: Phones, dialers: int, calls: int, window: int) -> Share:
    options = Namespace(calls=calls, port=phones.port, rate=FAST, window=dialers * window)
    with empty_database(cluster) as url:
        engine = sa.create_engine(url)
        with engine.begin() as conn:
            fill(conn, options)
        command = [sys.executable, "-m", "bench.dialer_process", "dialer", "--shared", "--database", url]
        command += ["--port", str(phones.port), "--calls", str(calls), "--window", str(window)]
        with ExitStack() as stack:
            processes = [
                stack.enter_context(
                    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                )
                for _ in range(dialers)
            ]
            for process in processes:
                assert process.stdout is not None
                if process.stdout.readline() != "ready\n":
                    raise RuntimeError("a dialer did not start")
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            answers = [process.communicate(timeout=_WITHIN_S)[0] for process in processes]
        parts = [json.loads(answer.splitlines()[-1]) for answer in answers]
        with engine.connect() as conn:
            answered = count_answered(conn)
        engine.dispose()
    if answered != calls:
        raise RuntimeError(f"{calls - answered} of {calls} calls failed")
    return Share(
        calls_a_second=calls / max(part["wall_s"] for part in parts),
        cpu_ms=sum(part["cpu_s"] for part in parts) / calls * 1000,
        smallest_part=min(part["calls"] for part in parts) / calls,
    )


def show(found: dict[int, list[Share]], calls: int, window: int) -> str:
    """The table."""
    one = found[1]
    rows = []
    for dialers, shares in found.items():
        pace = median([each.calls_a_second for each in shares])
        cpu = median([each.cpu_ms for each in shares])
        rows.append(
            [
                f"{dialers} dialer{'s' if dialers > 1 else ''}",
                f"{pace:,.0f}",
                f"{pace / median([each.calls_a_second for each in one]):.2f} ×",
                f"{cpu:.2f} ms",
                f"{cpu / median([each.cpu_ms for each in one]):.2f} ×",
                f"{min(each.smallest_part for each in shares):.0%}",
            ]
        )
    head = ["on one PostgreSQL", "calls/s", "to one", "dialers' CPU per call", "to one", "smallest part"]
    return (
        f"{table(head, rows)}\n\n{calls} calls a round, {window} at a time for each dialer; medians of"
        f" {len(one)} rounds"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--full", action="store_true", help="4,000 calls a round instead of 1,000")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    calls = options.calls or (4000 if options.full else 1000)
    found = measure(calls, options.rounds, options.window)
    publish(
        "dialers",
        show(found, calls, options.window),
        command="python -m bench.dialers" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
