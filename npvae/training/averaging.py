"""The mean of the parameters over the later part of a run."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray

from npvae.numerics import aligned_zeros
from npvae.optimizers import Optimizer, OptimizerState
from npvae.parameters import Parameters
from npvae.training.run import TrainingRun
from npvae.validation import ArgumentError, integer

__all__ = ["Averaged"]


@dataclass(frozen=True)
class Averaged:
    """An optimiser that also keeps the mean of the parameters it leaves behind: θ̄ ← θ̄ + (θ − θ̄)/n for the n-th of them.

    θ jitters around where it is going; the mean does not, and is the better model. It is kept among the optimiser's
    moments, so checkpoints hold it and a resumed run has the same one. Training itself is unchanged.

    Parameters
    ----------
    optimizer : Optimizer
        What moves θ.
    begin : int
        Steps before the averaging begins; about half of the run is usual.
    every : int, default 20
        Every `every`-th step after that counts.

    References
    ----------
    Polyak & Juditsky, Acceleration of stochastic approximation by averaging (1992).
    """

    optimizer: Optimizer
    begin: int
    every: int = 20

    def __post_init__(self) -> None:
        integer("begin", self.begin, at_least=0)
        integer("every", self.every, at_least=1)

    @property
    def elementwise(self) -> bool:
        """Whether the optimiser moves each parameter by itself; the mean does."""
        return getattr(self.optimizer, "elementwise", False)

    def init(self, theta: NDArray) -> OptimizerState:
        """The state of the optimiser, and θ̄ = 0."""
        state = self.optimizer.init(theta)
        state.slots["mean"] = aligned_zeros(theta.size, theta.dtype)
        return state

    def step(self, theta: NDArray, dtheta: NDArray, state: OptimizerState) -> None:
        """One update, in place."""
        self.optimizer.step(theta, dtheta, state)
        n, rest = divmod(state.t - self.begin, self.every)
        if n > 0 and rest == 0:
            mean = state.slots["mean"]
            mean += (theta - mean) / n

    def mean(self, run: TrainingRun) -> Parameters:
        """θ̄ of a run; a ValueError where nothing has been averaged yet."""
        if run.optimizer_state.t < self.begin + self.every:
            rule = f"have {self.begin + self.every} steps before there is a mean"
            raise ArgumentError("run", rule, run.optimizer_state.t)
        return Parameters.from_flat(run.theta.shapes, run.optimizer_state.slots["mean"])
