"""What a model is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError

__all__ = ["Model", "ModelWithState", "State", "require_rows"]

State = dict[str, NDArray]
"""What a model hands from one step to the next, such as persistent chains, by name. Nobody writes into it."""


class Model(Protocol):
    """A loss and its gradient, as pure functions of (parameters, data, noise).

    Whatever has these members can be trained, checked and stored. Where the loss is no mean over the rows of a batch,
    because a term of it depends on the batch as a whole, an attribute ``mean_over_rows = False`` says so: such a model
    is trained by one process. An attribute ``operations`` says how many a gradient takes for each row; without it they
    are six for each parameter. The number of processes is chosen by it.
    """

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every parameter array."""

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Parameters:
        """Draw initial parameters."""

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Any:
        """Draw the noise for n rows: an array, None, or any nesting of them in tuples, lists and dicts.

        In every array the axis of the rows is the one whose length follows n; see `npvae.models.noise`.
        """

    def loss(self, theta: Parameters, x: NDArray, noise: Any) -> Loss:
        """The loss of every row of x, term by term."""

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: Any) -> tuple[Loss, Parameters]:
        """The same, and ∂(mean loss)/∂theta in the layout of theta."""


class ModelWithState(Protocol):
    """A model that remembers something between the steps of a training: the state goes in, and the next one comes out.

    The training loop carries the state and puts it into the checkpoints, so that a resumed run is the same to the bit.
    `shapes`, `init` and `draw_noise` are those of `Model`.
    """

    def begin_state(self, rng: np.random.Generator) -> State:
        """The state before the first step."""

    def loss(self, theta: Parameters, x: NDArray, noise: Any, state: State) -> Loss:
        """The loss of every row of x in that state, term by term."""

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: Any, state: State) -> tuple[Loss, Parameters, State]:
        """The same, ∂(mean loss)/∂theta, and the state of the next step in new arrays."""


def require_rows(x: NDArray, n_features: int) -> None:
    """An ArgumentError unless x is (n, n_features) with n at least 1."""
    if x.ndim != 2 or x.shape[1] != n_features or len(x) == 0:
        raise ArgumentError("x", f"have shape (n, {n_features})", x.shape)
