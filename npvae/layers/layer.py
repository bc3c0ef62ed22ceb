"""What a layer is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Parameters, Shapes

__all__ = ["Layer"]


class Layer(Protocol):
    """A differentiable function of parameters and data, without state of its own.

    A class with these four members is a layer; nothing has to be inherited. For y = f(W, x) and a scalar loss,
    `backward` turns dy = ∂loss/∂y into dx = ∂loss/∂x, and writes ∂loss/∂W where it is told to.
    """

    @property
    def shapes(self) -> Shapes:
        """Name and shape of each parameter; empty for a layer without parameters."""

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Draw initial values, one array for each of `shapes`."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, Any]:
        """Compute y and what `backward` will need.

        Parameters
        ----------
        params : Parameters
            One array for each of `shapes`.
        x : (n, n_in) array

        Returns
        -------
        y : (n, n_out) array
            In memory of its own; `x` is left as it was.
        cache
            Whatever `backward` needs. It may refer to `x` and `y`, so neither may be changed in between.
        """

    def backward(
        self, params: Parameters, cache: Any, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """Carry the gradient from y back to x and to the parameters.

        Parameters
        ----------
        params : Parameters
            As in `forward`.
        cache
            What `forward` returned.
        dy : (n, n_out) array
            ∂loss/∂y.
        grads : Parameters
            Memory in the layout of `params`. ∂loss/∂W is written there, over whatever was there before.
        need_dx : bool, default True
            The first layer of a network has no use for dx; with False it may leave that product out.

        Returns
        -------
        dx : (n, n_in) array, or None if it was not needed
            ∂loss/∂x.
        """
