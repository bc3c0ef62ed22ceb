"""Signals that end a training in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Hold back a first Ctrl-C while the block runs, so that no parameter update is cut in half.

    The block asks the yielded function whether one came, and ends by itself. A second Ctrl-C raises KeyboardInterrupt
    at once. Nothing changes outside the main thread, where Python delivers no signals, and where Ctrl-C is ignored, as
    in a background job.
    """
    pressed = threading.Event()

    def remember(signum: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield pressed.is_set
        return
    previous = signal.signal(signal.SIGINT, remember)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, previous)
