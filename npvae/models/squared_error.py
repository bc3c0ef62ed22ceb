"""The squared error, with the face of a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.links import check_link, inverse_link, link_mean, link_mean_backward

__all__ = ["SquaredError"]


@dataclass(frozen=True)
class SquaredError:
    """log p = −Σ_j (x_j − m_j)², which no constant makes a density of: what an autoencoder minimises as it stands.

    It has those members of a `Distribution` that a reconstruction needs. A Gaussian of variance ½ has its gradient.

    Parameters
    ----------
    link : {"identity", "sigmoid"}
        m = a, or m = 1/(1 + e^{−a}) for data in [0, 1].

    Raises
    ------
    ValueError
        If `link` is unknown.
    """

    link: str = "identity"
    n_shared: ClassVar[int] = 0
    label: ClassVar[str] = "‖x − x̂‖²"
    unit: ClassVar[str] = "squared error"

    def __post_init__(self) -> None:
        check_link(self.link)

    def n_params(self, d: int) -> int:
        """One mean a dimension: d."""
        return d

    def require_support(self, argument: str, x: NDArray) -> None:
        """All real x."""

    def is_density(self, x: NDArray) -> bool:
        """False."""
        return False

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple[NDArray, NDArray]]:
        """−Σ_j (x_j − m_j)², in squared units of x; from a (n, d) and x (n, d) to (n,). The cache is (x − m, m)."""
        mean = link_mean(self.link, a)
        deviation = x - mean
        return -(deviation * deviation).sum(axis=-1), (deviation, mean)

    def log_prob_backward(self, cache: tuple[NDArray, NDArray], dlog_prob: NDArray) -> NDArray:
        """dm_j = 2 (x_j − m_j) dlog_prob; da = dm, or m (1 − m) dm."""
        deviation, mean = cache
        return link_mean_backward(self.link, mean, deviation * (2 * dlog_prob[..., None]))

    def mean(self, a: NDArray) -> NDArray:
        """m (a copy)."""
        return np.array(link_mean(self.link, a))

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The mean itself (a copy), or its logit, kept finite by 0.001 off 0 and 1."""
        return inverse_link(self.link, mean)
