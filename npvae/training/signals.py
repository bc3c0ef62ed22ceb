"""Signals that end a training in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

FINAL = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""By these a system, or a terminal that is closed, ends a program."""


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """Have SIGTERM and SIGHUP mean Ctrl-C while the block runs.

    That is for programs, not for a library: nothing changes outside the main thread, or for a signal that the caller
    handles or ignores.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    taken = [number for number in FINAL if in_main_thread and signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def deferred_interrupt(insist: bool = True) -> Iterator[Callable[[], bool]]:
    """Hold back a first Ctrl-C while the block runs, so that no parameter update is cut in half.

    The block asks the yielded function whether one came, and ends by itself. A second Ctrl-C raises KeyboardInterrupt
    at once, unless `insist` is False: one of several ranks that left the block alone would keep the others waiting. The
    signals of `like_ctrl_c` are held back as well. Nothing changes outside the main thread, where Python delivers no
    signals, and where Ctrl-C is ignored, as in a background job.
    """
    pressed = threading.Event()

    def remember(signum: int, frame: FrameType | None) -> None:
        if pressed.is_set() and insist:
            raise KeyboardInterrupt
        pressed.set()

    held: dict[int, object] = {}
    if threading.current_thread() is threading.main_thread():
        held = {number: signal.getsignal(number) for number in FINAL if signal.getsignal(number) is _interrupt}
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            held[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    for number in held:
        signal.signal(number, remember)
    try:
        yield pressed.is_set
    finally:
        for number, previous in held.items():
            signal.signal(number, previous)
