"""All benchmarks in turn: ``python -m bench [--full] [--write]``; ``make bench`` runs the short forms.

Each runs in a process of its own, and can be run alone as ``python -m bench.NAME``.
"""

import argparse
import subprocess
import sys

from bench.report import PAGE, machine, write_block

_OURS = ("dialer_call", "dialers", "announcements", "latency", "storage", "api", "menus")
"""They take ``--full`` and ``--write``, and write their blocks of the page by themselves."""
_OF_MEDIA = ("media_ceiling", "media_lateness", "media_client")
"""They print; their block is what they printed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long forms, for docs/performance.md")
    parser.add_argument("--write", action="store_true", help=f"put what was found into {PAGE.name}")
    options = parser.parse_args()
    flags = [flag for flag, wanted in (("--full", options.full), ("--write", options.write)) if wanted]
    fallen = []
    runs = [(name, flags if name in _OURS else []) for name in (*_OF_MEDIA, *_OURS)]
    if options.full:
        runs.append(("announcements", ["--many", *flags[1:]]))
    for name, arguments in runs:
        print(f"\n{name}\n", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", *arguments]
        finished = subprocess.run(
            command, check=False, stdout=subprocess.PIPE if name in _OF_MEDIA else None, text=True
        )
        if name in _OF_MEDIA:
            print(finished.stdout, flush=True)
        if finished.returncode:
            fallen.append(name)
        elif options.write and name in _OF_MEDIA:
            text = f"```\n{finished.stdout.rstrip()}\n```"
            write_block(name, f"{text}\n\n*{machine()}; `python -m bench.{name}`*")
    if fallen:
        print(f"\nfailed: {', '.join(fallen)}")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
