"""The steps of a training, one after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss, Term
from npvae.models import Model
from npvae.optimizers import Optimizer
from npvae.parameters import Parameters
from npvae.training.run import TrainingRun
from npvae.training.term_sums import TermSums

SNAPSHOT_EVERY = 100
"""Steps between two copies of parameters that are known to give a finite loss."""


class BrokenStepError(Exception):
    """The loss of a step is not finite; `step` counts from 1, `blamed` are the terms, or "x itself"."""

    def __init__(self, step: int, blamed: Sequence[str]) -> None:
        super().__init__(step, blamed)
        self.step, self.blamed = step, blamed


class FailedWorkerError(Exception):
    """A worker process is gone, or an error came up in it; `trace` is what Python says of the error."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message, trace)
        self.message, self.trace = message, trace


class Steps(Protocol):
    """What moves a run, batch by batch.

    Attributes
    ----------
    good : Parameters
        At most `SNAPSHOT_EVERY` steps old, and known to give a finite loss.
    terms : dict of str to Term
        Label, unit and weight of every term of the loss, from the first step on.
    """

    good: Parameters
    terms: dict[str, Term]

    def step(self, model: Model, x: NDArray, noise: Any, sums: TermSums) -> None:
        """Begin the step on a batch; the losses of all steps that ended meanwhile are added to `sums`."""

    def finish(self, sums: TermSums) -> None:
        """Wait until all steps have ended, and add their losses to `sums`."""

    def halt(self, sums: TermSums) -> None:
        """Stop after the step that is under way; the losses of all steps that ended are added to `sums`."""

    def close(self) -> None:
        """Leave the run in memory of its own."""


class SerialSteps:
    """Steps in this process: each has ended when `step` returns.

    Parameters
    ----------
    run : TrainingRun
        Its theta, its optimiser's state and its model's state are moved in place.
    optimizer : Optimizer
    """

    def __init__(self, run: TrainingRun, optimizer: Optimizer) -> None:
        self._run, self._optimizer = run, optimizer
        self.good = run.theta.copy()
        self._loss: Loss | None = None

    @property
    def terms(self) -> dict[str, Term]:
        """Label, unit and weight of every term at the latest step."""
        return {} if self._loss is None else self._loss.described()

    def step(self, model: Model, x: NDArray, noise: Any, sums: TermSums) -> None:
        """One step."""
        run = self._run
        theta, moments = run.theta, run.optimizer_state
        before = () if run.state is None else (run.state,)
        loss, dtheta, *after = model.loss_and_grad(theta, x, noise, *before)
        if not np.isfinite(loss.value):
            bad = [name for name, values in loss.terms.items() if not np.isfinite(values).all()]
            raise BrokenStepError(moments.t + 1, blamed(bad or list(loss.terms), x))
        if moments.t % SNAPSHOT_EVERY == 0:
            self.good.flat[:] = theta.flat
        self._optimizer.step(theta.flat, dtheta.flat, moments)
        if after:
            run.state = after[0]
        self._loss = loss
        sums.add(loss)

    def finish(self, sums: TermSums) -> None:
        """Nothing is under way."""

    def halt(self, sums: TermSums) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """The run is in memory of its own."""


def blamed(terms: Sequence[str], x: NDArray) -> Sequence[str]:
    """The terms that are not finite, or the data where these are not."""
    return terms if np.isfinite(x).all() else ["x itself"]
