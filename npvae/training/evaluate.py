"""The loss on a whole data set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss
from npvae.models import Model
from npvae.parameters import Parameters


class TermSums:
    """Sums of a loss and its terms over batches, in float64, to be read as means over all data."""

    def __init__(self) -> None:
        self.n = 0
        self._sums: dict[str, float] = {}
        self._beta = 0.0

    def add(self, loss: Loss) -> None:
        """Take in the loss of a batch."""
        sums = {"loss": loss.per_datum, **loss.terms}
        for name, values in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(values.sum())
        rows = len(sums["loss"])
        self._beta += rows * loss.weights.get("kl", 1.0)
        self.n += rows

    def beta(self) -> float:
        """Mean weight of the KL term over all data so far."""
        return self._beta / self.n

    def means(self) -> dict[str, float]:
        """Mean over all data so far of "loss" and of each term, nats."""
        return {name: total / self.n for name, total in self._sums.items()}


def evaluate(
    model: Model, theta: Parameters, x: NDArray, rng: np.random.Generator, batch_size: int = 1000
) -> dict[str, float]:
    """Mean "loss" over the rows of x (n, d), and the mean of each of its terms by name, nats.

    `batch_size` rows at a time, L draws of each, bound the memory; the same seed of `rng`, the source of the noise,
    gives the same value.
    """
    sums = TermSums()
    for start in range(0, len(x), batch_size):
        rows = np.asarray(x[start : start + batch_size], dtype=theta.dtype)
        sums.add(model.loss(theta, rows, model.draw_noise(rng, len(rows), theta.dtype)))
    return sums.means()
