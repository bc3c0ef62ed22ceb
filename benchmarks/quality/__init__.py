"""``python -m benchmarks quality NAME [OPTIONS]``: published figures, trained again.

Each NAME is a module of this package with ``main(argv) -> int``. All keep what they have done in a folder (--work), go
on from there when they are started again, and end with a result that ``python -m benchmarks table`` sets beside the
published figure.
"""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = {
    "iwae": "784-200-200-50 on dynamically binarised MNIST: L₅₀₀₀ for k = 1, 5, 50 (Burda et al. 2015, table 1)",
    "static": "784-400-40 on the fixed binarisation of MNIST: its negative log-likelihood",
    "figure2": "the bound against training samples seen, AEVB and wake-sleep (Kingma & Welling 2013, figure 2)",
    "manifolds": "two-dimensional manifolds and samples (Kingma & Welling 2013, figures 4 and 5)",
}


def main(argv: list[str]) -> int:
    """Run the reproduction that argv begins with; returns the exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python -m benchmarks quality NAME [options]\n")
        print("\n".join(f"  {name:10} {what}" for name, what in NAMES.items()))
        print("\nEach has --help.")
        if argv:
            raise SystemExit(0)
        return 2
    if argv[0] not in NAMES:
        print(f"benchmarks: error: quality must be one of {', '.join(NAMES)}, got {argv[0]!r}", file=sys.stderr)
        return 2
    return import_module(f"benchmarks.quality.{argv[0]}").main(argv[1:])
