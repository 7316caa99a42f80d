"""All benchmarks in turn: ``python -m bench [--full] [--write]``; ``make bench`` runs the short forms.

Each runs in a process of its own, and can be run alone as ``python -m bench.NAME``.
"""

import argparse
import subprocess
import sys

from bench.report import PAGE

SHORT = (
    "media_ceiling",
    "media_lateness",
    "media_lateness --joined",
    "media_client",
    "menus",
    "announcements",
    "dialer_call",
    "dialers",
    "latency",
    "api",
    "storage",
)
_OF_ONE_FORM = SHORT[:4]
FULL = (*_OF_ONE_FORM, *(f"{name} --full" for name in SHORT[4:]), "announcements --many")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long forms, for docs/performance.md")
    parser.add_argument("--write", action="store_true", help=f"put what was found into {PAGE.name}")
    options = parser.parse_args()
    fallen = []
    for benchmark in FULL if options.full else SHORT:
        print(f"\n{benchmark}\n", flush=True)
        name, *arguments = benchmark.split()
        command = [sys.executable, "-m", f"bench.{name}", *arguments, *(["--write"] if options.write else [])]
        if subprocess.run(command, check=False).returncode:
            fallen.append(benchmark)
    if fallen:
        print(f"\nfailed: {', '.join(fallen)}")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
