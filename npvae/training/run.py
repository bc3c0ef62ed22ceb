"""The state of a training run: all that is known after an epoch, and all that is needed to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from npvae.optimizers import Optimizer, OptimizerState
from npvae.parameters import Parameters
from npvae.training.history import History

__all__ = ["NonFiniteLossError", "TrainingRun"]


@dataclass
class TrainingRun:
    """A run of the training loop, from its start or from where it stood.

    The random numbers of epoch e come from generators seeded by (seed, e), so (seed, epoch) is their whole state: a run
    that was stopped after an epoch and goes on gives the same parameters, to the bit, as one that never stopped.

    Attributes
    ----------
    theta : Parameters
        The parameters as they are now.
    optimizer_state : OptimizerState
        Moments and step count.
    seed : int
        Where the random numbers of all epochs come from.
    epoch : int
        Epochs completed.
    history : History
        One row for each of them.
    best : Parameters or None
        With early stopping: the parameters at the best held-out loss.
    best_epoch : int
        The epoch of `best`.
    stopped : str
        Why the loop returned: "finished", "early stopping", "interrupted", "callback" or "non-finite loss".
    settings : dict
        What else the run depends on, as far as whoever started it has noted it; the loop only passes it on.
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

    @classmethod
    def begin(
        cls, theta: Parameters, optimizer: Optimizer, seed: int, settings: Mapping[str, Any] | None = None
    ) -> TrainingRun:
        """A run before its first epoch, on a copy of theta."""
        return cls(theta.copy(), optimizer.init(theta.flat), seed, settings=dict(settings or {}))

    def copy(self) -> TrainingRun:
        """A copy in memory of its own."""
        return replace(
            self,
            theta=self.theta.copy(),
            optimizer_state=self.optimizer_state.copy(),
            history=self.history.copy(),
            best=self.best.copy() if self.best is not None else None,
            settings=dict(self.settings),
        )


class NonFiniteLossError(FloatingPointError):
    """The loss became infinite or NaN, and training stopped.

    Attributes
    ----------
    run : TrainingRun
        What was trained until then; its `theta` is the last copy, at most 100 steps old, at which the loss was finite.
    """

    def __init__(self, message: str, run: TrainingRun) -> None:
        super().__init__(message)
        self.run = run
