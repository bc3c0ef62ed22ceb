"""What a model is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss
from npvae.parameters import Parameters, Shapes

__all__ = ["Model"]


class Model(Protocol):
    """A loss and its gradient, as pure functions of (parameters, data, noise).

    Whatever has these members can be trained, checked and stored.
    """

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every parameter array."""

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Parameters:
        """Draw initial parameters."""

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> NDArray:
        """Draw the noise for n rows."""

    def loss(self, theta: Parameters, x: NDArray, noise: NDArray) -> Loss:
        """The loss of every row of x, nats, term by term."""

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: NDArray) -> tuple[Loss, Parameters]:
        """The same, and ∂(mean loss)/∂theta in the layout of theta."""
