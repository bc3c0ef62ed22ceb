"""``python -m npvae``, and the command ``npvae``."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["main"]


def main() -> int:
    """Run the command line; a Ctrl-C while it is being imported ends it in a line, one after its end does nothing."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from npvae.cli import main as run

    signal.signal(signal.SIGINT, handler)
    try:
        return run()
    except KeyboardInterrupt:  # between the command's own care and the next line
        return 130
    finally:
        if handler is signal.default_int_handler:  # else Python's end would let a late signal spoil the status
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    """End the process at once: what C code makes of an exception in the middle of an import is anything."""
    os.write(2, b"npvae: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
