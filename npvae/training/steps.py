"""The steps of a training: what every way of making them has, and those of this process alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss, Term
from npvae.models import Model
from npvae.optimizers import Optimizer
from npvae.parameters import Parameters
from npvae.training.held_out import held_out
from npvae.training.run import TrainingRun
from npvae.training.term_sums import TermSums
from npvae.validation import ArgumentError

SNAPSHOT_EVERY = 100
"""Steps between two copies of parameters that are known to give a finite loss."""

MAX_TERMS = 62
"""Terms of a loss, at the most: several processes add their sums as vectors of fixed length."""


GRAIN = 16
"""Numbers that are moved together when processes move one part of theta each: a cache line of float32."""


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


class Steps:
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
        """Begin the step on a batch; the losses of all steps that ended meanwhile are added to `sums`.

        `x` are the rows that `share` told to read, `noise` is that of the whole batch.
        """
        raise NotImplementedError

    def finish(self, sums: TermSums) -> None:
        """Wait until all steps have ended, and add their losses to `sums`; here nothing is under way."""

    def halt(self, sums: TermSums) -> None:
        """Stop after the step that is under way, and add the losses of all steps that ended; here nothing is."""

    def close(self) -> None:
        """Leave the run in memory of its own, as it is here already."""

    def share(self, n: int) -> slice:
        """The rows that this process reads of a batch of n."""
        return slice(n)

    def agreed(self, answer: bool) -> bool:
        """Whether one of the processes that run the loop together says so."""
        return answer

    def together(self) -> AbstractContextManager[None]:
        """A block whose error on one of the processes that run the loop is raised on all."""
        return nullcontext()

    def held_out(
        self, model: Model, run: TrainingRun, x: NDArray, rng: np.random.Generator, batch_size: int
    ) -> tuple[dict[str, float], dict[str, Term]]:
        """Mean loss and terms on held-out data, and label, unit and weight of every term."""
        return held_out(model, run.theta, x, rng, batch_size, run.state)


class SerialSteps(Steps):
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
            raise BrokenStepError(moments.t + 1, blamed(bad or list(loss.terms), np.isfinite(x).all()))
        if moments.t % SNAPSHOT_EVERY == 0:
            self.good.flat[:] = theta.flat
        self._optimizer.step(theta.flat, dtheta.flat, moments)
        if after:
            run.state = after[0]
        self._loss = loss
        sums.add(loss)


class ThetaWithGradient(Parameters):
    """Parameters whose first `empty_like` or `zeros_like` of a step is a given array of that layout.

    So the gradient that a model returns lies where other processes read it, and need not be copied.
    """

    def hand_out(self, gradient: Parameters) -> None:
        """Have this gradient given out at the next request."""
        self._next = gradient

    def empty_like(self) -> Parameters:
        """Uninitialised memory in the same layout."""
        gradient, self._next = self._next, None
        return super().empty_like() if gradient is None else gradient

    def zeros_like(self) -> Parameters:
        """Zeros in the same layout."""
        gradient = self.empty_like()
        gradient.flat[:] = 0
        return gradient


def require_rows_apart(argument: str, rule: str, model: Model, run: TrainingRun) -> None:
    """An ArgumentError with rule and reason if the model's loss is no mean over rows that processes can share."""
    if run.state:
        reason = "hands a state from step to step, which is one for all rows"
    elif not getattr(model, "mean_over_rows", True):
        reason = "has a loss that is no mean over rows: a term of it depends on the whole batch"
    else:
        return
    raise ArgumentError(argument, f"{rule} with this model", "", f"it {reason}")


def blamed(terms: Sequence[str], x_is_finite: bool) -> Sequence[str]:
    """The terms that are not finite, or the data where these are not."""
    return terms if x_is_finite else ["x itself"]
