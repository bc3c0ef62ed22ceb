"""A training run as text: a line that lives on a terminal, plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from npvae.training.run import TrainingRun

if TYPE_CHECKING:
    from npvae.training.evaluate import TermSums

__all__ = ["Progress"]

REFRESH = 0.1
"""Seconds between two updates of the living line."""


class Progress:
    """Prints epoch, loss and its terms in nats, images per second and time left.

    Parameters
    ----------
    epochs : int
        The number at which the run will end.
    stream : text stream, default sys.stderr
        If it is a terminal, the current epoch is one line that is rewritten; otherwise there is a line an epoch.
    """

    def __init__(self, epochs: int, stream: TextIO | None = None) -> None:
        self.epochs = epochs
        self.stream = stream if stream is not None else sys.stderr
        self.alive = self.stream.isatty()
        self._epoch_started = self._refreshed = perf_counter()
        self._images = 0
        self._open = False  # whether the cursor is still in the living line

    def step(self, run: TrainingRun, sums: TermSums, n: int) -> None:
        """Called after every step with the sums so far over the n rows of the epoch."""
        self._images = sums.n
        now = perf_counter()
        if self.alive and now - self._refreshed >= REFRESH:
            self._refreshed = now
            speed = sums.n / (now - self._epoch_started)
            left = ((self.epochs - run.epoch) * n - sums.n) / speed
            line = f"{self._line(run.epoch + 1, sums.means(), speed, left)} {sums.n / n:4.0%}"
            # A line that wraps could not be rewritten.
            self._write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\033[K")
            self._open = True

    def epoch(self, run: TrainingRun) -> None:
        """Called after every epoch."""
        now = perf_counter()
        speed = self._images / (now - self._epoch_started)
        left = (self.epochs - run.epoch) * (now - self._epoch_started)
        line = self._line(run.epoch, run.history.last(), speed, left)
        self._write(f"\r{line}\033[K\n" if self.alive else line + "\n")
        self._epoch_started, self._open = now, False

    def close(self) -> None:
        """End the living line of an epoch that was cut short, so that what follows starts a line of its own."""
        if self._open:
            self._write("\n")
            self._open = False

    def _line(self, epoch: int, means: dict[str, float], speed: float, left: float) -> str:
        width = len(str(self.epochs))
        bookkeeping = ("epoch", "steps", "seconds", "loss")
        terms = [
            f"{name} {value:.2f}" for name, value in means.items() if name not in bookkeeping and "val_" not in name
        ]
        held_out = f" | held-out {means['val_loss']:.2f}" if "val_loss" in means else ""
        return (
            f"epoch {epoch:{width}}/{self.epochs} | loss {means['loss']:.2f} ({', '.join(terms)}) nats{held_out}"
            f" | {speed:,.0f} images/s | {_duration(left)} left"
        )

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
