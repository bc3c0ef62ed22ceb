"""``python -m benchmarks [COMMAND] [OPTIONS]``: a command is a module of this package with ``main(argv) -> int``."""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = {
    "speed": "training and inference against the peers, in turns (the default)",
    "memory": "training under a memory limit, on data that are loaded and data that stay in a file",
    "profile": "where a training step's time goes, part by part",
    "scaling": "a step by workers and by MPI ranks, against one process",
    "startup": "process start to the end of an epoch, import time, installed size",
    "compare": "two results: exit status 1 if the loop became slower",
    "gradcheck": "the gradient checker against planted errors",
    "restoration": "images restored by a decoder's posterior, beside other ways",
    "rounding": "how often two machines would disagree on the frequencies of compressed images",
    "strangers": "the gradient checker against other people's functions",
    "faults": "damaged files, kills, full disks, shared folders, threads, a soak: the table of docs/reliability.md",
    "published": "published figures, trained again",
    "table": "the tables of README.md and docs/, from the results",
}


def main(argv: list[str]) -> int:
    """Run the command that argv begins with; returns the exit status."""
    if argv[:1] in (["-h"], ["--help"]):
        print("usage: python -m benchmarks [COMMAND] [OPTIONS]\n")
        print("\n".join(f"  {name:12} {what}" for name, what in COMMANDS.items()))
        print("\nEach command has --help.")
        return 0
    name, rest = ("speed", argv) if not argv or argv[0].startswith("-") else (argv[0], argv[1:])
    if name not in COMMANDS:
        print(f"benchmarks: error: command must be one of {', '.join(COMMANDS)}, got {name!r}", file=sys.stderr)
        return 2
    try:
        return import_module(f"benchmarks.{name}").main(rest)
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
