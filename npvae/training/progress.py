"""A training run as text: a line that lives on a terminal, plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter
from typing import TextIO

from npvae.training.history import WEIGHT
from npvae.training.run import TrainingRun
from npvae.training.summary import factor
from npvae.training.term_sums import TermSums

REFRESH = 0.1
"""Seconds between two updates of the living line."""


class Progress:
    """Prints epoch, loss and its terms, images per second and time left.

    Parameters
    ----------
    epochs : int
        The number at which the run will end.
    stream : text stream, default sys.stderr
        If it is a terminal, the current epoch is one line that is rewritten; otherwise there is a line an epoch.
    opening : str, optional
        A line before all others, printed with the first step.
    """

    def __init__(self, epochs: int, stream: TextIO | None = None, opening: str = "") -> None:
        self.epochs = epochs
        self.stream = stream if stream is not None else sys.stderr
        self.alive = self.stream.isatty()
        self._epoch_started = self._refreshed = perf_counter()
        self._opening = f"{opening}\n" * bool(opening)
        self._images = 0
        self._open = False  # whether the cursor is still in the living line

    def step(self, run: TrainingRun, sums: TermSums, n: int) -> None:
        """Called after every step with the sums so far over the n rows of the epoch."""
        self._images = sums.n
        if self._opening:
            self._write(self._opening)
            self._opening = ""
        now = perf_counter()
        if self.alive and now - self._refreshed >= REFRESH:
            self._refreshed = now
            speed = sums.n / (now - self._epoch_started)
            left = ((self.epochs - run.epoch) * n - sums.n) / speed
            means, weights = sums.means(), sums.weights()
            loss = f"loss {means.pop('loss'):.2f}"
            terms = f"{_terms(means, weights)} {sums.unit()}"
            line = _fitted(f"{self._count(run.epoch + 1)} {sums.n / n:4.0%}", (terms, loss), "", left, speed)
            self._write(f"\r{line}\033[K")  # one that wraps could not be rewritten
            self._open = True

    def epoch(self, run: TrainingRun) -> None:
        """Called after every epoch."""
        now = perf_counter()
        speed = self._images / (now - self._epoch_started)
        left = (self.epochs - run.epoch) * (now - self._epoch_started)
        means, terms = run.history.last(), run.history.terms
        weights = {name: means.get(WEIGHT + name, term.weight) for name, term in terms.items()}
        loss = f"loss {means['loss']:.2f}"
        whole = f"{loss} ({_terms({name: means[name] for name in terms}, weights)}) {run.history.unit}"
        held_out = f" | held-out {means['val_loss']:.2f}" if "val_loss" in means else ""
        line = _fitted(self._count(run.epoch), (whole, loss), held_out, left, speed, wide=not self.alive)
        self._write(f"\r{line}\033[K\n" if self.alive else line + "\n")
        self._epoch_started, self._open = now, False

    def close(self) -> None:
        """End the living line of an epoch that was cut short, so that what follows starts a line of its own."""
        if self._open:
            self._write("\n")
            self._open = False

    def _count(self, epoch: int) -> str:
        return f"epoch {epoch:{len(str(self.epochs))}}/{self.epochs}"

    def _write(self, text: str) -> None:
        with suppress(OSError):  # nobody reads on, or the log has no room; the training goes on
            self.stream.write(text)
            self.stream.flush()


def _fitted(count: str, losses: tuple[str, str], held_out: str, left: float, speed: float, wide: bool = False) -> str:
    """The line of a run, with as much of it as the terminal has columns for; all of it where that is `wide`.

    What goes first is the speed, then the terms of the loss, then the time left.
    """
    long, short = losses
    pace, duration = _pace(left, speed), _left(left)
    lines = [
        f"{count} | {long}{held_out}{pace}",
        f"{count} | {long}{held_out}{duration}",
        f"{count} | {short}{held_out}{duration}",
        f"{count} | {short}{held_out}",
    ]
    if wide:
        return lines[0]
    columns = shutil.get_terminal_size().columns - 1
    return next((line for line in lines if len(line) <= columns), lines[-1][:columns])


def _terms(means: Mapping[str, float], weights: Mapping[str, float]) -> str:
    """The terms by their names, each behind its weight if that is not 1."""
    return ", ".join(f"{factor(weights.get(name, 1.0))}{name} {mean:.2f}" for name, mean in means.items())


def _left(left: float) -> str:
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    duration = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f" | {duration} left"


def _pace(left: float, speed: float) -> str:
    return f"{_left(left)} | {speed:,.0f} rows/s"
