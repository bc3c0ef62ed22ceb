"""The state of a training run: all that is known after an epoch, and needed to go on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from npvae.models import State
from npvae.optimizers import Optimizer, OptimizerState
from npvae.parameters import Parameters
from npvae.training.history import History
from npvae.training.term_sums import TermSums


class Within(NamedTuple):
    """Where a run stands amid an epoch."""

    batches: int
    """Batches that it has had."""
    batch_size: int
    n_rows: int
    """Rows of the data."""
    seconds: float
    """Since the epoch began, pauses left out."""
    sums: TermSums
    """The losses so far."""


def new_identity() -> str:
    """64 random bits that tell a run from all others; no number of the training depends on them."""
    return os.urandom(8).hex()


BROKEN = ("non-finite loss", "failed worker")
"""What stopped a run whose moments do not belong to its parameters."""

ENDS = ("", "finished", "early stopping", "interrupted", "callback", *BROKEN)
"""Why the loop may have returned; "" before."""


@dataclass
class TrainingRun:
    """A run of the training loop, from its start or from where it stood.

    The random numbers of epoch e come from generators seeded by (seed, e), so seed, epoch and batches within the epoch
    are their whole state: a run that was stopped and goes on gives the same parameters, to the bit, as one that never
    stopped.

    Attributes
    ----------
    theta : Parameters
        The latest, whatever was chosen: with the moments it is where a run goes on from.
    optimizer_state : OptimizerState
        Moments and step count.
    seed : int
        Where the random numbers of all epochs come from.
    state : dict of str to array, optional
        What the model hands from step to step, where it has `begin_state`.
    epoch, history : int, History
        Epochs completed, and a row for each of them.
    best, best_epoch : Parameters or None, int
        With early stopping: the parameters at the best held-out loss, and its epoch.
    stopped : str
        Why the loop returned: "finished", "early stopping", "interrupted", "callback", "non-finite loss" or "failed
        worker"; "" before.
    within : Within, optional
        Where the run stands amid an epoch; None between two.
    settings : dict
        What else the run depends on, as far as whoever started it has noted it; the loop only passes it on.
    identity : str
        What tells the run from all others, in its checkpoints and in its model; "" in files that know of none.
    """

    theta: Parameters
    optimizer_state: OptimizerState
    seed: int = 0
    epoch: int = 0
    history: History = field(default_factory=History)
    best: Parameters | None = None
    best_epoch: int = 0
    stopped: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    state: State | None = None
    within: Within | None = None
    identity: str = field(default_factory=new_identity)

    @classmethod
    def begin(
        cls, theta: Parameters, optimizer: Optimizer, seed: int, settings: Mapping[str, Any] | None = None
    ) -> TrainingRun:
        """A run before its first epoch, on a copy of theta."""
        return cls(theta.copy(), optimizer.init(theta.flat), seed, settings=dict(settings or {}))

    @property
    def chosen(self) -> Parameters:
        """The parameters to use: with early stopping the best ones, unless the run was cut short; else theta."""
        cut_short = self.stopped in ("interrupted", *BROKEN)
        return self.theta if self.best is None or cut_short else self.best

    def copy(self) -> TrainingRun:
        """A copy in memory of its own."""
        return replace(
            self,
            theta=self.theta.copy(),
            optimizer_state=self.optimizer_state.copy(),
            history=self.history.copy(),
            best=self.best.copy() if self.best is not None else None,
            settings=dict(self.settings),
            state=None if self.state is None else {name: array.copy() for name, array in self.state.items()},
        )


class BrokenRunError(Exception):
    """A training could not go on; `run` is what was trained until then.

    Its `theta` is the last copy, at most 100 steps old, of which the loss was finite. Moments and step count are those
    of the breakdown, so it is not a run to go on from.
    """

    def __init__(self, message: str, run: TrainingRun) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple:
        """For pickle, by which process pools hand errors over: an exception is rebuilt from its message alone."""
        return type(self), (str(self), self.run)


class NonFiniteLossError(BrokenRunError, FloatingPointError):
    """The loss became infinite or NaN."""


class WorkerError(BrokenRunError, RuntimeError):
    """One of the processes that trained together failed or was killed."""
