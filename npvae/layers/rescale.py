"""A fixed affine map of the inputs: pixels less their mean, bits as −1 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.parameters import Parameters, Shapes

__all__ = ["Rescale"]


@dataclass(frozen=True, eq=False)
class Rescale:
    """y = scale (x − centre), for inputs that lie around zero; nothing in it is trained.

    A dense layer that follows could take the map into its own weights, so the functions that a network can compute
    stay the same. Gradient descent does not: around zero it needs fewer steps.

    Parameters
    ----------
    centre : float or (n_in,) array
        What is subtracted: ½ of bits, the mean image of pixels.
    scale : float, default 1.0
        With centre ½ and scale 2, bits b become 2b − 1.

    References
    ----------
    Mnih & Gregor, Neural variational inference and learning in belief networks (2014), section 4: centred inputs.
    """

    centre: ArrayLike
    scale: float = 1.0

    @property
    def shapes(self) -> Shapes:
        """None."""
        return {}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """None."""
        return {}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y_nj = scale (x_nj − centre_j), of x's dtype. Nothing is cached."""
        y = x - np.asarray(self.centre, x.real.dtype)
        y *= self.scale
        return y, None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dx = scale dy."""
        return self.scale * dy if need_dx else None
