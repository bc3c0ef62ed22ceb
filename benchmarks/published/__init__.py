"""``python -m benchmarks published NAME [OPTIONS]``: published figures, trained again.

Each module of this package is one reproduction and needs no registration: ``main(argv) -> int``, and a docstring whose
first line, after the command, is what the help shows. All keep what they have done in a folder (--work), go on from
there when they are started again, and end with a result, benchmarks/results/published-NAME.json, that ``python -m
benchmarks table`` sets beside the published figure: `benchmarks.estimates` has its rows, `benchmarks.long_run` the
training.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))


def main(argv: list[str]) -> int:
    """Run the reproduction that argv begins with; returns the exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python -m benchmarks published NAME [options]\n")
        print("\n".join(f"  {name:12} {_what(name)}" for name in NAMES))
        print("\nEach has --help.")
        if argv:
            raise SystemExit(0)
        return 2
    if argv[0] not in NAMES:
        print(f"benchmarks: error: published must be one of {', '.join(NAMES)}, got {argv[0]!r}", file=sys.stderr)
        return 2
    return import_module(f"benchmarks.published.{argv[0]}").main(argv[1:])


def _what(name: str) -> str:
    """The first line of a reproduction's docstring, after its command."""
    return import_module(f"benchmarks.published.{name}").__doc__.partition("\n")[0].split(": ", 1)[1]
