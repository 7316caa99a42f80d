"""`python -m tests.chaos --rounds 20`: the chaos tests again and again, each round with other random moments.

Stops at the first round that fails, and says how to repeat it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the rounds; the exit status is that of the last one."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="Of the first round; each next one adds 1.")
    parser.add_argument("--calls", type=int, default=300, help="Calls in a campaign, at most 300.")
    parser.add_argument("--kills", type=int, default=5, help="Crashes at random moments in a campaign.")
    parser.add_argument("--storm-calls", type=int, default=1000, help="Calls while every role is killed.")
    parser.add_argument(
        "--storm-kills", type=int, default=20, help="How often each role is killed meanwhile."
    )
    parser.add_argument("--away", type=float, default=30, help="Seconds for which PostgreSQL is stopped.")
    parser.add_argument("pytest", nargs="*", help="Arguments for pytest, after --, such as -k sqlite.")
    arguments = parser.parse_args()
    scale = {
        "CHAOS_CALLS": str(arguments.calls),
        "CHAOS_KILLS": str(arguments.kills),
        "CHAOS_STORM_CALLS": str(arguments.storm_calls),
        "CHAOS_STORM_KILLS": str(arguments.storm_kills),
        "CHAOS_AWAY_S": str(arguments.away),
    }
    for seed in range(arguments.seed, arguments.seed + arguments.rounds):
        settings = {**scale, "CHAOS_SEED": str(seed)}
        print(
            " ".join(f"{name}={value}" for name, value in settings.items()), "pytest tests/chaos", flush=True
        )
        command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "-q", *arguments.pytest]
        status = subprocess.run(command, env={**os.environ, **settings}, check=False).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
